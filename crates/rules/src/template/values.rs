//! Values for parameters: as they are given beside a template's name, and whether Meta takes them.

use super::{
    fold::fold,
    message::{ButtonParameter, HeaderValue, Parameter, TemplateMessage},
    model::{ButtonKind, Header, ParameterFormat, Template},
    pattern::parameters,
    render::fill,
};
use crate::reason::{Cause, Reason};
use serde_json::{Map, Value};

/// Meta's figures, in characters.
const LONGEST_HEADER: usize = 60;
/// Beside a header, a footer or buttons.
const LONGEST_BODY: usize = 1_024;
const LONGEST_BODY_ALONE: usize = 32_768;
const LONGEST_LINK: usize = 2_000;
const LONGEST_CODE: usize = 15;
const LONGEST_PAYLOAD: usize = 256;
/// "More than four consecutive spaces" are refused.
const SPACES: &str = "     ";

fn invalid(detail: String) -> Cause {
    Cause::with_detail(Reason::TemplateParameterInvalid, detail)
}

/// Values that are given with a template's name, for its header and its body: a list in the order of the parameters, or an
/// object with their names (`"1"`, `"2"`, `"first_name"`). In an object `"header"`, or the name of the header's parameter,
/// is the header's value.
pub fn explicit_values(template: &Template, given: &Value) -> Result<(Option<String>, Vec<Parameter>), Cause> {
    let names = parameters(&template.body, template.format);
    let value = |name: &str, text: String| Parameter {
        name: (template.format == ParameterFormat::Named).then(|| name.to_owned()),
        text,
    };
    let list = match given {
        Value::Null => &Vec::new(),
        Value::Array(list) => list,
        Value::Object(object) => return by_name(template, &names, object),
        _ => {
            return Err(invalid(
                "The parameters of a template are a list of texts, or an object of texts by name.".into(),
            ));
        }
    };
    // [{"1": "Dana"}, {"2": "A-1009"}] is written too.
    if !list.is_empty() && list.iter().all(Value::is_object) {
        let pairs = list.iter().filter_map(Value::as_object).flatten();
        let object: Map<_, _> = pairs.map(|(key, value)| (key.clone(), value.clone())).collect();
        return by_name(template, &names, &object);
    }
    if list.len() != names.len() {
        let wanted: Vec<_> = names.iter().map(|name| format!("{{{{{name}}}}}")).collect();
        let wanted = if wanted.is_empty() { "none".to_owned() } else { wanted.join(", ") };
        return Err(invalid(format!(
            "The template {} takes {} parameters ({wanted}), and {} were given.",
            template.name,
            names.len(),
            list.len()
        )));
    }
    let body = names
        .iter()
        .zip(list)
        .map(|(name, given)| Ok(value(name, text(name, given)?)))
        .collect::<Result<_, Cause>>()?;
    Ok((None, body))
}

fn by_name(
    template: &Template,
    names: &[&str],
    object: &Map<String, Value>,
) -> Result<(Option<String>, Vec<Parameter>), Cause> {
    let header = match &template.header {
        Some(Header::Text(source)) => parameters(source, template.format).first().copied(),
        _ => None,
    };
    let is_header =
        |key: &str| key == "header" && !names.contains(&"header") || header == Some(key) && !names.contains(&key);
    if let Some(unknown) = object.keys().find(|key| !names.contains(&key.as_str()) && !is_header(key)) {
        return Err(invalid(format!(
            "The template {} has no parameter {{{{{unknown}}}}}; it has {}.",
            template.name,
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        )));
    }
    let mut body = Vec::with_capacity(names.len());
    for name in names {
        let Some(given) = object.get(*name) else {
            return Err(invalid(format!("The template {} needs a value for {{{{{name}}}}}.", template.name)));
        };
        let own = (template.format == ParameterFormat::Named).then(|| (*name).to_owned());
        body.push(Parameter { name: own, text: text(name, given)? });
    }
    let header = object.iter().find(|(key, _)| is_header(key)).map(|(key, given)| text(key, given)).transpose()?;
    Ok((header, body))
}

fn text(name: &str, given: &Value) -> Result<String, Cause> {
    match given {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(invalid(format!("The value of {{{{{name}}}}} must be a text."))),
    }
}

/// Whether Meta takes the values, once variables are filled. The sentence says which value and why.
pub fn check_values(message: &TemplateMessage, template: &Template) -> Result<(), Cause> {
    if let Some(HeaderValue::Text { parameter }) = &message.header {
        let what = "the header's parameter";
        line(what, &parameter.text)?;
        at_most(what, &parameter.text, LONGEST_HEADER)?;
    }
    let names = parameters(&template.body, template.format);
    if names.len() != message.body.len() {
        return Err(invalid(format!(
            "The template {} takes {} values, and {} were given.",
            template.name,
            names.len(),
            message.body.len()
        )));
    }
    for (place, value) in message.body.iter().enumerate() {
        let name = value.name.as_deref().or_else(|| names.get(place).copied()).unwrap_or_default();
        line(&format!("{{{{{name}}}}}"), &value.text)?;
    }
    let most = if message.more_than_text { LONGEST_BODY } else { LONGEST_BODY_ALONE };
    let total = fill(&template.body, template.format, &message.body).chars().count();
    if total > most {
        let longest = message.body.iter().zip(&names).max_by_key(|(value, _)| value.text.chars().count());
        let longest = longest.map(|(_, name)| format!(" The longest value is {{{{{name}}}}}.")).unwrap_or_default();
        return Err(invalid(format!(
            "With its values the body has {total} characters, and Meta takes {most} for this template.{longest}"
        )));
    }
    message.buttons.iter().try_for_each(|value| {
        let button = template.buttons.get(usize::from(value.index));
        let title = button.map(|button| button.text.as_str()).filter(|title| !title.is_empty());
        let number = value.index + 1;
        let what = title.map_or_else(|| format!("button {number}"), |title| format!("button {number} (\"{title}\")"));
        match (&value.parameter, button.map(|button| &button.kind)) {
            (ButtonParameter::Url { suffix: code }, Some(ButtonKind::OneTimePassword)) => {
                line(&what, code)?;
                at_most(&what, code, LONGEST_CODE)
            }
            (ButtonParameter::Url { suffix }, kind) => {
                line(&what, suffix)?;
                let fixed = match kind {
                    // Its variable is not sent.
                    Some(ButtonKind::Url { url }) => url.chars().count().saturating_sub("{{1}}".len()),
                    _ => 0,
                };
                at_most(&what, suffix, LONGEST_LINK.saturating_sub(fixed))
            }
            (ButtonParameter::CopyCode { code }, _) => {
                line(&what, code)?;
                at_most(&what, code, LONGEST_CODE)?;
                match code.chars().find(|character| !character.is_alphanumeric()) {
                    Some(other) => Err(invalid(format!(
                        "The code of {what} has the character \"{other}\"; Meta takes letters and digits only."
                    ))),
                    None => Ok(()),
                }
            }
            (ButtonParameter::QuickReply { payload }, _) => at_most(&what, payload, LONGEST_PAYLOAD),
            (ButtonParameter::Flow { .. }, _) => Ok(()),
        }
    })
}

/// A value stands in a line: Meta refuses whatever would change the look of the approved text.
fn line(what: &str, value: &str) -> Result<(), Cause> {
    // Invisible marks alone are nothing either.
    let why = if fold(value).text.is_empty() {
        "is empty; Meta takes no parameter without a text"
    } else if value.contains(['\n', '\r']) {
        "has a line break; Meta takes values of one line only"
    } else if value.contains('\t') {
        "has a tab; Meta takes none in a value"
    } else if value.contains(SPACES) {
        "has more than four spaces in a row; Meta takes four at most"
    } else {
        return Ok(());
    };
    Err(invalid(format!("The value of {what} {why}.")))
}

fn at_most(what: &str, value: &str, most: usize) -> Result<(), Cause> {
    let given = value.chars().count();
    if given <= most {
        return Ok(());
    }
    Err(invalid(format!("The value of {what} has {given} characters, and Meta takes {most}.")))
}
