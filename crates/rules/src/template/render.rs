//! What the customer reads: the body with its values.

use super::{
    message::Parameter,
    model::{Header, ParameterFormat, Template},
    pattern::{gaps, parameters},
};

/// The body's text with the values put in; with a value for the header, also the header's text on a line above. A parameter
/// without a value stands as the template has it.
pub fn render(template: &Template, header: Option<&str>, body: &[Parameter]) -> String {
    let text = fill(&template.body, template.format, body);
    match (&template.header, header) {
        (Some(Header::Text(source)), Some(value)) => format!("{}\n{text}", fill_header(source, value)),
        _ => text,
    }
}

/// A text header has one parameter at most, whatever its name.
pub(super) fn fill_header(source: &str, value: &str) -> String {
    let Some((gap, _)) = gaps(source).next() else { return source.to_owned() };
    [source.get(..gap.start).unwrap_or_default(), value, source.get(gap.end..).unwrap_or_default()].concat()
}

/// Puts values in the place of parameters.
pub(super) fn fill(text: &str, format: ParameterFormat, values: &[Parameter]) -> String {
    let names = parameters(text, format);
    let mut filled = String::with_capacity(text.len() + values.iter().map(|value| value.text.len()).sum::<usize>());
    let mut at = 0;
    for (gap, name) in gaps(text) {
        filled.push_str(text.get(at..gap.start).unwrap_or_default());
        let value = match format {
            ParameterFormat::Named => values.iter().find(|value| value.name.as_deref() == Some(name)),
            ParameterFormat::Positional => {
                names.iter().position(|other| *other == name).and_then(|place| values.get(place))
            }
        };
        filled.push_str(value.map_or_else(|| text.get(gap.clone()).unwrap_or_default(), |value| value.text.as_str()));
        at = gap.end;
    }
    filled.push_str(text.get(at..).unwrap_or_default());
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_where_their_names_are() {
        let value = |name: Option<&str>, text: &str| Parameter { name: name.map(str::to_owned), text: text.to_owned() };
        let positional = [value(None, "a"), value(None, "{{1}}")];
        assert_eq!(
            fill("{{2}} and {{1}} and {{2}}", ParameterFormat::Positional, &positional),
            "{{1}} and a and {{1}}"
        );
        let named = [value(Some("b"), "B"), value(Some("a"), "A")];
        assert_eq!(fill("{{a}}, {{b}}, {{c}}", ParameterFormat::Named, &named), "A, B, {{c}}");
        assert_eq!(fill_header("{{clinic}}: reminder", "Example"), "Example: reminder");
        assert_eq!(fill_header("reminder", "Example"), "reminder");
    }
}
