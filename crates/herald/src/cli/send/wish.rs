//! What a message says beside its text: who the customer is, and what a WhatsApp template needs.

use clap::Args;
use serde_json::{Map, Value, json};

/// Values for variables and templates.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Variables and WhatsApp templates")]
pub(in super::super) struct Wish {
    /// What ${customer.name} becomes
    #[arg(long, value_name = "NAME")]
    customer_name: Option<String>,
    /// What ${customer.NAME} becomes; may be repeated
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = pair)]
    attributes: Vec<(String, String)>,
    /// The value of a template's button, such as the end of its link; one for each button that needs one
    #[arg(long = "button", value_name = "VALUE")]
    buttons: Vec<String>,
    /// The value of the parameter in a template's header text
    #[arg(long, value_name = "VALUE")]
    header: Option<String>,
    /// Name the template instead of giving its text
    #[arg(long, value_name = "NAME", conflicts_with = "text")]
    template: Option<String>,
    /// Its language, where it has several
    #[arg(long, requires = "template")]
    language: Option<String>,
    /// A value of its body: in order, or NAME=VALUE where its parameters have names; may be repeated
    #[arg(long = "parameter", value_name = "VALUE", requires = "template")]
    parameters: Vec<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write it as name=value".to_owned()),
    }
}

impl Wish {
    /// Adds the fields of the request; what was not given is left out.
    pub(in super::super) fn add_to(self, body: &mut Value) {
        if self.customer_name.is_some() || !self.attributes.is_empty() {
            let attributes: Map<_, _> = self.attributes.into_iter().map(|(name, value)| (name, value.into())).collect();
            body["customer"] = json!({"name": self.customer_name, "attributes": attributes});
        }
        if !self.buttons.is_empty() {
            body["buttonParameters"] = self.buttons.into();
        }
        if let Some(header) = self.header {
            body["headerParameter"] = header.into();
        }
        if let Some(name) = self.template {
            body["template"] =
                json!({"name": name, "language": self.language, "parameters": parameters(self.parameters)});
        }
    }
}

/// By name where each has one that a parameter can have, else in order.
fn parameters(given: Vec<String>) -> Value {
    let named = |text: &String| {
        let (name, value) = text.split_once('=')?;
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        (begins && name.bytes().all(letter)).then(|| (name.to_owned(), Value::from(value)))
    };
    match given.iter().map(named).collect::<Option<Map<_, _>>>() {
        Some(named) if !named.is_empty() => Value::Object(named),
        _ => given.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_names_or_an_order() {
        let read = |given: &[&str]| parameters(given.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(read(&["Uri", "a=b"]), json!(["Uri", "a=b"]));
        assert_eq!(read(&["name=Uri", "at=10=11"]), json!({"name": "Uri", "at": "10=11"}));
        assert_eq!((read(&[]), read(&["2=3"])), (json!([]), json!(["2=3"])));
    }

    #[test]
    fn nothing_is_added_that_was_not_given() {
        let mut body = json!({"text": "Hi"});
        Wish::default().add_to(&mut body);
        assert_eq!(body, json!({"text": "Hi"}));
        let wish =
            Wish { attributes: vec![("city".into(), "Haifa".into())], buttons: vec!["17".into()], ..Wish::default() };
        wish.add_to(&mut body);
        let expected = json!({"text": "Hi", "customer": {"name": null, "attributes": {"city": "Haifa"}}, "buttonParameters": ["17"]});
        assert_eq!(body, expected);
    }
}
