//! Meta's own words about what went wrong, in answers (`error`) and in webhooks (`errors[]`).

use super::codes;
use herald_rules::reason::{Cause, Reason};
use serde_json::Value;

/// The bound that [`Cause`] names.
const LONGEST_TEXT: usize = 500;

/// One error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// Meta's code.
    pub code: i64,
    /// Its subcode, on template and account calls.
    pub subcode: Option<i64>,
    /// Meta expects it to pass.
    pub is_transient: bool,
    /// What it says.
    pub text: String,
}

impl Problem {
    /// Reads the body of a failed call; None: it is not in Meta's form.
    pub fn of_answer(body: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Value>(body).ok().and_then(|body| Self::read(body.get("error")?))
    }

    /// Reads one error object.
    pub fn read(error: &Value) -> Option<Self> {
        let code = number(error.get("code")?)?;
        let text = |name: &str| error.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let details = error.pointer("/error_data/details").and_then(Value::as_str).filter(|text| !text.is_empty());
        let mut said: Vec<&str> = Vec::new();
        let all = [text("message"), text("title"), text("error_user_title"), text("error_user_msg"), details];
        for words in all.into_iter().flatten() {
            // `title`, `message` and `details` are often one sentence.
            if !said.contains(&words) {
                said.push(words);
            }
        }
        Some(Self {
            code,
            subcode: error.get("error_subcode").and_then(number),
            is_transient: error.get("is_transient").and_then(Value::as_bool).unwrap_or(false),
            text: said.join(": "),
        })
    }

    /// The cause with our reason for it, by the table or `otherwise`.
    pub fn cause(&self, otherwise: Reason) -> Cause {
        let row = codes::find_error(self.code, self.subcode);
        let advice = row.map_or("", |row| row.advice);
        Cause {
            detail: (!advice.is_empty()).then(|| advice.to_owned()),
            ..said(row.map_or(otherwise, |row| row.reason), Some(&self.code_text()), Some(&self.text))
        }
    }

    /// `100/2388024`, or the code alone.
    fn code_text(&self) -> String {
        match self.subcode {
            Some(subcode) => format!("{}/{subcode}", self.code),
            None => self.code.to_string(),
        }
    }
}

/// A reason with what was said about it, cut to what is stored.
pub fn said(reason: Reason, code: Option<&str>, text: Option<&str>) -> Cause {
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    Cause {
        provider_code: code.map(|code| cut(code, 100)),
        provider_text: text.filter(|text| !text.is_empty()).map(|text| cut(text, LONGEST_TEXT)),
        ..reason.into()
    }
}

/// Meta writes numbers as numbers, and now and then as text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
