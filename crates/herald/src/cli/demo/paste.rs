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
fn each(stage: &Stage) -> Vec<(&'static str, String)> {
    let Stage { url, api_key, api_secret, folder, first, .. } = stage;
    let herald = herald();
    let first = first.as_deref().unwrap_or("PROVIDER_MESSAGE_ID");
    let login = format!(r#"{{"apiKey":"{api_key}","apiSecret":"{api_secret}","userName":"{USER}"}}"#);
    let message = r#"{"protocolType":"WhatsApp","from":"972550000001","to":"972550100001","text":"Hello from curl"}"#;
    vec![
        (
            "a token; it holds 3 hours",
            format!(
                "TOKEN=$(curl -s {url}/api/v1.2/token/get -H 'Content-Type: application/json' \\\n  \
                 -d '{login}' \\\n  | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')"
            ),
        ),
        (
            "a message; what becomes of it is shown here",
            format!(
                "curl -s {url}/api/v1.2/protocols/send -H \"Authorization: Bearer $TOKEN\" \\\n  \
                 -H 'Content-Type: application/json' \\\n  -d '{message}'; echo"
            ),
        ),
        (
            "the story of the first message above",
            format!("curl -s {url}/api/v2/messages/{first} -H \"Authorization: Bearer $TOKEN\"; echo"),
        ),
        (
            "the newest messages",
            format!("curl -s '{url}/api/v2/messages?limit=3' -H \"Authorization: Bearer $TOKEN\"; echo"),
        ),
        (
            "the same with the command line",
            format!(
                "export HERALD_DATA__FOLDER={}\n{herald} send --protocol SMS --to 972550100001 --text 'Hello' --follow\n\
                 {herald} messages list\n{herald} lane list",
                quoted(&folder.display().to_string())
            ),
        ),
    ]
}

/// This program, as a shell in the same folder finds it.
fn herald() -> String {
    let Ok(path) = std::env::current_exe() else { return "herald".to_owned() };
    let searched = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&searched).any(|folder| folder.join("herald") == path) {
        return "herald".to_owned();
    }
    let here = std::env::current_dir().ok();
    match here.and_then(|here| path.strip_prefix(here).ok().map(|path| path.display().to_string())) {
        Some(beside) => quoted(&format!("./{beside}")),
        None => quoted(&path.display().to_string()),
    }
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
