//! `herald channel`: protocols and provider accounts of a department, with their identifiers and switches.

pub(super) mod create;
mod whatsapp;

use super::{
    Failure, Global, Kind, Output,
    http::{Api, Remote, block_on, segment},
    output, show,
};
use clap::{Args, Subcommand, ValueEnum};
use herald_rules::{identifier, protocol::Protocol};
use serde_json::{Value, json};

/// Make channels, switch them and their non-ticket messages on and off
#[derive(Debug, Args)]
#[command(after_help = "A channel is named by its id, its name or one of its identifiers.

Examples:
  herald channel list
  herald channel non-ticket 972550000001 on     allow messages that open no ticket
  herald channel disable Shop                   nothing goes out; what is queued waits
  herald channel create WhatsApp --identifier 972550000001 --simulator http://127.0.0.1:7300
  herald channel check Shop                     ask its provider whether it could send
  herald channel add-identifier Shop 972550000005 --rate 80/s")]
pub(super) struct Channel {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "one in a process, and clap has no boxed arguments")]
enum Action {
    /// List the channels with their switches
    List,
    /// Show a channel
    Show {
        /// Its id, its name or one of its identifiers
        channel: String,
    },
    Create(create::Create),
    /// Ask its provider whether messages could be sent: token, numbers, templates, webhook
    #[command(after_help = "Sends no message and changes nothing. Exit code 1 if something is wrong.")]
    Check {
        /// Its id, its name or one of its identifiers
        channel: String,
    },
    /// Let messages go out
    Enable {
        /// Its id, its name or one of its identifiers
        channel: String,
    },
    /// Let nothing go out; what is queued waits, new messages are refused
    Disable {
        /// Its id, its name or one of its identifiers
        channel: String,
    },
    /// Allow or refuse messages that open no ticket
    NonTicket {
        /// Its id, its name or one of its identifiers
        channel: String,
        /// Allowed, or refused
        switch: Switch,
    },
    /// Add an identifier, with a lane of its own
    AddIdentifier {
        /// Its id, its name or one of its identifiers
        channel: String,
        /// A phone number with its country code; for SMS also a short code or a sender name; for Apple the business id
        identifier: String,
        /// For people
        #[arg(long)]
        name: Option<String>,
        /// How fast it sends, such as 80/s or 500/m,burst=50 [default: the configured rate of the protocol]
        #[arg(long)]
        rate: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl Channel {
    pub(super) fn run(self, global: &Global, output: &Output) -> Result<(), Failure> {
        block_on(async {
            let api = self.remote.connect(global)?;
            let changed = match self.action {
                Action::List => {
                    let page = api.list("/api/v2/channels", usize::MAX).await?;
                    return Ok(output.answer(&page, listed)?);
                }
                Action::Create(create) => {
                    let (mut made, verify_token) = create.run(&api).await?;
                    let Some(verify_token) = verify_token else { return Ok(output.answer(&made, told)?) };
                    // Kept sealed from here on, and needed once more: at Meta.
                    made["verifyToken"] = verify_token.as_str().into();
                    let told = |made: &Value| told(made) + &whatsapp::next_steps(made, &verify_token);
                    return Ok(output.answer(&made, told)?);
                }
                Action::Check { channel } => {
                    let id = show::text(&pick(&api, &channel).await?["id"]);
                    let found: Value = api.post(&format!("/api/v2/channels/{}/check", segment(&id)), &()).await?;
                    output.answer(&found, checked)?;
                    let wrong = || Failure::new(Kind::Failed, "Not everything is as it must be.", "");
                    return if found["ok"] == true { Ok(()) } else { Err(wrong()) };
                }
                Action::Show { channel } => pick(&api, &channel).await?,
                Action::Enable { channel } => patch(&api, &channel, json!({"active": true})).await?,
                Action::Disable { channel } => patch(&api, &channel, json!({"active": false})).await?,
                Action::NonTicket { channel, switch } => {
                    patch(&api, &channel, json!({"nonTicketMessages": switch == Switch::On})).await?
                }
                Action::AddIdentifier { channel, identifier, name, rate } => {
                    let id = show::text(&pick(&api, &channel).await?["id"]);
                    let body = json!({"identifier": identifier, "name": name, "rate": rate});
                    let path = format!("/api/v2/channels/{}", segment(&id));
                    let _lane: Value = api.post(&format!("{path}/identifiers"), &body).await?;
                    api.get(&path).await?
                }
            };
            Ok(output.answer(&changed, told)?)
        })
    }
}

async fn patch(api: &Api, channel: &str, change: Value) -> Result<Value, Failure> {
    let id = show::text(&pick(api, channel).await?["id"]);
    api.patch(&format!("/api/v2/channels/{}", segment(&id)), &change).await
}

/// The channel that a person means.
pub(super) async fn pick(api: &Api, named: &str) -> Result<Value, Failure> {
    if uuid::Uuid::try_parse(named).is_ok() {
        return api.get(&format!("/api/v2/channels/{}", segment(named))).await;
    }
    choose(&api.list("/api/v2/channels", usize::MAX).await?, named)
}

fn choose(page: &Value, named: &str) -> Result<Value, Failure> {
    let by_name = |channel: &&Value| channel["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(named));
    let by_identifier = |channel: &&Value| {
        let protocol: Option<Protocol> = channel["protocol"].as_str().and_then(|text| text.parse().ok());
        // As a lane is named, too.
        let plain = named.split_once(':').filter(|(p, _)| p.parse::<Protocol>().ok() == protocol);
        let wanted = plain.map_or(named, |(_, identifier)| identifier);
        let wanted = protocol.and_then(|protocol| identifier::parse_own(protocol, wanted).ok());
        let own = channel["identifiers"].as_array().into_iter().flatten();
        wanted.is_some() && own.map(|own| own["identifier"].as_str()).any(|own| own == wanted.as_deref())
    };
    let mut found: Vec<_> = show::items(page).filter(by_name).collect();
    if found.is_empty() {
        found = show::items(page).filter(by_identifier).collect();
    }
    match found[..] {
        [one] => Ok(one.clone()),
        [] => Err(Failure::new(
            Kind::Usage,
            format!("No channel of the department is called {named} or has this identifier."),
            "`herald channel list` shows those there are.",
        )),
        _ => Err(Failure::new(
            Kind::Usage,
            format!("{} channels answer to {named}.", found.len()),
            "Name one by its id, or by protocol and identifier, as WhatsApp:972550000001.",
        )),
    }
}

fn identifiers(channel: &Value) -> Vec<String> {
    let own = channel["identifiers"].as_array().into_iter().flatten();
    own.map(|own| show::text(&own["identifier"])).collect()
}

fn switch(value: &Value) -> String {
    if value == true { "on".to_owned() } else { "off".to_owned() }
}

fn listed(page: &Value) -> String {
    let rows = show::items(page).map(|channel| {
        [
            show::text(&channel["id"]),
            show::text(&channel["name"]),
            show::text(&channel["protocol"]),
            show::text(&channel["provider"]),
            switch(&channel["active"]),
            switch(&channel["nonTicketMessages"]),
            identifiers(channel).join(", "),
        ]
    });
    output::table(["id", "name", "protocol", "provider", "active", "non-ticket", "identifiers"], rows)
}

fn checked(found: &Value) -> String {
    let lines = found["checks"].as_array().into_iter().flatten().map(|line| {
        let ok = if line["ok"] == true { "ok" } else { "WRONG" };
        [ok.to_owned(), show::text(&line["what"]), show::text(&line["said"])]
    });
    let table = output::table(["", "what", "found"], lines);
    format!("{table}\n\nThe provider calls {} with its news.", show::text(&found["callbackUrl"]))
}

fn told(channel: &Value) -> String {
    let own = channel["identifiers"].as_array().into_iter().flatten().map(|own| {
        let rate = own["rate"].as_str().unwrap_or("default rate");
        let name = own["name"].as_str().filter(|name| !name.is_empty()).map(|name| format!("  {name}"));
        format!("{}  {rate}{}", show::text(&own["identifier"]), name.unwrap_or_default())
    });
    let own: Vec<_> = own.collect();
    show::fields([
        ("id", show::text(&channel["id"])),
        ("name", show::text(&channel["name"])),
        ("protocol", show::text(&channel["protocol"])),
        ("provider", show::text(&channel["provider"])),
        ("active", switch(&channel["active"])),
        ("non-ticket", switch(&channel["nonTicketMessages"])),
        ("credentials", if channel["hasCredentials"] == true { "kept sealed".to_owned() } else { "none".to_owned() }),
        ("settings", channel["settings"].to_string()),
        ("callback", show::text(&channel["callbackUrl"])),
        ("identifiers", own.join("\n")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_named_as_people_name_it() {
        let channel = |id: &str, name: &str, protocol: &str, own: &str| json!({"id": id, "name": name, "protocol": protocol, "identifiers": [{"identifier": own}]});
        let page = json!({"items": [
            channel("1", "Shop", "WhatsApp", "972550000001"),
            channel("2", "Texts", "SMS", "972550000001"),
            channel("3", "Shop 2", "SMS", "ACME"),
        ]});
        let found = |named: &str| choose(&page, named).map(|channel| show::text(&channel["id"])).ok();
        assert_eq!(found("shop").as_deref(), Some("1"));
        assert_eq!(found("ACME").as_deref(), Some("3"));
        assert_eq!(found("SMS:+972 55 000 0001").as_deref(), Some("2"));
        assert_eq!(found("972550000001"), None, "two channels have it");
        assert_eq!(found("972550000009"), None);
    }
}
