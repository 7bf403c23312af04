//! `herald contact`: whom a department knows.

use super::{
    Failure, Global, Kind, Output,
    http::{Api, Remote, block_on, query, segment},
    output,
    send::body::protocol,
    show,
};
use clap::{Args, Subcommand};
use herald_rules::protocol::Protocol;
use http::Method;
use serde_json::{Map, Value, json};

/// Look at contacts, set their names and attributes
#[derive(Debug, Args)]
#[command(
    after_help = "A contact is made at the first message of a customer, or by `set`. Texts take what is kept of it: ${customer.name},
${customer.city|your city}.

Examples:
  herald contact list --name dana
  herald contact show 972550000002
  herald contact set 972550000002 --name \"Dana Reyes\" --attribute city=Haifa
  herald contact set SMS:972550000002 --attribute plan=gold      replaces all that was kept"
)]
pub(super) struct Contact {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List contacts, oldest first
    List {
        /// Only whoever has this identifier
        #[arg(long)]
        identifier: Option<String>,
        /// Only those whose name begins so
        #[arg(long)]
        name: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Show a contact
    Show {
        /// Its id, or one of its identifiers
        contact: String,
    },
    /// Set name and attributes of the contact behind an identifier; what is not given is cleared
    Set {
        /// The customer's identifier, on WhatsApp unless its protocol stands before it: SMS:972550000002
        #[arg(value_parser = place)]
        identifier: (Protocol, String),
        /// What they are called
        #[arg(long)]
        name: Option<String>,
        /// What else is kept of them; may be repeated
        #[arg(long = "attribute", value_name = "NAME=TEXT", value_parser = attribute)]
        attributes: Vec<(String, String)>,
    },
}

fn place(text: &str) -> Result<(Protocol, String), String> {
    // An Apple id has colons of its own.
    match text.split_once(':') {
        Some((before, identifier)) if !before.eq_ignore_ascii_case("urn") => {
            Ok((protocol(before)?, identifier.to_owned()))
        }
        Some(_) => Ok((Protocol::AppleBusinessChat, text.to_owned())),
        None => Ok((Protocol::WhatsApp, text.to_owned())),
    }
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as NAME=TEXT")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

impl Contact {
    pub(super) fn run(self, global: &Global, output: &Output) -> Result<(), Failure> {
        block_on(async {
            let api = self.remote.connect(global)?;
            match self.action {
                Action::List { identifier, name, limit } => {
                    let filter = query([("identifier", identifier), ("name", name)]);
                    let page = api.list(&format!("/api/v2/contacts{filter}"), limit.max(1)).await?;
                    output.answer(&page, listed)?;
                    if page["nextCursor"].is_string() {
                        output.talk(&format!("There are more than these {limit}: raise --limit."));
                    }
                    Ok(())
                }
                Action::Show { contact } => Ok(output.answer(&pick(&api, &contact).await?, told)?),
                Action::Set { identifier: (protocol, identifier), name, attributes } => {
                    let attributes: Map<_, _> = attributes.into_iter().map(|(key, text)| (key, text.into())).collect();
                    let body = json!({"name": name, "attributes": attributes});
                    let path = format!("/api/v2/contacts/{protocol}/{}", segment(&identifier));
                    let contact: Value = api.call(Method::PUT, &path, Some(&body)).await?;
                    Ok(output.answer(&contact, told)?)
                }
            }
        })
    }
}

/// The contact that a person means.
async fn pick(api: &Api, named: &str) -> Result<Value, Failure> {
    if uuid::Uuid::try_parse(named).is_ok() {
        return api.get(&format!("/api/v2/contacts/{}", segment(named))).await;
    }
    let filter = query([("identifier", Some(named.to_owned()))]);
    let page = api.list(&format!("/api/v2/contacts{filter}"), 10).await?;
    let found: Vec<_> = show::items(&page).collect();
    match found[..] {
        [one] => Ok(one.clone()),
        [] => {
            let sentence = format!("Nobody is known by {named}.");
            Err(Failure::new(Kind::Usage, sentence, "`herald contact list` shows whom the department knows."))
        }
        _ => {
            let ids: Vec<_> = found.iter().map(|contact| show::text(&contact["id"])).collect();
            let sentence = format!("{named} is known on several protocols as different people: {}.", ids.join(", "));
            Err(Failure::new(Kind::Usage, sentence, "Name one by its id."))
        }
    }
}

fn identifiers(contact: &Value) -> Vec<String> {
    let all = contact["identifiers"].as_array().into_iter().flatten();
    all.map(|one| format!("{}:{}", show::text(&one["protocol"]), show::text(&one["identifier"]))).collect()
}

fn listed(page: &Value) -> String {
    let rows = show::items(page).map(|contact| {
        let attributes = contact["attributes"].as_object().map_or(0, Map::len);
        [
            show::text(&contact["id"]),
            show::text(&contact["name"]),
            identifiers(contact).join(" "),
            attributes.to_string(),
            show::time(&contact["updatedAt"]),
        ]
    });
    output::table(["id", "name", "identifiers", "attributes", "changed"], rows)
}

fn told(contact: &Value) -> String {
    let attributes = contact["attributes"].as_object().into_iter().flatten();
    let attributes: Vec<_> = attributes.map(|(key, text)| format!("{key} = {}", show::text(text))).collect();
    show::fields([
        ("id", show::text(&contact["id"])),
        ("name", show::text(&contact["name"])),
        ("named by", show::text(&contact["namedBy"])),
        ("identifiers", identifiers(contact).join("\n")),
        ("attributes", attributes.join("\n")),
        ("made", show::time(&contact["createdAt"])),
        ("changed", show::time(&contact["updatedAt"])),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_may_name_its_protocol() {
        assert_eq!(place("972550000002"), Ok((Protocol::WhatsApp, "972550000002".into())));
        assert_eq!(place("sms:972550000002"), Ok((Protocol::SMS, "972550000002".into())));
        assert_eq!(place("urn:mbid:AQAA"), Ok((Protocol::AppleBusinessChat, "urn:mbid:AQAA".into())));
        assert_eq!(place("apple:urn:mbid:AQAA"), Ok((Protocol::AppleBusinessChat, "urn:mbid:AQAA".into())));
        assert!(place("telex:1").is_err());
        assert_eq!(attribute("city=a=b"), Ok(("city".into(), "a=b".into())));
        assert!(attribute("city").is_err());
    }
}
