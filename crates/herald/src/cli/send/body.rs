//! The message that is sent or tried out, and what may be left out of it.

use super::{
    super::{Failure, Kind, http::Api, show},
    wish::Wish,
};
use clap::Args;
use herald_rules::{identifier, protocol::Protocol};
use serde_json::{Value, json};
use std::io::Read as _;

/// What a message is made of.
#[derive(Clone, Debug, Args)]
pub(in super::super) struct Body {
    /// The customer: a phone number with its country code, or an Apple id (urn:mbid:...)
    #[arg(long, value_name = "CUSTOMER")]
    to: String,
    /// One of the department's identifiers [default: the only one that fits]
    #[arg(long, value_name = "IDENTIFIER")]
    from: Option<String>,
    /// WhatsApp, SMS or AppleBusinessChat (or Apple) [default: that of --from]
    #[arg(long, value_parser = protocol)]
    protocol: Option<Protocol>,
    /// What to say; - reads it from stdin
    #[arg(long)]
    text: Option<String>,
    /// The link of a file that goes along; may be repeated
    #[arg(long = "file", value_name = "URL")]
    files: Vec<String>,
    /// JSON of yours, kept with the message and echoed in its events
    #[arg(long, value_name = "JSON", value_parser = metadata)]
    metadata: Option<Value>,
    /// Not before this moment (RFC 3339)
    #[arg(long, value_name = "TIME")]
    send_at: Option<String>,
    /// Not after this moment (RFC 3339)
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    /// transactional or bulk [default: transactional]
    #[arg(long, value_parser = ["transactional", "bulk"], ignore_case = true)]
    priority: Option<String>,
    #[command(flatten)]
    wish: Wish,
}

/// Reads a protocol; "Apple" does as well.
pub(in super::super) fn protocol(text: &str) -> Result<Protocol, String> {
    let text = if text.trim().eq_ignore_ascii_case("apple") { Protocol::AppleBusinessChat.as_str() } else { text };
    text.parse().map_err(|()| "it is WhatsApp, SMS or AppleBusinessChat".to_owned())
}

fn metadata(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}

impl Body {
    /// The body of the request, with sender and protocol found where they were left out.
    pub(in super::super) async fn json(self, api: &Api) -> Result<Value, Failure> {
        let (protocol, from) = match (self.protocol, &self.from) {
            (Some(protocol), Some(from)) => (protocol, from.clone()),
            _ => self.sender(&api.list("/api/v2/channels", usize::MAX).await?)?,
        };
        let text = match self.text {
            Some(dash) if dash == "-" => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text)?;
                // The line end that every editor adds is not meant.
                Some(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text))
            }
            text => text,
        };
        let mut body =
            json!({"protocolType": protocol, "from": from, "to": self.to, "text": text, "files": self.files});
        let rest = [
            ("metadata", self.metadata),
            ("sendAt", self.send_at.map(Value::from)),
            ("expiresAt", self.expires_at.map(Value::from)),
            ("priority", self.priority.map(|priority| priority.to_lowercase().into())),
        ];
        for (name, value) in rest {
            if let Some(value) = value {
                body[name] = value;
            }
        }
        self.wish.add_to(&mut body);
        Ok(body)
    }

    /// The one identifier that fits what was given.
    fn sender(&self, channels: &Value) -> Result<(Protocol, String), Failure> {
        let apple = self.to.trim().get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
        let mut fitting = Vec::new();
        for channel in show::items(channels) {
            let Ok(protocol) = protocol(&show::text(&channel["protocol"])) else { continue };
            let wanted = self.protocol.map_or((protocol == Protocol::AppleBusinessChat) == apple, |p| p == protocol);
            for own in channel["identifiers"].as_array().into_iter().flatten() {
                let own = show::text(&own["identifier"]);
                let named = self
                    .from
                    .as_ref()
                    .is_none_or(|from| identifier::parse_own(protocol, from).is_ok_and(|from| from == own));
                // One that sends nothing is no choice, unless it was named: then Herald says what is wrong with it.
                let on = channel["active"] == true && channel["nonTicketMessages"] == true;
                if wanted && named && (on || self.from.is_some()) {
                    fitting.push((protocol, own));
                }
            }
        }
        let several = fitting.len();
        match (fitting.pop(), several) {
            (Some(only), 1) => Ok(only),
            (None, _) => Err(Failure::new(
                Kind::Usage,
                "No identifier of the department fits.",
                "`herald channel list` shows those there are. A channel must have non-ticket messages on.",
            )),
            (Some(_), several) => Err(Failure::new(
                Kind::Usage,
                format!("{several} identifiers of the department fit."),
                "Say which with --from and --protocol; `herald channel list` shows them.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(to: &str, from: Option<&str>, protocol: Option<Protocol>) -> Body {
        Body {
            to: to.into(),
            from: from.map(str::to_owned),
            protocol,
            text: None,
            files: vec![],
            metadata: None,
            send_at: None,
            expires_at: None,
            priority: None,
            wish: Wish::default(),
        }
    }

    #[test]
    fn what_is_left_out_is_found_where_there_is_one_answer() {
        let channel = |protocol: &str, own: &str, on: bool| json!({"protocol": protocol, "active": true, "nonTicketMessages": on, "identifiers": [{"identifier": own}]});
        let channels = json!({"items": [
            channel("WhatsApp", "972550000001", true),
            channel("WhatsApp", "972550000004", false),
            channel("SMS", "972550000001", true),
            channel("AppleBusinessChat", "shop", true),
        ]});
        let found = |body: Body| body.sender(&channels).map_err(|failure| failure.sentence);
        let customer = "972550000003";
        assert_eq!(found(body("urn:mbid:A", None, None)), Ok((Protocol::AppleBusinessChat, "shop".into())));
        let whatsapp = Ok((Protocol::WhatsApp, "972550000001".into()));
        assert_eq!(found(body(customer, None, Some(Protocol::WhatsApp))), whatsapp);
        let off = Ok((Protocol::WhatsApp, "972550000004".into()));
        assert_eq!(found(body(customer, Some("+972 55 000 0004"), None)), off);
        assert!(found(body(customer, Some("972550000001"), None)).is_err_and(|told| told.starts_with("2 identifiers")));
        assert!(found(body(customer, Some("1"), None)).is_err());
    }
}
