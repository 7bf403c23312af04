//! Personal data on its way into the log: hidden, unless `log.show_personal_data` is on.
//!
//! ```text
//! tracing::info!(to = %personal::number(&message.to), text = %personal::text(&message.text), "accepted");
//! ```

use herald_rules::redact;
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

/// One for the process, as the log is.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// Sets what `log.show_personal_data` says; [`super::log::start`] calls it.
pub(super) fn show(shown: bool) {
    SHOWN.store(shown, Ordering::Relaxed);
}

/// A phone number or Apple id: `9725*****001`.
pub fn number(identifier: &str) -> Personal<'_> {
    Personal { value: identifier, redacted: redact::number }
}

/// What a message says: `<23 characters>`.
pub fn text(text: &str) -> Personal<'_> {
    Personal { value: text, redacted: redact::text }
}

/// A value that is redacted while it is printed, so that a line which is filtered out costs nothing.
#[derive(Clone, Copy)]
pub struct Personal<'a> {
    value: &'a str,
    redacted: fn(&str) -> String,
}

impl fmt::Display for Personal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if SHOWN.load(Ordering::Relaxed) { f.write_str(self.value) } else { f.write_str(&(self.redacted)(self.value)) }
    }
}

impl fmt::Debug for Personal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_by_default() {
        assert_eq!(number("972550000001").to_string(), "9725*****001");
        assert_eq!(format!("{:?}", text("Your code is 1234")), "<17 characters>");
    }
}
