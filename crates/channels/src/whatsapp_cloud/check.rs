//! A live test of a channel's settings and credentials, for those who set it up. Sends no message.

use super::{
    WhatsappCloud,
    report::{self, condition},
};
use crate::contract::CheckLine;
use herald_rules::reason::Cause;
use serde_json::{Value, json};

/// What was looked at, and what came of it.
fn line(what: impl Into<String>, result: Result<String, Cause>) -> CheckLine {
    match result {
        Ok(said) => CheckLine::good(what, said),
        Err(cause) => CheckLine::wrong(what, sentence(&cause)),
    }
}

impl WhatsappCloud {
    /// Looks at the token, each number, the templates, and whether Meta sends us its news.
    pub async fn check(&self) -> Vec<CheckLine> {
        let (graph, waba) = (&self.inner.graph, self.inner.ours.waba_id.as_str());
        let account = graph.get(&[waba], &[("fields", "id,name")]).await;
        let account = account.map(|said| said.get("name").and_then(Value::as_str).unwrap_or("readable").to_owned());
        let mut lines = vec![line("token and account", account)];
        for (identifier, number) in &self.inner.numbers {
            let said = graph.get(&[&number.id], &[("fields", report::FIELDS)]).await;
            lines.push(number_line(identifier, said));
        }
        let templates = self.templates(None).await.map(|page| match (page.templates.len(), page.after) {
            (count, None) => format!("{count} templates"),
            (count, Some(_)) => format!("{count} templates and more"),
        });
        lines.push(line("templates", templates));
        lines.push(subscription(graph.get(&[waba, "subscribed_apps"], &[]).await));
        lines
    }

    /// A line for each of these identifiers of ours of which the settings do not say which number it is at Meta.
    pub fn unknown_numbers<'a>(&self, identifiers: impl IntoIterator<Item = &'a str>) -> Vec<CheckLine> {
        let unknown = identifiers.into_iter().filter(|identifier| !self.inner.numbers.contains_key(*identifier));
        let said = "settings.provider.phone_numbers does not name Meta's id of it: nothing can be sent from it";
        unknown.map(|identifier| CheckLine::wrong(format!("number {identifier}"), said)).collect()
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
        Err(cause) => return line(what, Err(cause)),
    };
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let displayed = said.get("display_phone_number").and_then(Value::as_str).unwrap_or_default();
    if !displayed.is_empty() && digits(displayed) != identifier {
        return CheckLine::wrong(what, format!("Meta's id in phone_numbers belongs to {displayed}"));
    }
    // Everything but CONNECTED (such as FLAGGED, PENDING, BANNED) needs somebody's eye.
    let ok = said.get("status").and_then(Value::as_str).is_none_or(|status| status == "CONNECTED");
    CheckLine { what, ok, said: condition(&said) }
}

fn subscription(said: Result<Value, Cause>) -> CheckLine {
    let what = "webhook subscription";
    let apps = said.map(|said| said.get("data").and_then(Value::as_array).map_or(0, Vec::len));
    match apps {
        Ok(0) => CheckLine::wrong(what, "no app is subscribed to the account"),
        apps => line(what, apps.map(|apps| format!("{apps} subscribed"))),
    }
}

fn sentence(cause: &Cause) -> String {
    let code = cause.provider_code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
    let text = cause.provider_text.as_deref().unwrap_or_default();
    let detail = cause.detail.as_deref().unwrap_or_default();
    let said = format!("{}{code} {text} {detail}", cause.reason.sentence());
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}
