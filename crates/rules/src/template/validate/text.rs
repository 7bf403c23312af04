//! Texts with variables: how they are named, where they may stand, and their samples.

use super::Check;
use serde_json::Value;

/// How a template's variables are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// `{{1}}`, `{{2}}`.
    Positional,
    /// `{{first_name}}`.
    Named,
}

/// A variable in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variable<'a> {
    /// Between the braces.
    pub(super) name: &'a str,
    /// Where its braces begin and end, in bytes.
    pub(super) span: (usize, usize),
}

impl Variable<'_> {
    fn number(&self) -> Option<u32> {
        let digits = self.name.bytes().all(|byte| byte.is_ascii_digit()) && !self.name.starts_with('0');
        self.name.parse().ok().filter(|_| digits)
    }

    fn is_named(&self) -> bool {
        let mut bytes = self.name.bytes();
        bytes.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_')
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    }
}

/// The variables of a text, and whether double braces are left that are none.
pub(super) fn variables(text: &str) -> (Vec<Variable<'_>>, bool) {
    let (mut found, mut broken, mut from) = (Vec::new(), false, 0);
    while let Some(open) = text[from..].find("{{").map(|at| from + at) {
        broken |= text[from..open].contains("}}");
        let Some(close) = text[open..].find("}}").map(|at| open + at) else {
            return (found, true);
        };
        let variable = Variable { name: &text[open + 2..close], span: (open, close + 2) };
        if variable.number().is_some() || variable.is_named() {
            found.push(variable);
        } else {
            broken = true;
        }
        from = close + 2;
    }
    broken |= text[from..].contains("}}");
    (found, broken)
}

/// Checks how variables are written and named; `which` begins the sentences.
pub(super) fn named_rightly<'a>(check: &mut Check, text: &'a str, pointer: &str, which: &str) -> Vec<Variable<'a>> {
    let (variables, broken) = variables(text);
    if broken {
        check.breaks(
            "variable_malformed",
            pointer,
            format!(
                "{which} has double braces that are no variable. Write {{{{1}}}}, or {{{{first_name}}}} with small letters, \
                 digits and underscores."
            ),
        );
    }
    let numbers: Vec<u32> = variables.iter().filter_map(Variable::number).collect();
    let names: Vec<&str> = variables.iter().filter(|v| v.number().is_none()).map(|v| v.name).collect();
    if !numbers.is_empty() && !names.is_empty() {
        check.breaks(
            "variables_mixed",
            pointer,
            format!("{which} has numbered and named variables. Use one kind in the whole template."),
        );
    } else if (check.naming == Naming::Positional && !names.is_empty())
        || (check.naming == Naming::Named && !numbers.is_empty())
    {
        check.breaks(
            "parameter_format_wrong",
            pointer,
            format!(
                "{which} does not fit parameter_format. Say NAMED for {{{{first_name}}}}, POSITIONAL for {{{{1}}}}."
            ),
        );
    }
    let highest = numbers.iter().copied().max().unwrap_or(0);
    if let Some(missing) = (1..highest).find(|number| !numbers.contains(number)) {
        check.breaks(
            "variable_gap",
            pointer,
            format!("{which} has {{{{{highest}}}}} but no {{{{{missing}}}}}. Number them from 1 without gaps."),
        );
    }
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            check.breaks(
                "variable_twice",
                pointer,
                format!("{which} has {{{{{name}}}}} twice. Give each variable a name of its own."),
            );
        }
    }
    variables
}

/// Where variables may stand in a body, and how many words it needs for them.
pub(super) fn placed_rightly(check: &mut Check, text: &str, variables: &[Variable<'_>], pointer: &str) {
    let (Some(first), Some(last)) = (variables.first(), variables.last()) else { return };
    let says = |text: &str| text.chars().any(char::is_alphanumeric);
    if !says(&text[..first.span.0]) || !says(&text[last.span.1..]) {
        check.breaks(
            "variable_at_edge",
            pointer,
            "The body begins or ends with a variable, and punctuation does not count as text. Put a word before the first and \
             after the last one.",
        );
    }
    if variables.windows(2).any(|pair| text[pair[0].span.1..pair[1].span.0].trim().is_empty()) {
        check.breaks("variables_adjacent", pointer, "Two variables stand next to each other. Put text between them.");
    }
    // Meta says "too many variables for the length" and no number; senders report that it asks for twice as many words
    // as variables and one more (2n + 1), the variables not counted.
    let (mut words, mut from) = (0, 0);
    for variable in variables {
        words += count_words(&text[from..variable.span.0]);
        from = variable.span.1;
    }
    words += count_words(&text[from..]);
    let needed = 2 * variables.len() + 1;
    if words < needed {
        check.breaks(
            "too_few_words",
            pointer,
            format!(
                "The body has {words} words beside {} variables; Meta wants at least {needed}. Say more, or use fewer \
                 variables.",
                variables.len()
            ),
        );
    }
}

fn count_words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

/// A sample for each variable. Numbered ones are in the list `positional` (`[["Dana", "A-1"]]` for bodies), named ones in
/// `named` (`[{"param_name", "example"}]`).
pub(super) fn sampled(
    check: &mut Check,
    variables: &[Variable<'_>],
    pointer: &str,
    positional: Option<&Value>,
    (named, list): (&Value, &str),
) {
    let names: Vec<&str> = variables.iter().filter(|v| v.number().is_none()).map(|v| v.name).collect();
    let highest = variables.iter().filter_map(Variable::number).max().unwrap_or(0) as usize;
    let given = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    if highest > 0 {
        let samples = positional.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if samples.len() != highest || !samples.iter().all(given) {
            check.breaks(
                "samples_missing",
                pointer,
                format!("Reviewers need a sample for each variable: {highest} texts in {pointer}."),
            );
        }
    }
    let pointer = list;
    let samples = named.as_array().map_or(&[][..], Vec::as_slice);
    for name in &names {
        if !samples.iter().any(|sample| sample["param_name"] == **name && given(&sample["example"])) {
            check.breaks(
                "samples_missing",
                pointer,
                format!("Reviewers need a sample for {{{{{name}}}}}: {{\"param_name\": \"{name}\", \"example\": \"...\"}} in {pointer}."),
            );
        }
    }
    for (at, sample) in samples.iter().enumerate() {
        let name = sample["param_name"].as_str().unwrap_or_default();
        if !names.contains(&name) {
            check.breaks(
                "sample_unknown",
                format!("{pointer}/{at}"),
                format!(
                    "This is a sample for {name}, which is no variable of the text. Remove it, or correct the name."
                ),
            );
        }
    }
}
