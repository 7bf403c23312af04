use super::*;
use std::{io::Write, time::Duration};

fn sources(environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Sources {
    Sources {
        environment: environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        flags: flags
            .iter()
            .map(|(key, value)| Flag { name: format!("--set {key}"), key: key.to_string(), value: value.to_string() })
            .collect(),
        ..Sources::default()
    }
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().prefix("herald").suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn problems(sources: &Sources) -> Vec<String> {
    load(sources).map(|_| ()).unwrap_err().0.iter().map(ToString::to_string).collect()
}

#[test]
fn the_default_file_holds_every_setting_and_warns_of_nothing() {
    let loaded = load(&Sources::default()).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    assert!(loaded.settings.iter().all(|setting| setting.origin == "default"));
    let config = Config::defaults();
    assert_eq!(config.webhooks.max_age, Duration::from_secs(3 * 24 * 3600));
    assert_eq!(config.limits.messages_per_minute.get(), 500);
    assert!(config.listen.tls().is_none());
    assert_eq!(config.store.sqlite_path(&config.data), Some("herald-data/herald.db".into()));
}

#[test]
fn later_layers_win_and_are_named() {
    let file = file("[limits]\nburst = 7\nbody_bytes = 9\n[lanes.default_rate]\nsms = \"1/s\"\n");
    let mut sources = sources(
        &[
            ("HERALD_LIMITS__BURST", "8"),
            ("HERALD_LANES__DEFAULT_RATE__APPLE", "2/s"),
            ("HOME", "/"),
            ("HERALD_PORT", "tcp://10.0.0.1:80"),
        ],
        &[("limits.burst", "9")],
    );
    sources.file = Some(file.path().to_owned());
    let loaded = load(&sources).unwrap();
    assert_eq!(loaded.config.limits.burst.get(), 9);
    assert_eq!(loaded.config.limits.body_bytes, 9);
    let rates = &loaded.config.lanes.default_rate;
    assert_eq!((rates.sms.to_string(), rates.apple.to_string()), ("1/s".to_owned(), "2/s".to_owned()));
    let origin = |key: &str| loaded.settings.iter().find(|setting| setting.key == key).unwrap().origin.clone();
    assert_eq!(origin("limits.burst"), "--set limits.burst");
    assert_eq!(origin("limits.body_bytes"), format!("{}, line 3", file.path().display()));
    assert_eq!(origin("lanes.default_rate.apple"), "environment variable HERALD_LANES__DEFAULT_RATE__APPLE");
    assert_eq!(origin("lanes.head"), "default");
}

#[test]
fn lists_and_texts_can_be_given_in_the_environment() {
    let key = "ab".repeat(32);
    let loaded = load(&sources(
        &[
            ("HERALD_WEBHOOKS__ALLOW_NETWORKS", "127.0.0.0/8, ::1"),
            ("HERALD_DATA__FOLDER", "2026"),
            ("HERALD_LISTEN__PUBLIC", "[::1]:0"),
            ("HERALD_MASTER_KEY", &key),
        ],
        &[],
    ))
    .unwrap();
    assert_eq!(loaded.config.webhooks.allow_networks.len(), 2);
    assert_eq!(loaded.config.data.folder.to_str(), Some("2026"));
    assert!(loaded.config.data.master_key.is_some());
    assert!(!format!("{loaded:?}").contains(&key));
}

#[test]
fn mistakes_name_their_place_and_a_way_out() {
    let file = file("[limits]\nburts = 7\n\n[lanes]\nhead = 0\n");
    let mut all = sources(&[("HERALD_EVENTS__VISIBILITY", "60")], &[("listen", "1"), ("log.format", "xml")]);
    all.file = Some(file.path().to_owned());
    let found = problems(&all);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("line 2: There is no setting limits.burts. Was limits.burst meant?"), "{}", found[0]);
    assert!(found[1].starts_with("--set listen: listen is a section, not a value. Its settings are listen.public,"));

    let found = problems(&sources(
        &[("HERALD_EVENTS__VISIBILITY", "60"), ("HERALD_MASTER_KEY", "hunter2")],
        &[("log.format", "xml"), ("lanes.head", "0"), ("limits.burst", "many"), ("webhooks.allow_networks", "nowhere")],
    ));
    let text = found.join("\n");
    assert_eq!(found.len(), 6, "{text}");
    assert!(text.contains("environment variable HERALD_EVENTS__VISIBILITY: events.visibility must be a duration"));
    assert!(text.contains("--set log.format: log.format must be one of text, json, and is \"xml\"."), "{text}");
    assert!(text.contains("lanes.head must be a whole number above 0, and is 0."), "{text}");
    assert!(text.contains("limits.burst must be a whole number above 0, and is \"many\"."), "{text}");
    assert!(text.contains("--set webhooks.allow_networks"), "{text}");
    assert!(!text.contains("hunter2"));
}

#[test]
fn a_broken_file_shows_its_line_but_not_its_text() {
    let file = file("[data]\nmaster_key = \"hunter2\n");
    let found = problems(&Sources { file: Some(file.path().to_owned()), ..Sources::default() });
    assert!(found[0].contains("line 2: This is not TOML:"), "{found:?}");
    assert!(!found[0].contains("hunter2"));
    let found = problems(&Sources { file: Some("/nowhere/herald.toml".into()), ..Sources::default() });
    assert!(found[0].starts_with("/nowhere/herald.toml: The file cannot be read"), "{found:?}");
}

#[test]
fn settings_that_contradict_are_refused_and_odd_ones_warned_of() {
    let found = problems(&sources(&[], &[("listen.tls_key", "key.pem"), ("store.url", "mysql://me:pw@db/herald")]));
    assert_eq!(found.len(), 2);
    assert!(found[0].starts_with("--set listen.tls_key: listen.tls_key is set and listen.tls_certificate is not."));
    assert!(!found[1].contains("pw@"));
    assert_eq!(problems(&sources(&[], &[("log.filter", "info,herald=loud")])).len(), 1);

    let loaded = load(&sources(
        &[("HERALD_LISTEN_PUBLIC", "x")],
        &[
            ("listen.public", "0.0.0.0:8080"),
            ("log.show_personal_data", "true"),
            ("webhooks.allow_networks", "0.0.0.0/0"),
        ],
    ))
    .unwrap();
    assert_eq!(loaded.warnings.len(), 4, "{:#?}", loaded.warnings);
    assert!(loaded.warnings[0].contains("HERALD_LISTEN__PUBLIC"));
}

#[test]
fn the_base_url_follows_the_address() {
    let mut listen = Config::defaults().listen;
    assert_eq!(listen.base_url("0.0.0.0:81".parse().unwrap()), "http://127.0.0.1:81");
    assert_eq!(listen.base_url("[::1]:81".parse().unwrap()), "http://[::1]:81");
    listen.public_url = Some("https://herald.example.com".to_owned());
    assert_eq!(listen.base_url("0.0.0.0:81".parse().unwrap()), "https://herald.example.com");
}
