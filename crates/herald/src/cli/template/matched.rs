//! `herald template match`: which template a text is, and everything else that a send would decide.

use super::super::{
    Failure, Kind, Output,
    http::Api,
    send::{previewed, wish::Wish},
    show,
};
use clap::Args;
use serde_json::{Value, json};

/// Say which template a text is, with its values, and whether it would be sent; nothing is sent
#[derive(Debug, Args)]
pub(super) struct Match {
    /// The customer
    #[arg(long, value_name = "CUSTOMER")]
    to: String,
    /// One of the channel's identifiers [default: the only one it has]
    #[arg(long, value_name = "IDENTIFIER")]
    from: Option<String>,
    /// The text, as it would be sent
    text: String,
    /// The link of a file, for a header or beside the text; may be repeated
    #[arg(long = "file", value_name = "URL")]
    files: Vec<String>,
    #[command(flatten)]
    wish: Wish,
}

impl Match {
    pub(super) async fn run(self, api: &Api, output: &Output, channel: &Value) -> Result<(), Failure> {
        let from = match self.from {
            Some(from) => from,
            None => only_identifier(channel)?,
        };
        let mut body = json!({
            "protocolType": "WhatsApp", "from": from, "to": self.to, "text": self.text, "files": self.files,
        });
        self.wish.add_to(&mut body);
        let preview: Value = api.post("/api/v2/messages/preview", &body).await?;
        output.answer(&preview, previewed)?;
        let problem = &preview["problem"];
        if problem.is_null() {
            return Ok(());
        }
        // The answer has said why.
        let mut failure = Failure::new(Kind::Failed, "It would not be sent.", "");
        failure.code = show::text(&problem["code"]);
        Err(failure)
    }
}

fn only_identifier(channel: &Value) -> Result<String, Failure> {
    match channel["identifiers"].as_array().map(Vec::as_slice) {
        Some([only]) => Ok(show::text(&only["identifier"])),
        own => Err(Failure::new(
            Kind::Usage,
            format!("The channel has {} identifiers.", own.map_or(0, <[Value]>::len)),
            "Say which with --from; `herald channel show` lists them.",
        )),
    }
}
