use super::*;
use http::StatusCode;

fn remote(url: Option<&str>, token: Option<&str>, profile: Option<&str>) -> Remote {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Remote { url: owned(url), token: owned(token), profile: owned(profile), department: None }
}

fn target(url: &str, token: Option<&str>) -> Target {
    Target { url: url.to_owned(), token: token.map(str::to_owned) }
}

#[test]
fn the_administrators_token_goes_to_its_own_herald_only() {
    let folder = tempfile::tempdir().unwrap();
    let profiles = folder.path().join("profiles.toml");
    fs::write(
        &profiles,
        "[default]\nurl = \"https://d\"\ntoken = \"td\"\n[far]\nurl = \"https://far/\"\ntoken = \"tf\"\n",
    )
    .unwrap();
    let local = || Some(target("http://127.0.0.1:81", Some("admin")));
    let choose = |remote: Remote, local| remote.target(&profiles, local).unwrap().unwrap();

    assert_eq!(choose(remote(None, None, None), local()), target("http://127.0.0.1:81", Some("admin")));
    assert_eq!(
        choose(remote(Some("http://127.0.0.1:81/"), None, None), local()),
        target("http://127.0.0.1:81", Some("admin"))
    );
    assert_eq!(choose(remote(Some("https://other"), None, None), local()), target("https://other", None));
    assert_eq!(choose(remote(Some("https://other"), None, Some("far")), local()), target("https://other", None));
    assert_eq!(choose(remote(None, Some("mine"), None), local()), target("http://127.0.0.1:81", Some("mine")));
    assert_eq!(choose(remote(None, None, Some("far")), local()), target("https://far", Some("tf")));
    assert_eq!(choose(remote(None, None, None), None), target("https://d", Some("td")));

    let missing = remote(None, None, Some("nobody")).target(&profiles, None).unwrap_err();
    assert!(missing.sentence.contains("There: default, far."), "{missing}");
    assert_eq!(remote(None, None, None).target(&folder.path().join("none"), None).unwrap(), None);
}

#[test]
fn a_broken_profile_file_keeps_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let profiles = folder.path().join("profiles.toml");
    fs::write(&profiles, "[default]\nurl = \"https://d\"\ntoken = \"hunter2\n").unwrap();
    let failure = remote(None, None, None).target(&profiles, None).unwrap_err();
    assert_eq!(failure.kind, Kind::Usage);
    assert!(!failure.to_string().contains("hunter2"), "{failure}");
}

#[test]
fn refusals_are_told_in_heralds_own_words() {
    let answer = |status: u16, body: &str| Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: [(http::header::RETRY_AFTER, HeaderValue::from_static("7"))].into_iter().collect(),
        body: body.to_owned().into(),
    };
    let told = refusal(&answer(403, r#"{"code":"channel_inactive","message":"It is off.","title":"No"}"#), true);
    assert_eq!((told.kind, &*told.code, &*told.sentence), (Kind::Refused, "channel_inactive", "It is off."));
    let told = refusal(&answer(429, "<html>"), true);
    assert_eq!((told.kind, &*told.way_out), (Kind::Refused, "Try again in 7 s."));
    assert_eq!(refusal(&answer(503, ""), true).kind, Kind::Failed);
    assert!(refusal(&answer(401, ""), false).way_out.contains("--token"));
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let api = Api::to(&format!("http://{address}"), Some("token")).unwrap();
    let failure = api.get::<serde_json::Value>("/api/v2/channels").await.unwrap_err();
    assert_eq!(failure.kind, Kind::Unreachable, "{failure}");
    assert_eq!(Api::to("ftp://x", None).unwrap().get::<()>("/").await.unwrap_err().kind, Kind::Usage);
}

#[test]
fn addresses_are_written_as_they_must_be() {
    assert_eq!(query([("a", None), ("b", None)]), "");
    assert_eq!(query([("a", Some("x y&".into())), ("b", None), ("c", Some("1".into()))]), "?a=x+y%26&c=1");
    assert_eq!(segment("SMS:Acme 24/+"), "SMS%3AAcme%2024%2F%2B");
}
