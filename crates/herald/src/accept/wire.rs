//! Values as clients really write them. A field may be null, absent, or of another type than it should be; the last is
//! refused by the check, which knows what to say, and not by the parser, which only knows a line and a column.

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt};

/// A text, or whatever stands in its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Loose<'a> {
    /// Not there, or null.
    #[default]
    Absent,
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number, as digits: a phone number without its quotes.
    Number(String),
    /// A list.
    List,
    /// Something else.
    Other(&'static str),
}

impl Loose<'_> {
    /// The text, or the digits of a number.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(digits) => Some(digits),
            _ => None,
        }
    }

    /// What stands there, for a sentence.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Absent => "nothing",
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::List => "a list",
            Self::Other(kind) => kind,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(Cow::Owned(text)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Loose<'de>, E> {
        Ok(Loose::Number(number.to_string()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Loose<'de>, E> {
        Ok(Loose::Other("a negative number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Loose<'de>, E> {
        Ok(Loose::Other("a number with a fraction"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Loose<'de>, E> {
        Ok(Loose::Other("true or false"))
    }

    fn visit_unit<E>(self) -> Result<Loose<'de>, E> {
        Ok(Loose::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose<'de>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Other("an object"))
    }
}

/// A list of links, or whatever stands in its place.
#[derive(Clone, Debug, PartialEq)]
pub enum Links {
    /// The links; none where the field is absent, null or empty. Blank entries are gone: a client that splits an empty
    /// text at its commas sends one.
    Given(Vec<String>),
    /// Not a list, or not of texts: which entry, and what stands there.
    Wrong(Option<usize>, &'static str),
}

impl Default for Links {
    fn default() -> Self {
        Self::Given(Vec::new())
    }
}

impl<'de> Deserialize<'de> for Links {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LinksVisitor)
    }
}

struct LinksVisitor;

impl<'de> Visitor<'de> for LinksVisitor {
    type Value = Links;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of links")
    }

    fn visit_unit<E>(self) -> Result<Links, E> {
        Ok(Links::default())
    }

    fn visit_str<E>(self, text: &str) -> Result<Links, E> {
        Ok(if text.trim().is_empty() { Links::default() } else { Links::Wrong(None, "a text") })
    }

    fn visit_u64<E>(self, _: u64) -> Result<Links, E> {
        Ok(Links::Wrong(None, "a number"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Links, E> {
        Ok(Links::Wrong(None, "a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Links, E> {
        Ok(Links::Wrong(None, "a number"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Links, E> {
        Ok(Links::Wrong(None, "true or false"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Links, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Links::Wrong(None, "an object"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Links, A::Error> {
        let (mut links, mut at, mut wrong) = (Vec::new(), 0, None);
        while let Some(entry) = list.next_element::<Loose<'de>>()? {
            match entry {
                Loose::Absent => {}
                Loose::Text(text) if text.trim().is_empty() => {}
                Loose::Text(text) => links.push(text.into_owned()),
                other => wrong = wrong.or(Some((at, other.kind()))),
            }
            at += 1;
        }
        Ok(wrong.map_or(Links::Given(links), |(at, kind)| Links::Wrong(Some(at), kind)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_as_clients_write_them() {
        for (json, kept) in [
            (r#""a""#, Loose::Text("a".into())),
            (r#""\u0061""#, Loose::Text("a".into())),
            ("14255553456", Loose::Number("14255553456".into())),
            ("null", Loose::Absent),
            (r#"["a", {"b": [1]}]"#, Loose::List),
            (r#"{"a": 1}"#, Loose::Other("an object")),
            ("1.5", Loose::Other("a number with a fraction")),
            ("-1", Loose::Other("a negative number")),
            ("true", Loose::Other("true or false")),
        ] {
            assert_eq!(serde_json::from_str::<Loose<'_>>(json).unwrap(), kept, "{json}");
        }
    }

    #[test]
    fn links_as_clients_write_them() {
        for (json, kept) in [
            ("null", Links::default()),
            ("[]", Links::default()),
            (r#"[""]"#, Links::default()),
            (r#""""#, Links::default()),
            (r#"["a", null, "b"]"#, Links::Given(vec!["a".into(), "b".into()])),
            (r#""https://a""#, Links::Wrong(None, "a text")),
            (r#"["a", 1, {}]"#, Links::Wrong(Some(1), "a number")),
            ("{}", Links::Wrong(None, "an object")),
        ] {
            assert_eq!(serde_json::from_str::<Links>(json).unwrap(), kept, "{json}");
        }
    }
}
