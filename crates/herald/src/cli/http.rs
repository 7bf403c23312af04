//! How commands speak with a running Herald: over its API, like everybody else.

use super::{Failure, Global, Kind, profile};
use crate::config;
use herald_channels::http::{Address, Answer, Call, CallError, Client, Limits};
use http::{HeaderValue, Method};
use serde::{Serialize, de::DeserializeOwned};
use std::{fs, path::Path, time::Duration};

/// Long enough for a slow disk and a long list; a command that hangs for longer is better ended.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The largest answer: a page of 1,000 messages with their texts.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// Which Herald, and as whom. Without these: the one on this host, as its administrator, if its data folder can be
/// read; else the profile "default".
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Which Herald")]
pub(super) struct Remote {
    /// Where Herald is [default: the one whose data folder is on this host]
    #[arg(long, value_name = "URL", env = "HERALD_URL")]
    url: Option<String>,
    /// A bearer token [default: admin.token from the data folder, sent to this host only]
    #[arg(long, value_name = "TOKEN", env = "HERALD_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Take URL and token from ~/.config/herald/profiles.toml
    #[arg(long, value_name = "NAME", env = "HERALD_PROFILE")]
    profile: Option<String>,
}

/// A connection to the API.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    base: String,
    authorization: Option<HeaderValue>,
}

/// Where to and as whom, decided.
#[derive(Debug, PartialEq)]
struct Target {
    url: String,
    token: Option<String>,
}

impl Remote {
    /// Decides which Herald and as whom; makes no call yet.
    pub(super) fn connect(&self, global: &Global) -> Result<Api, Failure> {
        let settings = config::load(&global.sources([]));
        let local = settings.as_ref().ok().and_then(|loaded| local(&loaded.config.data));
        let target = self.target(&profile::path(), local)?.ok_or_else(|| match settings {
            // Settings only matter where nothing else says where Herald is.
            Err(error) => error.into(),
            Ok(loaded) => Failure::new(
                Kind::Unreachable,
                format!("No Herald has been started with the data folder {}.", loaded.config.data.folder.display()),
                "Start one with `herald serve`, or say where it is with --url, --profile, or --set data.folder=FOLDER.",
            ),
        })?;
        Api::new(target)
    }

    fn target(&self, profiles: &Path, local: Option<Target>) -> Result<Option<Target>, Failure> {
        let named = self.profile.as_deref().map(|name| profile::read(profiles, name)).transpose()?;
        let given = |url: String| Target { url: url.trim_end_matches('/').to_owned(), token: self.token.clone() };
        let chosen = match (&self.url, named, local) {
            (Some(url), Some(profile), _) if same(url, &profile.url) => Some((given(url.clone()), profile.token)),
            // The administrator's token goes to the Herald that wrote it and to nobody else.
            (Some(url), None, Some(local)) if same(url, &local.url) => Some((given(url.clone()), local.token)),
            (Some(url), ..) => Some((given(url.clone()), None)),
            (None, Some(profile), _) => Some((given(profile.url), profile.token)),
            (None, None, Some(local)) => Some((given(local.url), local.token)),
            (None, None, None) => {
                profile::find(profiles, "default")?.map(|profile| (given(profile.url), profile.token))
            }
        };
        Ok(chosen.map(|(target, token)| Target { token: target.token.or(token), ..target }))
    }
}

fn same(a: &str, b: &str) -> bool {
    a.trim_end_matches('/') == b.trim_end_matches('/')
}

/// The Herald of a data folder on this host: the address and the token that it wrote there.
fn local(data: &config::Data) -> Option<Target> {
    let url = fs::read_to_string(data.folder.join("public.address")).ok()?.trim().to_owned();
    // "All addresses" is nowhere to connect to.
    let url = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
    let token = fs::read_to_string(data.admin_token_path()).ok().map(|token| token.trim().to_owned());
    Some(Target { url, token })
}

impl Api {
    fn new(target: Target) -> Result<Self, Failure> {
        let limits = Limits { body: LARGEST_ANSWER, ..Limits::default() };
        let client = Client::new(limits).map_err(|error| Failure::new(Kind::Failed, format!("{error}."), ""))?;
        let authorization = target.token.map(|token| bearer(&token)).transpose()?;
        Ok(Self { client, base: target.url, authorization })
    }

    /// A connection that is known already, as the demo's own.
    pub(super) fn to(url: &str, token: Option<&str>) -> Result<Self, Failure> {
        Self::new(Target { url: url.trim_end_matches('/').to_owned(), token: token.map(str::to_owned) })
    }

    /// Where it leads.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// GET `path`, which begins with a slash.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Method::GET, path, None::<&()>).await
    }

    /// POST `body` to `path`.
    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// PATCH `path` with `body`.
    pub(super) async fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// DELETE `path`.
    pub(super) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Method::DELETE, path, None::<&()>).await
    }

    /// Any call. An answer without a body is read as `null`.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, Failure> {
        let address = Address::parse(&format!("{}{path}", self.base)).map_err(|problem| {
            Failure::new(Kind::Usage, format!("{}: {problem}.", self.base), "Check --url or the profile.")
        })?;
        let json = body.map(serde_json::to_vec).transpose().map_err(anyhow::Error::from)?;
        let call =
            Call { method, address: &address, authorization: self.authorization.as_ref(), json, timeout: TIMEOUT };
        let answer = self.client.call(call).await.map_err(|error| unreachable(&self.base, &error))?;
        if !answer.status.is_success() {
            return Err(refusal(&answer, self.authorization.is_some()));
        }
        let body: &[u8] = if answer.body.is_empty() { b"null" } else { &answer.body };
        serde_json::from_slice(body).map_err(|error| {
            let sentence =
                format!("The answer of {} is not what this version of herald understands: {error}.", self.base);
            Failure::new(
                Kind::Failed,
                sentence,
                "Check that --url names a Herald, of the same version as this program.",
            )
        })
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
        Failure::new(Kind::Usage, "The token holds characters that no token has.", "Check --token or the profile.")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn unreachable(base: &str, error: &CallError) -> Failure {
    match error {
        CallError::NotSent(cause) => Failure::new(
            Kind::Unreachable,
            format!("Herald cannot be reached at {base}: {cause}."),
            "Is it running? `herald doctor` looks at this host; --url or --profile choose another.",
        ),
        // The request may have been carried out: a script must not take this for "nothing happened".
        other => Failure::new(
            Kind::Failed,
            format!("Herald at {base} was asked, but its answer did not arrive: {other}."),
            "What was asked may have been done. Look before you repeat it.",
        ),
    }
}

/// The sentence of a problem document, whatever of it is there.
fn refusal(answer: &Answer, with_token: bool) -> Failure {
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let field = |names: &[&str]| names.iter().find_map(|name| problem[name].as_str()).filter(|text| !text.is_empty());
    let sentence = match field(&["message", "detail", "title"]) {
        Some(sentence) => sentence.to_owned(),
        None => format!("Herald answered {}.", answer.status),
    };
    let way_out = match (field(&["wayOut", "way_out", "hint"]), answer.status.as_u16()) {
        (Some(way_out), _) => way_out.to_owned(),
        (None, 401) if !with_token => "Give a token with --token, HERALD_TOKEN or --profile.".to_owned(),
        (None, 429) => match answer.retry_after() {
            Some(wait) => format!("Try again in {} s.", wait.as_secs()),
            None => String::new(),
        },
        _ => String::new(),
    };
    let kind = if answer.status.is_client_error() { Kind::Refused } else { Kind::Failed };
    let mut failure = Failure::new(kind, sentence, way_out);
    if let Some(code) = field(&["code"]) {
        failure.code = code.to_owned();
    }
    failure
}

#[cfg(test)]
mod tests;
