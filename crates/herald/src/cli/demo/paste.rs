//! Lines that can be pasted into another terminal as they stand.

use super::{
    heading,
    stage::{Stage, USER},
};

/// All of them, for people.
pub(super) fn lines(stage: &Stage) -> String {
    let mut text = heading("Try it, in another terminal:");
    for (what, line) in each(stage) {
        text.push_str(&format!("\n\n  # {what}\n  {}", line.replace('\n', "\n  ")));
    }
    text
}

/// Each with what it does. They are for a shell in which those before it were run.
pub(super) fn each(stage: &Stage) -> Vec<(&'static str, String)> {
    let Stage { url, api_key, api_secret, first, .. } = stage;
    let first = first.as_deref().unwrap_or("PROVIDER_MESSAGE_ID");
    let login = format!(r#"{{"apiKey":"{api_key}","apiSecret":"{api_secret}","userName":"{USER}"}}"#);
    let message = r#"{"protocolType":"WhatsApp","from":"972550000001","to":"972550100001","text":"Hello from curl"}"#;
    vec![
        ("where, and as whom: for the lines below, the guides in docs/guides, and the command herald", variables(stage)),
        (
            "a token; it holds 3 hours",
            format!(
                "export HERALD_TOKEN=$(curl -s {url}/api/v1.2/token/get -H 'Content-Type: application/json' \\\n  \
                 -d '{login}' \\\n  | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')"
            ),
        ),
        (
            "a message to Dana, who has written: any text will do; what becomes of it is shown here",
            format!(
                "curl -s {url}/api/v1.2/protocols/send -H \"Authorization: Bearer $HERALD_TOKEN\" \\\n  \
                 -H 'Content-Type: application/json' \\\n  -d '{message}'; echo"
            ),
        ),
        (
            "the story of the first message above",
            format!("curl -s {url}/api/v2/messages/{first} -H \"Authorization: Bearer $HERALD_TOKEN\"; echo"),
        ),
        (
            "the newest messages",
            format!("curl -s '{url}/api/v2/messages?limit=3' -H \"Authorization: Bearer $HERALD_TOKEN\"; echo"),
        ),
        (
            "the approved templates, and which of them a text is",
            "herald template list\nherald template match --to 972550100021 \"Hello Uri, we look forward to seeing you on Friday at 10:00. See you soon!\""
                .to_owned(),
        ),
        (
            "what customers wrote, and who they are",
            "herald messages list --direction inbound\nherald contact list".to_owned(),
        ),
        (
            "sending with the command line",
            "herald send --protocol SMS --to 972550100001 --text Hello --follow\nherald messages list\nherald lane list"
                .to_owned(),
        ),
    ]
}

fn variables(stage: &Stage) -> String {
    let Stage { url, api_key, api_secret, .. } = stage;
    let mut text = format!(
        "export HERALD_URL={url} HERALD_API_USER={USER} HERALD_DEMO_FILES={files} \\\n  HERALD_API_KEY={api_key} \\\n  HERALD_API_SECRET={api_secret}",
        files = stage.providers.website.url(),
    );
    if let Some(folder) = unknown_folder() {
        text.push_str(&format!("\nexport PATH={}:\"$PATH\"", quoted(&folder)));
    }
    text
}

/// Where this program is, if a shell would not find it.
fn unknown_folder() -> Option<String> {
    let path = std::env::current_exe().ok()?;
    let folder = path.parent()?;
    let searched = std::env::var_os("PATH").unwrap_or_default();
    let known = std::env::split_paths(&searched).any(|known| known == folder);
    (!known).then(|| folder.display().to_string())
}

/// As a shell reads it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn paths_survive_a_shell() {
        assert_eq!(quoted("/tmp/herald-demo-1.x"), "/tmp/herald-demo-1.x");
        assert_eq!(quoted("/a b/c'd"), r"'/a b/c'\''d'");
    }
}
