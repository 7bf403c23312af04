//! A live test of a channel's settings and credentials, for those who set it up. Sends no message.

use super::{
    WhatsappCloud,
    report::{self, condition},
};
use herald_rules::reason::Cause;
use serde_json::{Value, json};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CheckLine {
    /// What was looked at.
    pub what: String,
    /// Whether it is as it must be.
    pub ok: bool,
    /// What was found.
    pub said: String,
}

impl CheckLine {
    fn new(what: impl Into<String>, result: Result<String, Cause>) -> Self {
        let (ok, said) = match result {
            Ok(said) => (true, said),
            Err(cause) => (false, sentence(&cause)),
        };
        Self { what: what.into(), ok, said }
    }
}

impl WhatsappCloud {
    /// Looks at the token, each number, the templates, and whether Meta sends us its news.
    pub async fn check(&self) -> Vec<CheckLine> {
        let (graph, waba) = (&self.inner.graph, self.inner.ours.waba_id.as_str());
        let account = graph.get(&[waba], &[("fields", "id,name")]).await;
        let account = account.map(|said| said.get("name").and_then(Value::as_str).unwrap_or("readable").to_owned());
        let mut lines = vec![CheckLine::new("token and account", account)];
        for (identifier, number) in &self.inner.numbers {
            let said = graph.get(&[&number.id], &[("fields", report::FIELDS)]).await;
            lines.push(number_line(identifier, said));
        }
        let templates = self.templates(None).await.map(|page| match (page.templates.len(), page.after) {
            (count, None) => format!("{count} templates"),
            (count, Some(_)) => format!("{count} templates and more"),
        });
        lines.push(CheckLine::new("templates", templates));
        lines.push(subscription(graph.get(&[waba, "subscribed_apps"], &[]).await));
        lines
    }

    /// Has Meta send this account's news to the app of our token.
    ///
    /// # Errors
    /// What Meta said.
    pub async fn subscribe_app(&self) -> Result<(), Cause> {
        self.inner.graph.post(&[&self.inner.ours.waba_id, "subscribed_apps"], &json!({})).await.map(|_| ())
    }
}

fn number_line(identifier: &str, said: Result<Value, Cause>) -> CheckLine {
    let what = format!("number {identifier}");
    let said = match said {
        Ok(said) => said,
        Err(cause) => return CheckLine::new(what, Err(cause)),
    };
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let displayed = said.get("display_phone_number").and_then(Value::as_str).unwrap_or_default();
    if !displayed.is_empty() && digits(displayed) != identifier {
        let said = format!("Meta's id in phone_numbers belongs to {displayed}");
        return CheckLine { what, ok: false, said };
    }
    // Everything but CONNECTED (such as FLAGGED, PENDING, BANNED) needs somebody's eye.
    let ok = said.get("status").and_then(Value::as_str).is_none_or(|status| status == "CONNECTED");
    CheckLine { what, ok, said: condition(&said) }
}

fn subscription(said: Result<Value, Cause>) -> CheckLine {
    let what = "webhook subscription";
    let apps = said.map(|said| said.get("data").and_then(Value::as_array).map_or(0, Vec::len));
    match apps {
        Ok(0) => CheckLine { what: what.to_owned(), ok: false, said: "no app is subscribed to the account".to_owned() },
        apps => CheckLine::new(what, apps.map(|apps| format!("{apps} subscribed"))),
    }
}

fn sentence(cause: &Cause) -> String {
    let code = cause.provider_code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
    let text = cause.provider_text.as_deref().unwrap_or_default();
    let detail = cause.detail.as_deref().unwrap_or_default();
    let said = format!("{}{code} {text} {detail}", cause.reason.sentence());
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}
