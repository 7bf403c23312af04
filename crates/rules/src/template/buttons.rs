//! The values of a template's buttons: those that are given, and those that the text holds already.

use super::{
    compose::Given,
    message::{ButtonParameter, ButtonValue, Parameter},
    model::{Button, ButtonKind, Template},
    pattern::gaps,
    rendering::link,
};
use crate::reason::{Cause, Reason};

/// What a button does with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// It cannot be sent without.
    Must,
    /// It may have one.
    May,
    /// The code of the body is its value too.
    Code,
    Nothing,
}

fn takes(button: &Button) -> Takes {
    match &button.kind {
        ButtonKind::Url { url } if gaps(url).next().is_some() => Takes::Must,
        ButtonKind::CopyCode => Takes::Must,
        ButtonKind::QuickReply | ButtonKind::Flow => Takes::May,
        ButtonKind::OneTimePassword => Takes::Code,
        ButtonKind::Url { .. } | ButtonKind::PhoneNumber { .. } | ButtonKind::Other(_) => Takes::Nothing,
    }
}

/// A value for each button that takes one.
pub(super) fn values(template: &Template, body: &[Parameter], given: &Given<'_>) -> Result<Vec<ButtonValue>, Cause> {
    let explicit = assigned(template, given.button_parameters)?;
    let mut values = Vec::new();
    // Two buttons may begin with the same link: each takes its own from the text.
    let mut used: Vec<usize> = Vec::new();
    for (index, (button, explicit)) in template.buttons.iter().zip(explicit).enumerate() {
        let parameter = match (&button.kind, takes(button)) {
            (_, Takes::Nothing) => {
                if explicit.is_some() {
                    return Err(invalid(template, index, "takes no value, and one was given for it"));
                }
                continue;
            }
            (ButtonKind::Url { .. }, _) => {
                let explicit = explicit.map(|value| suffix(button, value).to_owned());
                let found = explicit.or_else(|| in_text(button, given.text, &mut used));
                ButtonParameter::Url { suffix: found.ok_or_else(|| missing(template, index))? }
            }
            (ButtonKind::OneTimePassword, _) => {
                let code = body.first().map(|code| code.text.as_str());
                if explicit.is_some() && code.is_some() && explicit != code {
                    return Err(invalid(
                        template,
                        index,
                        "takes the same code as the body, and another was given for it",
                    ));
                }
                let code = code.or(explicit).ok_or_else(|| missing(template, index))?;
                ButtonParameter::Url { suffix: code.to_owned() }
            }
            (ButtonKind::CopyCode, _) => {
                let code = explicit.ok_or_else(|| missing(template, index))?;
                ButtonParameter::CopyCode { code: code.to_owned() }
            }
            (ButtonKind::QuickReply, _) => match explicit {
                Some(payload) => ButtonParameter::QuickReply { payload: payload.to_owned() },
                None => continue,
            },
            (_, _) => match explicit {
                Some(token) => ButtonParameter::Flow { token: token.to_owned() },
                None => continue,
            },
        };
        // Meta allows ten buttons.
        values.push(ButtonValue { index: u8::try_from(index).unwrap_or(u8::MAX), parameter });
    }
    Ok(values)
}

/// Which value was given for which button: as many as there are buttons, one for each; else one for each button that needs
/// a value, or for each that may have one.
fn assigned<'a>(template: &Template, given: &'a [Option<String>]) -> Result<Vec<Option<&'a str>>, Cause> {
    let all = template.buttons.len();
    let places = |wanted: &[Takes]| -> Vec<usize> {
        let takes = template.buttons.iter().map(takes).enumerate();
        takes.filter(|(_, takes)| wanted.contains(takes)).map(|(index, _)| index).collect()
    };
    let need = places(&[Takes::Must]);
    let may = places(&[Takes::Must, Takes::May, Takes::Code]);
    let places = if given.len() == all {
        (0..all).collect()
    } else if given.len() <= need.len() {
        need
    } else if given.len() <= may.len() {
        may
    } else {
        let detail = format!(
            "There are {} values in buttonParameters, and the template {} has {all} buttons, of which {} take a value.",
            given.len(),
            template.name,
            may.len(),
        );
        return Err(Cause::with_detail(Reason::TemplateParameterInvalid, detail));
    };
    let mut assigned = vec![None; all];
    for (place, value) in places.into_iter().zip(given) {
        if let Some(button) = assigned.get_mut(place) {
            *button = value.as_deref().filter(|value| !value.is_empty());
        }
    }
    Ok(assigned)
}

/// People give the end of the link, or the whole link.
fn suffix<'a>(button: &Button, value: &'a str) -> &'a str {
    link(button).and_then(|fixed| value.strip_prefix(fixed)).filter(|suffix| !suffix.is_empty()).unwrap_or(value)
}

/// The end of the next link in the text that begins as the button's does. `used` holds where links that went to other
/// buttons begin; if there is no further one, the first serves again.
fn in_text(button: &Button, text: &str, used: &mut Vec<usize>) -> Option<String> {
    let fixed = link(button)?;
    let mut again = None;
    for (at, _) in text.match_indices(fixed) {
        let Some(suffix) = text.get(at + fixed.len()..).map(end_of_link).filter(|suffix| !suffix.is_empty()) else {
            continue;
        };
        if used.contains(&at) {
            again = again.or(Some(suffix));
            continue;
        }
        used.push(at);
        return Some(suffix.to_owned());
    }
    again.map(str::to_owned)
}

/// As much of a text as belongs to the link that it continues: up to a blank, a quote or an angle bracket, and without the
/// punctuation of the sentence around it. A variable such as `${customer.order|none yet}` belongs to it whole.
fn end_of_link(text: &str) -> &str {
    let mut end = 0;
    // Punctuation counts only if more of the link follows.
    let mut certain = 0;
    let mut open = 0_u32;
    while let Some(character) = text.get(end..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(end..).unwrap_or_default();
        if rest.starts_with("${")
            && let Some(close) = rest.find('}')
        {
            end += close + 1;
            certain = end;
            continue;
        }
        if character.is_whitespace() || matches!(character, '"' | '\'' | '<' | '>' | '“' | '”' | '’' | '`' | '|')
        {
            break;
        }
        end += character.len_utf8();
        match character {
            '.' | ',' | ';' | ':' | '!' | '?' | ']' | '}' | '*' | '…' | '。' | '，' | '、' => {}
            '(' => {
                open += 1;
                certain = end;
            }
            ')' if open == 0 => {}
            ')' => {
                open -= 1;
                certain = end;
            }
            _ => certain = end,
        }
    }
    text.get(..certain).unwrap_or_default()
}

/// The button in words.
fn called(template: &Template, index: usize) -> String {
    let text = template.buttons.get(index).map_or("", |button| button.text.as_str());
    if text.is_empty() {
        format!("Button {} of the template {}", index + 1, template.name)
    } else {
        format!("Button {} (\"{text}\") of the template {}", index + 1, template.name)
    }
}

fn invalid(template: &Template, index: usize, what: &str) -> Cause {
    Cause::with_detail(Reason::TemplateParameterInvalid, format!("{} {what}.", called(template, index)))
}

fn missing(template: &Template, index: usize) -> Cause {
    let way = match template.buttons.get(index).map(|button| &button.kind) {
        Some(ButtonKind::Url { url }) => {
            format!("opens {url}: give the end of the link in buttonParameters, or the whole link in the text")
        }
        Some(ButtonKind::CopyCode) => "copies a code: give it in buttonParameters".to_owned(),
        _ => "needs a value: give it in buttonParameters".to_owned(),
    };
    Cause::with_detail(Reason::ButtonParameterMissing, format!("{} {way}.", called(template, index)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_ends_where_its_sentence_goes_on() {
        let table = [
            ("A-1009 now", "A-1009"),
            ("A-1009.", "A-1009"),
            ("A-1009), or", "A-1009"),
            ("a.b?c=d&e=(f)g!", "a.b?c=d&e=(f)g"),
            ("a(b)", "a(b)"),
            ("", ""),
            ("...", ""),
            ("${customer.order|none yet}/x y", "${customer.order|none yet}/x"),
            ("הזמנה-7\nטוב", "הזמנה-7"),
            ("x\">", "x"),
        ];
        for (text, expected) in table {
            assert_eq!(end_of_link(text), expected, "{text}");
        }
    }
}
