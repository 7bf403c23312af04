//! Settings that do not go together.

use super::{Config, Problem};
use tracing_subscriber::EnvFilter;

/// What cannot work; `origin` says where a setting came from.
pub(super) fn contradictions(config: &Config, origin: impl Fn(&str) -> String) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |key: &str, sentence: String, way_out: &str| {
        problems.push(Problem { place: origin(key), sentence, way_out: way_out.to_owned() });
    };
    let listen = &config.listen;
    if listen.tls_certificate.is_some() != listen.tls_key.is_some() {
        let (given, missing) =
            if listen.tls_key.is_none() { ("tls_certificate", "tls_key") } else { ("tls_key", "tls_certificate") };
        problem(
            &format!("listen.{given}"),
            format!("listen.{given} is set and listen.{missing} is not."),
            "TLS needs both: set the other one too, or neither.",
        );
    }
    if listen.public == listen.internal && listen.public.port() != 0 {
        problem(
            "listen.internal",
            format!("listen.public and listen.internal are both {}.", listen.public),
            "Give the internal listener a port of its own.",
        );
    }
    if !config.store.is_postgres() && config.store.url.as_deref().is_some_and(|url| !url.starts_with("sqlite:")) {
        // The URL is not in the sentence: it may hold a password.
        problem(
            "store.url",
            "store.url begins neither with \"sqlite:\" nor with \"postgres:\".".to_owned(),
            "Write \"sqlite:\" and a path, or \"postgres://user:password@host/database\", or leave it empty for a file in the data folder.",
        );
    }
    if let Err(error) = EnvFilter::builder().parse(&config.log.filter) {
        problem(
            "log.filter",
            format!("log.filter cannot be read: {error}."),
            "Write a level like \"info\", or levels by part like \"info,herald::dispatch=debug\".",
        );
    }
    problems
}

/// What works but is probably not meant.
pub(super) fn of(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |holds: bool, sentence: &str| {
        if holds {
            warnings.push(sentence.to_owned());
        }
    };
    let (listen, webhooks) = (&config.listen, &config.webhooks);
    warn(
        !listen.public.ip().is_loopback() && listen.tls_certificate.is_none(),
        "listen.public can be reached from other machines and speaks without TLS: tokens and texts can be read on the way. Set listen.tls_certificate and listen.tls_key, or put a proxy that speaks TLS in front and listen on 127.0.0.1.",
    );
    warn(
        !listen.internal.ip().is_loopback(),
        "listen.internal can be reached from other machines and asks for no token. Make sure that only your monitoring reaches it.",
    );
    warn(
        config.log.show_personal_data,
        "log.show_personal_data is on: message texts and full numbers are written into the log.",
    );
    warn(
        webhooks.allow_networks.iter().any(|network| network.prefix_len() == 0),
        "webhooks.allow_networks allows every address: anyone who may create a subscription can make Herald call into your network.",
    );
    warn(
        webhooks.retry_timeout > webhooks.first_timeout,
        "webhooks.retry_timeout is longer than webhooks.first_timeout: an endpoint that hangs is waited for longer each time.",
    );
    warn(
        config.retention.messages < webhooks.max_age,
        "retention.messages is shorter than webhooks.max_age: messages are deleted while their events are still being delivered.",
    );
    warn(
        config.events.visibility > config.events.polling_keep,
        "events.visibility is longer than events.polling_keep: an event that was read once is deleted before it is shown again.",
    );
    warnings
}
