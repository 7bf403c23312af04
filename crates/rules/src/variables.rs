//! Variables in a text: `${customer.name}`, `${customer.identifier}`, `${customer.<attribute>}`, `${department.name}`.
//!
//! | written | becomes |
//! | --- | --- |
//! | `${customer.name}` | the value; [`Missing`] where there is none. A blank value counts as none |
//! | `${customer.name\|there}` | the value, else `there`; `${customer.name\|}` the value, else nothing |
//! | `$${` | `${`, and what follows is no variable |
//! | `${order.id}`, `${total}` | [`Missing`], with a fallback too: no customer has a value for it, so it is a mistake |
//! | `$`, `${` without `}`, `${}`, `${5.00}`, `${a b}` | itself: no name begins with a digit or holds blanks |
//!
//! The first `}` ends a variable: a fallback holds none, and a variable within a fallback is not read. Letters may be large or
//! small and blanks may stand around the name (`${ Customer.Name }`), as people write them so. What begins with
//! `customer.` or `department.` is always meant as a variable, so that the attribute `first name` is
//! `${customer.first name}`. Of attributes that differ in case only, the one written exactly so is taken, else the first.
//! Values and fallbacks are never read again: a customer who calls himself `${department.name}` is called that.
//! A dollar sign right before a value cannot be written as such, as `$${` is taken; a fallback can hold it:
//! `${customer.currency|$}${customer.price}`.

use std::{borrow::Cow, collections::BTreeMap, fmt};

/// What a name may be long in [`Missing`]: enough to find it, in an event that is kept.
const LONGEST_NAME: usize = 100;

/// What the variables of one message stand for.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// `customer.name`.
    pub customer_name: Option<&'a str>,
    /// `customer.identifier`: a number's digits or an Apple id.
    pub customer_identifier: &'a str,
    /// `customer.<attribute>`. Attributes called `name` or `identifier` are hidden behind the two above.
    pub attributes: &'a BTreeMap<String, String>,
    /// `department.name`.
    pub department_name: &'a str,
}

/// A variable that has no value, and no fallback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its name as it was written, cut after 100 characters.
    pub name: String,
    /// Where its `$` stands, counted in characters from 1.
    pub position: usize,
}

impl std::error::Error for Missing {}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, position } = self;
        match Known::of(name) {
            Some(Known::CustomerName | Known::Attribute(_)) => write!(
                f,
                "The variable ${{{name}}} at character {position} has no value for this customer. Give one in customer \
                 (name or attributes) of the request or keep it with the contact, or give a fallback: ${{{name}|...}}."
            ),
            Some(Known::CustomerIdentifier | Known::DepartmentName) => {
                write!(f, "The variable ${{{name}}} at character {position} has no value.")
            }
            None => write!(
                f,
                "There is no variable ${{{name}}} (character {position}). There are ${{customer.name}}, \
                 ${{customer.identifier}}, ${{customer.<attribute>}} and ${{department.name}}. To send these \
                 characters themselves, write $${{{name}}}."
            ),
        }
    }
}

/// Whether [`fill`] has anything to do or to refuse. Nearly all texts have nothing.
pub fn has_variables(text: &str) -> bool {
    text.contains("${")
}

/// Puts the values in. A text without variables comes back as it is, without a copy.
///
/// The result may be longer than a protocol takes: check it once more.
///
/// # Errors
/// The first variable that has no value and no fallback.
pub fn fill<'t>(text: &'t str, values: &Values<'_>) -> Result<Cow<'t, str>, Missing> {
    let mut filled = String::new();
    // Behind the last } nothing ends. Without this a text of nothing but beginnings would be searched from each of them.
    let last = text.rfind('}').unwrap_or(0);
    // Up to here the text has been copied; up to here it has been read.
    let (mut copied, mut read) = (0, 0);
    while let Some(found) = text[read..].find("${") {
        let start = read + found;
        let after = start + 2;
        // Not before `copied`: a `$` that belongs to what has just been read escapes nothing.
        if start > copied && text.as_bytes()[start - 1] == b'$' {
            filled.push_str(&text[copied..start - 1]);
            (copied, read) = (start, after);
            continue;
        }
        read = after;
        let Some((variable, end)) = (after < last).then(|| Variable::read(text, after)).flatten() else { continue };
        filled.push_str(&text[copied..start]);
        filled.push_str(variable.value(values).ok_or_else(|| Missing {
            name: variable.name.chars().take(LONGEST_NAME).collect(),
            position: text[..start].chars().count() + 1,
        })?);
        (copied, read) = (end, end);
    }
    if copied == 0 && filled.is_empty() {
        return Ok(Cow::Borrowed(text));
    }
    filled.push_str(&text[copied..]);
    Ok(Cow::Owned(filled))
}

/// What stands between `${` and `}`.
struct Variable<'t> {
    name: &'t str,
    fallback: Option<&'t str>,
}

impl<'t> Variable<'t> {
    /// The variable whose name begins at `after`, and where the text goes on behind it. None where there is none.
    fn read(text: &'t str, after: usize) -> Option<(Self, usize)> {
        let (name, mark) = text[after..].split_at(text[after..].find(['|', '}', '\n', '{', '$'])?);
        let (fallback, end) = match mark.as_bytes().first()? {
            b'}' => (None, after + name.len() + 1),
            b'|' => {
                let length = mark.find('}')?;
                (Some(&mark[1..length]), after + name.len() + length + 1)
            }
            _ => return None,
        };
        let name = name.trim();
        let meant = Known::of(name).is_some() || is_name(name);
        meant.then_some((Self { name, fallback }, end))
    }

    fn value<'v>(&self, values: &Values<'v>) -> Option<&'v str>
    where
        't: 'v,
    {
        let value = match Known::of(self.name)? {
            Known::CustomerName => values.customer_name,
            Known::CustomerIdentifier => Some(values.customer_identifier),
            Known::Attribute(name) => attribute(values.attributes, name),
            Known::DepartmentName => Some(values.department_name),
        };
        value.filter(|value| !value.trim().is_empty()).or(self.fallback)
    }
}

/// Letters, digits, `_`, `-` and `.`, a letter first.
fn is_name(name: &str) -> bool {
    name.starts_with(char::is_alphabetic) && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

fn attribute<'a>(attributes: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    let found = attributes.get(name).or_else(|| {
        let name = name.to_lowercase();
        attributes.iter().find_map(|(key, value)| (key.to_lowercase() == name).then_some(value))
    });
    found.map(String::as_str)
}

/// The variables that there are.
enum Known<'t> {
    CustomerName,
    CustomerIdentifier,
    Attribute(&'t str),
    DepartmentName,
}

impl<'t> Known<'t> {
    fn of(name: &'t str) -> Option<Self> {
        let (space, name) = name.split_once('.')?;
        let is = |wanted: &str| name.trim().eq_ignore_ascii_case(wanted);
        if space.trim().eq_ignore_ascii_case("customer") {
            return Some(match () {
                () if is("name") => Self::CustomerName,
                () if is("identifier") => Self::CustomerIdentifier,
                () => Self::Attribute(name.trim()),
            });
        }
        (space.trim().eq_ignore_ascii_case("department") && is("name")).then_some(Self::DepartmentName)
    }
}

#[cfg(test)]
mod tests;
