//! What a send asks for beside its text: who the customer is, which template is meant, what its buttons and header take.
//!
//! The fields are kept as raw JSON until here. Numbers are taken as the text they were written as: `1.50` stays `1.50`.

use super::{check::wrong_type, request::SendRequest};
use crate::api::{codes::Code, problem::Problem};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap};
use utoipa::ToSchema;

/// Far above what WhatsApp shows of a profile's name (25) and what people are called.
const LONGEST_NAME: usize = 250;
/// Attributes of a customer in one request.
const MOST_ATTRIBUTES: usize = 50;
/// What an attribute may be called, as a template and its language.
const LONGEST_KEY: usize = 100;
/// One attribute.
const LONGEST_ATTRIBUTE: usize = 1_000;
/// Parameters of a template: more than Meta was ever seen to approve.
const MOST_PARAMETERS: usize = 100;
/// One parameter: as much as any text of WhatsApp. Meta's own rules are judged with the template.
const LONGEST_PARAMETER: usize = 4_096;
/// Buttons of a template.
const MOST_BUTTONS: usize = 10;
/// The value of a button: Meta's longest link.
const LONGEST_BUTTON: usize = 2_000;

/// What a send asks for beside its text. Everything in it is optional.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wish {
    /// What is known of the customer, for this message only.
    pub customer: CustomerWish,
    /// The template that is meant.
    pub template: Option<TemplateWish>,
    /// A value for each button of the template that takes one, in their order; None leaves one to Herald.
    pub button_parameters: Vec<Option<String>>,
    /// The value of the header's one text parameter.
    pub header_parameter: Option<String>,
}

/// What is known of the customer, for this message only: it goes before what the contact says.
#[derive(Clone, Debug, Default, PartialEq, ToSchema)]
#[schema(as = SendCustomer, example = json!({"name": "Noa Levi", "attributes": {"city": "Haifa"}}))]
pub struct CustomerWish {
    /// `${customer.name}`: at most 250 characters.
    #[schema(value_type = Option<String>)]
    pub name: Option<String>,
    /// `${customer.<attribute>}`: at most 50, each of at most 1,000 characters. Numbers, true and false are taken as their text.
    #[schema(required = false)]
    pub attributes: BTreeMap<String, String>,
}

/// A template by its name.
#[derive(Clone, Debug, PartialEq, ToSchema)]
#[schema(as = SendTemplate, example = json!({"name": "order_shipped", "language": "en_US", "parameters": ["Noa", "1234"]}))]
pub struct TemplateWish {
    /// Its name.
    pub name: String,
    /// Its language, such as `en_US`. May be left out where the template has only one.
    pub language: Option<String>,
    /// The values of its body: a list in the order of `{{1}}`, `{{2}}`, or an object for parameters with names.
    #[schema(value_type = Option<serde_json::Value>, example = json!(["Noa", "1234"]))]
    pub parameters: ParametersWish,
}

/// Values for the parameters of a template's body.
#[derive(Clone, Debug, PartialEq)]
pub enum ParametersWish {
    /// In order; empty where none are given.
    Positional(Vec<String>),
    /// By name.
    Named(BTreeMap<String, String>),
}

impl Wish {
    /// Reads the fields of a request.
    ///
    /// # Errors
    /// The first that is of the wrong type, too long, or too many.
    pub(super) fn read(request: &SendRequest<'_>) -> Result<Self, Problem> {
        let customer =
            Given::of("/customer", request.customer).object()?.map_or(Ok(CustomerWish::default()), customer)?;
        let template = Given::of("/template", request.template).object()?.map(template).transpose()?;
        let buttons = Given::of("/buttonParameters", request.button_parameters);
        let button_parameters = buttons.list(MOST_BUTTONS)?.unwrap_or_default();
        Ok(Self {
            customer,
            template,
            button_parameters: button_parameters
                .iter()
                .map(|button| button.text(LONGEST_BUTTON))
                .collect::<Result<_, _>>()?,
            header_parameter: Given::of("/headerParameter", request.header_parameter).text(LONGEST_ATTRIBUTE)?,
        })
    }

    /// The field that only a template can use, if one is given.
    pub fn of_a_template(&self) -> Option<&'static str> {
        match self {
            Self { template: Some(_), .. } => Some("template"),
            Self { header_parameter: Some(_), .. } => Some("headerParameter"),
            Self { button_parameters, .. } if !button_parameters.is_empty() => Some("buttonParameters"),
            _ => None,
        }
    }
}

fn customer(fields: Fields<'_>) -> Result<CustomerWish, Problem> {
    let attributes = match fields.get("attributes").object()? {
        Some(attributes) => attributes.texts(MOST_ATTRIBUTES, LONGEST_ATTRIBUTE)?,
        None => BTreeMap::new(),
    };
    Ok(CustomerWish { name: fields.get("name").text(LONGEST_NAME)?, attributes })
}

fn template(fields: Fields<'_>) -> Result<TemplateWish, Problem> {
    let given = |name| -> Result<Option<String>, Problem> {
        let text = fields.get(name).text(LONGEST_KEY)?;
        Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
    };
    let parameters = fields.get("parameters");
    Ok(TemplateWish {
        name: given("name")?.ok_or_else(|| {
            Problem::new(
                Code::InvalidBody,
                "template needs the name of a template. Leave template out to have it found by the text.",
            )
            .at("/template/name")
        })?,
        language: given("language")?,
        parameters: match parameters.kind() {
            "an object" => ParametersWish::Named(match parameters.object()? {
                Some(fields) => fields.texts(MOST_PARAMETERS, LONGEST_PARAMETER)?,
                None => BTreeMap::new(),
            }),
            "nothing" | "a list" => {
                let values = parameters.list(MOST_PARAMETERS)?.unwrap_or_default();
                let text = |value: &Given<'_>| match value.text(LONGEST_PARAMETER)? {
                    Some(text) => Ok(text),
                    None => Err(value.wrong("a text")),
                };
                ParametersWish::Positional(values.iter().map(text).collect::<Result<_, _>>()?)
            }
            _ => return Err(parameters.wrong("a list of texts, or an object of them")),
        },
    })
}

/// A value and where it stands.
struct Given<'a> {
    pointer: Cow<'static, str>,
    /// None where nothing stands there, or null.
    raw: Option<&'a RawValue>,
}

/// An object's fields, and where it stands.
struct Fields<'a> {
    pointer: Cow<'static, str>,
    fields: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

impl<'a> Given<'a> {
    fn of(pointer: impl Into<Cow<'static, str>>, raw: Option<&'a RawValue>) -> Self {
        Self { pointer: pointer.into(), raw: raw.filter(|raw| raw.get() != "null") }
    }

    /// What stands there, for a sentence.
    fn kind(&self) -> &'static str {
        match self.raw.and_then(|raw| raw.get().bytes().next()) {
            None => "nothing",
            Some(b'"') => "a text",
            Some(b'[') => "a list",
            Some(b'{') => "an object",
            Some(b't' | b'f') => "true or false",
            Some(_) => "a number",
        }
    }

    fn wrong(&self, wanted: &str) -> Problem {
        wrong_type(self.pointer.clone(), wanted, self.kind())
    }

    fn object(self) -> Result<Option<Fields<'a>>, Problem> {
        let Some(raw) = self.raw else { return Ok(None) };
        match serde_json::from_str(raw.get()) {
            Ok(fields) => Ok(Some(Fields { pointer: self.pointer, fields })),
            Err(_) => Err(self.wrong("an object")),
        }
    }

    fn list(&self, most: usize) -> Result<Option<Vec<Self>>, Problem> {
        let Some(raw) = self.raw else { return Ok(None) };
        let list: Vec<&'a RawValue> = serde_json::from_str(raw.get()).map_err(|_| self.wrong("a list of texts"))?;
        not_too_many(&self.pointer, list.len(), most)?;
        let entry = |(at, raw)| Self::of(format!("{}/{at}", self.pointer), Some(raw));
        Ok(Some(list.into_iter().enumerate().map(entry).collect()))
    }

    /// A text; numbers, true and false as they are written.
    fn text(&self, most: usize) -> Result<Option<String>, Problem> {
        let Some(raw) = self.raw else { return Ok(None) };
        let text = match self.kind() {
            // A text that is no Unicode, such as half of a pair, was let through by the first reading.
            "a text" => serde_json::from_str::<String>(raw.get()).map_err(|_| self.wrong("a text in Unicode"))?,
            "a list" | "an object" => return Err(self.wrong("a text")),
            _ => raw.get().to_owned(),
        };
        let length = text.chars().count();
        if length > most {
            return Err(self.refuse(format!("has {length} characters; {most} is the most")));
        }
        if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(self.refuse("holds a control character, which no phone shows. Take it out".to_owned()));
        }
        Ok(Some(text))
    }

    fn refuse(&self, what: String) -> Problem {
        Problem::new(Code::InvalidValue, format!("{} {what}.", self.pointer.trim_start_matches('/')))
            .at(self.pointer.clone())
    }
}

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Given<'a> {
        Given::of(format!("{}/{name}", self.pointer), self.fields.get(name).copied())
    }

    /// All fields as texts; those that are null are left out.
    fn texts(&self, most: usize, longest: usize) -> Result<BTreeMap<String, String>, Problem> {
        not_too_many(&self.pointer, self.fields.len(), most)?;
        let mut texts = BTreeMap::new();
        for (name, raw) in &self.fields {
            // RFC 6901 writes these two otherwise in a pointer.
            let escaped = name.replace('~', "~0").replace('/', "~1");
            let length = name.trim().chars().count();
            if length == 0 || length > LONGEST_KEY {
                let detail = format!(
                    "A name in {} has {length} characters; 1 to {LONGEST_KEY} are allowed.",
                    self.pointer.trim_start_matches('/')
                );
                return Err(Problem::new(Code::InvalidValue, detail).at(self.pointer.clone()));
            }
            if let Some(text) = Given::of(format!("{}/{escaped}", self.pointer), Some(raw)).text(longest)? {
                texts.insert(name.trim().to_owned(), text);
            }
        }
        Ok(texts)
    }
}

fn not_too_many(pointer: &str, given: usize, most: usize) -> Result<(), Problem> {
    if given <= most {
        return Ok(());
    }
    let detail = format!("{} has {given} entries; {most} is the most.", pointer.trim_start_matches('/'));
    Err(Problem::new(Code::InvalidValue, detail).at(pointer.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(body: &Value) -> Result<Wish, (Code, String)> {
        let body = body.to_string();
        read_text(&body)
    }

    fn read_text(body: &str) -> Result<Wish, (Code, String)> {
        Wish::read(&SendRequest::read(body.as_bytes()).unwrap())
            .map_err(|problem| (problem.code(), problem.pointer().unwrap_or_default().to_owned()))
    }

    fn texts(given: &[(&str, &str)]) -> BTreeMap<String, String> {
        given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn nothing_is_wished_for_by_clients_of_v1_2() {
        for body in [
            json!({}),
            json!({"customer": null, "template": null, "buttonParameters": null, "headerParameter": null}),
            json!({"customer": {}, "buttonParameters": []}),
            json!({"customer": {"name": null, "attributes": null, "other": [1]}}),
        ] {
            assert_eq!(read(&body), Ok(Wish::default()), "{body}");
        }
        assert_eq!(Wish::default().of_a_template(), None);
    }

    #[test]
    fn a_customer_as_clients_write_one() {
        let body = r#"{"customer": {"name": "נעה \u05dc", "attributes":
            {"city": "Haifa", "visits": 12, "price": 1.50, "big": 123456789012345678901234567890, "member": true, " none ": "", "gone": null}}}"#;
        let customer = read_text(body).unwrap().customer;
        assert_eq!(customer.name.as_deref(), Some("נעה ל"));
        let wanted = [
            ("city", "Haifa"),
            ("visits", "12"),
            ("price", "1.50"),
            ("big", "123456789012345678901234567890"),
            ("member", "true"),
            ("none", ""),
        ];
        assert_eq!(customer.attributes, texts(&wanted));
    }

    #[test]
    fn a_template_with_parameters_in_order_or_by_name() {
        let template = |body: Value| read(&json!({"template": body})).unwrap().template.unwrap();
        assert_eq!(
            template(json!({"name": " order ", "language": "en_US", "parameters": ["Noa", 17, ""]})),
            TemplateWish {
                name: "order".into(),
                language: Some("en_US".into()),
                parameters: ParametersWish::Positional(vec!["Noa".into(), "17".into(), String::new()]),
            }
        );
        assert_eq!(
            template(json!({"name": "order", "parameters": {"first_name": "Noa"}})).parameters,
            ParametersWish::Named(texts(&[("first_name", "Noa")]))
        );
        let bare = template(json!({"name": "order", "language": ""}));
        assert_eq!((bare.language, bare.parameters), (None, ParametersWish::Positional(vec![])));
    }

    #[test]
    fn buttons_and_header() {
        let wish = read(&json!({"buttonParameters": ["a/b?c", null, 17], "headerParameter": 1234})).unwrap();
        assert_eq!(wish.button_parameters, [Some("a/b?c".to_owned()), None, Some("17".to_owned())]);
        assert_eq!(wish.header_parameter.as_deref(), Some("1234"));
        assert_eq!(wish.of_a_template(), Some("headerParameter"));
    }

    #[test]
    fn what_does_not_fit_is_refused_at_its_place() {
        let long = |length: usize| "ש".repeat(length);
        let many = |count: usize| (0..count).map(|at| (at.to_string(), json!("x"))).collect::<serde_json::Map<_, _>>();
        use Code::{InvalidBody, InvalidValue};
        for (body, code, pointer) in [
            (json!({"customer": "Noa"}), InvalidBody, "/customer"),
            (json!({"customer": []}), InvalidBody, "/customer"),
            (json!({"customer": 1}), InvalidBody, "/customer"),
            (json!({"customer": {"name": ["Noa"]}}), InvalidBody, "/customer/name"),
            (json!({"customer": {"name": long(251)}}), InvalidValue, "/customer/name"),
            (json!({"customer": {"name": "a\u{0}"}}), InvalidValue, "/customer/name"),
            (json!({"customer": {"attributes": ["city"]}}), InvalidBody, "/customer/attributes"),
            (json!({"customer": {"attributes": {"a/b~": {}}}}), InvalidBody, "/customer/attributes/a~1b~0"),
            (json!({"customer": {"attributes": {"city": long(1_001)}}}), InvalidValue, "/customer/attributes/city"),
            (json!({"customer": {"attributes": many(51)}}), InvalidValue, "/customer/attributes"),
            (json!({"customer": {"attributes": {" ": "x"}}}), InvalidValue, "/customer/attributes"),
            (json!({"customer": {"attributes": {long(101): "x"}}}), InvalidValue, "/customer/attributes"),
            (json!({"template": "order"}), InvalidBody, "/template"),
            (json!({"template": {}}), InvalidBody, "/template/name"),
            (json!({"template": {"name": " "}}), InvalidBody, "/template/name"),
            (json!({"template": {"name": {}}}), InvalidBody, "/template/name"),
            (json!({"template": {"name": "a", "language": ["en"]}}), InvalidBody, "/template/language"),
            (json!({"template": {"name": "a", "parameters": "x"}}), InvalidBody, "/template/parameters"),
            (json!({"template": {"name": "a", "parameters": ["x", null]}}), InvalidBody, "/template/parameters/1"),
            (json!({"template": {"name": "a", "parameters": [["x"]]}}), InvalidBody, "/template/parameters/0"),
            (json!({"template": {"name": "a", "parameters": vec!["x"; 101]}}), InvalidValue, "/template/parameters"),
            (json!({"buttonParameters": "x"}), InvalidBody, "/buttonParameters"),
            (json!({"buttonParameters": [{}]}), InvalidBody, "/buttonParameters/0"),
            (json!({"buttonParameters": [long(2_001)]}), InvalidValue, "/buttonParameters/0"),
            (json!({"buttonParameters": vec!["x"; 11]}), InvalidValue, "/buttonParameters"),
            (json!({"headerParameter": []}), InvalidBody, "/headerParameter"),
        ] {
            assert_eq!(read(&body), Err((code, pointer.to_owned())), "{body}");
        }
        for body in [
            json!({"customer": {"name": long(250), "attributes": many(50)}}),
            json!({"customer": {"attributes": {"city": long(1_000), long(100): ""}}}),
        ] {
            assert!(read(&body).is_ok(), "{body}");
        }
        let half = r#"{"customer": {"name": "\ud83d"}}"#;
        assert_eq!(read_text(half), Err((InvalidBody, "/customer/name".to_owned())));
    }
}
