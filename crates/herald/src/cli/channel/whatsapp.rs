//! What a channel on Meta's WhatsApp Cloud API is made of, from flags, files and the environment.

use super::super::{Failure, Kind, show};
use crate::access::random;
use clap::Args;
use herald_rules::{identifier, protocol::Protocol};
use serde_json::{Map, Value, json};
use std::io::Read as _;

const TOKEN_VARIABLE: &str = "HERALD_WHATSAPP_ACCESS_TOKEN";
const SECRET_VARIABLE: &str = "HERALD_WHATSAPP_APP_SECRET";
/// What the fields of Meta's webhook have to be subscribed to, for all that Herald acts on.
const FIELDS: [&str; 10] = [
    "messages",
    "message_template_status_update",
    "message_template_quality_update",
    "message_template_components_update",
    "template_category_update",
    "phone_number_quality_update",
    "business_capability_update",
    "account_update",
    "account_alerts",
    "user_preferences",
];

/// The flags of a channel on the WhatsApp Cloud API.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "With --provider whatsapp_cloud")]
pub(super) struct Whatsapp {
    /// Meta's id of the WhatsApp business account
    #[arg(long, value_name = "ID", conflicts_with_all = ["settings", "simulator"])]
    waba_id: Option<String>,
    /// Meta's id of each --identifier, in the same order
    #[arg(long = "phone-number-id", value_name = "ID", requires = "waba_id")]
    phone_number_ids: Vec<String>,
    /// A file with a system user's token; - reads stdin [default: HERALD_WHATSAPP_ACCESS_TOKEN]
    #[arg(long, value_name = "FILE", requires = "waba_id")]
    access_token_file: Option<String>,
    /// A file with the app's secret; - reads stdin [default: HERALD_WHATSAPP_APP_SECRET]
    #[arg(long, value_name = "FILE", requires = "waba_id")]
    app_secret_file: Option<String>,
    /// What Meta says when it asks whether the callback's address is ours [default: made up, and shown]
    #[arg(long, value_name = "TEXT", requires = "waba_id")]
    verify_token: Option<String>,
    /// Meta's id of the business portfolio, where several accounts share its limit of customers a day
    #[arg(long, value_name = "ID", requires = "waba_id")]
    portfolio_id: Option<String>,
    /// Where the Graph API is, for a proxy or the simulator [default: https://graph.facebook.com]
    #[arg(long, value_name = "URL", requires = "waba_id")]
    graph_url: Option<String>,
}

/// Settings and credentials of a channel.
pub(super) struct Made {
    /// `settings.provider` of the channel.
    pub(super) settings: Value,
    /// None: they are read from elsewhere.
    pub(super) credentials: Option<Value>,
    /// To be entered at Meta.
    pub(super) verify_token: Option<String>,
}

impl Whatsapp {
    /// None where nothing was said of it. `elsewhere`: the credentials are given in another way.
    pub(super) fn made(self, identifiers: &[String], elsewhere: bool) -> Result<Option<Made>, Failure> {
        let Some(waba_id) = self.waba_id else { return Ok(None) };
        let mut settings = json!({"waba_id": waba_id, "phone_numbers": numbers(identifiers, &self.phone_number_ids)?});
        for (name, value) in [("portfolio_id", self.portfolio_id), ("graph_url", self.graph_url)] {
            if let Some(value) = value {
                settings[name] = value.into();
            }
        }
        if elsewhere {
            return Ok(Some(Made { settings, credentials: None, verify_token: None }));
        }
        if self.access_token_file.as_deref() == Some("-") && self.app_secret_file.as_deref() == Some("-") {
            return Err(Failure::new(
                Kind::Usage,
                "Stdin can hold one secret only.",
                format!("Put the other into a file, or into {SECRET_VARIABLE}."),
            ));
        }
        let access_token = secret(self.access_token_file, "--access-token-file", TOKEN_VARIABLE)?;
        let app_secret = secret(self.app_secret_file, "--app-secret-file", SECRET_VARIABLE)?;
        let verify_token = self.verify_token.unwrap_or_else(|| hex::encode(random::bytes::<16>()));
        let credentials = json!({"access_token": access_token, "app_secret": app_secret, "verify_token": verify_token});
        Ok(Some(Made { settings, credentials: Some(credentials), verify_token: Some(verify_token) }))
    }
}

/// Which number is which at Meta.
fn numbers(identifiers: &[String], ids: &[String]) -> Result<Map<String, Value>, Failure> {
    if identifiers.len() != ids.len() {
        return Err(Failure::new(
            Kind::Usage,
            format!("There are {} --identifier and {} --phone-number-id.", identifiers.len(), ids.len()),
            "Give one --phone-number-id for each --identifier, in the same order.",
        ));
    }
    let mut numbers = Map::new();
    for (identifier, id) in identifiers.iter().zip(ids) {
        let own = identifier::parse_own(Protocol::WhatsApp, identifier)
            .map_err(|error| Failure::new(Kind::Usage, format!("--identifier {identifier}: {error}."), ""))?;
        numbers.insert(own, Value::from(id.trim()));
    }
    Ok(numbers)
}

/// A secret from a file, stdin or the environment, never from the command line, which other users of the host can read.
fn secret(file: Option<String>, flag: &str, variable: &str) -> Result<String, Failure> {
    let text = match file.as_deref() {
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text
        }
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| Failure::new(Kind::Usage, format!("{flag} {file}: {error}."), ""))?,
        None => std::env::var(variable).map_err(|_| {
            Failure::new(Kind::Usage, format!("{flag} is missing."), format!("Give it, or set {variable}."))
        })?,
    };
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_whitespace) {
        let what = file.map_or_else(|| variable.to_owned(), |file| format!("{flag} {file}"));
        return Err(Failure::new(Kind::Usage, format!("{what} does not hold one word."), ""));
    }
    Ok(text.to_owned())
}

/// What is left to do at Meta and here.
pub(super) fn next_steps(channel: &Value, verify_token: &str) -> String {
    let id = show::text(&channel["id"]);
    let mut text = format!(
        "\n\nAt Meta, on the app's page WhatsApp > Configuration, enter\n  callback URL  {}\n  verify token  {verify_token}\nand \
         subscribe to\n",
        show::text(&channel["callbackUrl"]),
    );
    for field in FIELDS {
        text.push_str(&format!("  {field}\n"));
    }
    if !channel["callbackUrl"].as_str().is_some_and(|url| url.starts_with("https://")) {
        text.push_str(
            "Meta calls https addresses only: set listen.public_url to the one under which it reaches this Herald.\n",
        );
    }
    text.push_str(&format!("Then: herald channel check {id}\n"));
    if channel["nonTicketMessages"] != true {
        text.push_str(&format!("      herald channel non-ticket {id} on\n"));
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn each_number_gets_metas_id_of_it() {
        let made = numbers(&words(&["+1 555-010-0200", "15550100201"]), &words(&["11", "12 "])).unwrap();
        assert_eq!(Value::Object(made), json!({"15550100200": "11", "15550100201": "12"}));
        for (identifiers, ids) in [(words(&["15550100200"]), vec![]), (words(&["no number"]), words(&["1"]))] {
            assert_eq!(numbers(&identifiers, &ids).unwrap_err().kind, Kind::Usage);
        }
    }

    #[test]
    fn secrets_come_from_files_as_one_word() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        assert_eq!(secret(Some(file("good", "EAAG\n")), "--x", "NONE").unwrap(), "EAAG");
        for bad in [file("empty", "\n"), file("two", "a very-secret"), "no such file".to_owned()] {
            let failure = secret(Some(bad), "--x", "NONE").unwrap_err();
            assert!(!failure.to_string().contains("very-secret"), "{failure}");
        }
        let token = file("token", "EAAG");
        let flags = |verify_token| Whatsapp {
            waba_id: Some("17".into()),
            access_token_file: Some(token.clone()),
            app_secret_file: Some(token.clone()),
            verify_token,
            ..Whatsapp::default()
        };
        let made = flags(None).made(&[], false).unwrap().unwrap();
        assert_eq!(made.verify_token.map(|made_up| made_up.len()), Some(32));
        let made = flags(Some("mine".into())).made(&[], false).unwrap().unwrap();
        assert_eq!(made.credentials.unwrap()["verify_token"], "mine");
        assert!(Whatsapp::default().made(&[], false).unwrap().is_none());
    }
}
