//! Settings as `herald config show` prints them.

use figment::value::Value;
use serde::Serialize;

/// One setting in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Section and key.
    pub key: String,
    /// Its value; a secret is replaced by `***`.
    pub value: serde_json::Value,
    /// `default`, the file and line, the environment variable, or the flag.
    pub origin: String,
}

/// Settings that are secrets.
pub(super) fn is_secret(key: &str) -> bool {
    key == "data.master_key"
}

impl Setting {
    pub(super) fn new(key: &str, value: &Value, origin: String) -> Self {
        let value = serde_json::to_value(value).unwrap_or_default();
        let shown = match value.as_str() {
            Some(text) if is_secret(key) && !text.is_empty() => "***".into(),
            Some(text) => without_password(text).into(),
            None => value,
        };
        Self { key: key.to_owned(), value: shown, origin }
    }
}

/// The password in a URL like `postgres://user:password@host/name` is hidden, whatever the setting.
fn without_password(text: &str) -> String {
    match reqwest::Url::parse(text) {
        // Cannot fail where there was a password before; if it does, better nothing than the password.
        Ok(mut url) if url.password().is_some() => {
            url.set_password(Some("***")).map_or("***".to_owned(), |()| url.into())
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden() {
        let shown = |key: &str, text: &str| Setting::new(key, &Value::from(text), "default".to_owned()).value;
        assert_eq!(shown("data.master_key", "00ff"), "***");
        assert_eq!(shown("data.master_key", ""), "");
        assert_eq!(shown("store.url", "postgres://me:hidden@host/db"), "postgres://me:***@host/db");
        assert_eq!(shown("store.url", "sqlite:/var/lib/herald.db"), "sqlite:/var/lib/herald.db");
    }
}
