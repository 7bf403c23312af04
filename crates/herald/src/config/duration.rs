//! Durations in settings: "200 ms", "20 s", "3 d".

use jiff::{Span, SpanRelativeTo};
use serde::{Deserialize, Deserializer, de};
use std::time::Duration;

/// For `#[serde(deserialize_with)]`.
pub(super) fn human<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    struct Visitor;
    impl de::Visitor<'_> for Visitor {
        type Value = Duration;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a duration with its unit, like \"200 ms\", \"20 s\", \"5 min\" or \"3 d\"")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
            parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
    deserializer.deserialize_str(Visitor)
}

/// A day is 24 hours here; months and years, which have no fixed length, are refused, and so is what lies in the past.
fn parse(text: &str) -> Option<Duration> {
    let span: Span = text.trim().parse().ok()?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?.try_into().ok()
}

/// An empty string is "not set".
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Some(String::deserialize(deserializer)?.trim().to_owned()).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, seconds) in
            [("20 s", 20.0), ("200ms", 0.2), ("3 d", 259_200.0), ("5 min", 300.0), ("1h 30m", 5400.0), ("PT5S", 5.0)]
        {
            assert_eq!(parse(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "20", "-5 s", "1 month", "soon"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
