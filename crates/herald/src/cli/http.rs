//! How commands speak with a running Herald: over its API, like everybody else.

use super::{Failure, Global, Kind, profile, show::text};
use crate::{api::rights::DEPARTMENT, config};
use herald_channels::http::{Answer, CallError, Client, Limits};
use http::{HeaderName, HeaderValue, Method, header};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{fs, path::Path, time::Duration};
use tokio::sync::OnceCell;

/// Long enough for a slow disk and a long list; a command that hangs for longer is better ended.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The largest answer: a page of 1,000 messages with their texts.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;
/// The most items that the API puts on a page.
const LARGEST_PAGE: usize = 500;

/// Which Herald, and as whom. Without these: the one on this host, as its administrator, if its data folder can be
/// read; else the profile "default".
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Which Herald")]
pub(super) struct Remote {
    // With ids of their own: clap takes an argument of a command that has the same id for this one.
    /// Where Herald is [default: the one whose data folder is on this host]
    #[arg(id = "herald_url", long = "url", global = true, value_name = "URL", env = "HERALD_URL")]
    url: Option<String>,
    /// A bearer token [default: admin.token from the data folder, sent to this host only]
    #[arg(
        id = "herald_token",
        long = "token",
        global = true,
        value_name = "TOKEN",
        env = "HERALD_TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
    /// Take URL and token from ~/.config/herald/profiles.toml
    #[arg(id = "herald_profile", long = "profile", global = true, value_name = "NAME", env = "HERALD_PROFILE")]
    profile: Option<String>,
    /// For which department the administrator acts, by id or name [default: the only one there is]
    #[arg(
        id = "herald_department",
        long = "department",
        global = true,
        value_name = "DEPARTMENT",
        env = "HERALD_DEPARTMENT"
    )]
    department: Option<String>,
}

/// A connection to the API.
#[derive(Clone, Debug)]
pub(super) struct Api {
    client: Client,
    base: String,
    authorization: Option<HeaderValue>,
    wanted: Option<String>,
    /// Found out when it is first needed: a department's own token needs none.
    department: OnceCell<HeaderValue>,
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
        Ok(Api { wanted: self.department.clone(), ..Api::new(target)? })
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
        Ok(Self { client, base: target.url, authorization, wanted: None, department: OnceCell::new() })
    }

    /// A connection that is known already, as the demo's own.
    pub(super) fn to(url: &str, token: Option<&str>) -> Result<Self, Failure> {
        Self::new(Target { url: url.trim_end_matches('/').to_owned(), token: token.map(str::to_owned) })
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
        self.call_with(method, path, body, &[]).await
    }

    /// The same with further headers.
    pub(super) async fn call_with<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<T, Failure> {
        let json = body.map(serde_json::to_vec).transpose().map_err(anyhow::Error::from)?;
        if let Some(wanted) = &self.wanted {
            self.department.get_or_try_init(|| self.find_department(Some(wanted))).await?;
        }
        let mut answer = self.ask(&method, path, json.as_deref(), headers).await?;
        // Refused, so nothing was done and it can be asked again.
        if self.wanted.is_none() && problem(&answer)["code"] == "department_required" {
            self.department.get_or_try_init(|| self.find_department(None)).await?;
            answer = self.ask(&method, path, json.as_deref(), headers).await?;
        }
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

    /// A list, page by page, up to `most` items: `{items, nextCursor}` as if it were one page.
    pub(super) async fn list(&self, path: &str, most: usize) -> Result<Value, Failure> {
        let (mut items, mut cursor) = (Vec::new(), None);
        loop {
            let limit = Some((most - items.len()).min(LARGEST_PAGE).to_string());
            let more = query([("limit", limit), ("cursor", cursor)]);
            let joint = if path.contains('?') { more.replacen('?', "&", 1) } else { more };
            let mut page: Value = self.get(&format!("{path}{joint}")).await?;
            if let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) {
                items.extend(found);
            }
            cursor = page["nextCursor"].as_str().map(str::to_owned);
            if cursor.is_none() || items.len() >= most {
                return Ok(json!({"items": items, "nextCursor": cursor}));
            }
        }
    }

    /// The id of a department, by itself or by the department's name.
    pub(super) async fn department_id(&self, named: &str) -> Result<String, Failure> {
        let id = self.find_department(Some(&named.to_owned())).await?;
        Ok(id.to_str().unwrap_or_default().to_owned())
    }

    async fn ask(
        &self,
        method: &Method,
        path: &str,
        json: Option<&[u8]>,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<Answer, Failure> {
        let url = reqwest::Url::parse(&format!("{}{path}", self.base)).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()).ok_or_else(|| {
            let sentence = format!("{} is not an address: it must begin with http:// or https://.", self.base);
            Failure::new(Kind::Usage, sentence, "Check --url or the profile.")
        })?;
        let mut request = reqwest::Request::new(method.clone(), url);
        *request.timeout_mut() = Some(TIMEOUT);
        let all = request.headers_mut();
        all.extend(headers.iter().cloned());
        if let Some(authorization) = &self.authorization {
            all.insert(header::AUTHORIZATION, authorization.clone());
        }
        if let Some(department) = self.department.get() {
            all.insert(DEPARTMENT, department.clone());
        }
        if let Some(json) = json {
            all.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(json.to_vec().into());
        }
        self.client.execute(request).await.map_err(|error| unreachable(&self.base, &error))
    }

    /// The administrator's department: the one of this id or name, or the only one.
    async fn find_department(&self, wanted: Option<&String>) -> Result<HeaderValue, Failure> {
        if let Some(id) = wanted.filter(|text| uuid::Uuid::try_parse(text).is_ok())
            && let Ok(id) = HeaderValue::from_str(id)
        {
            return Ok(id);
        }
        let answer = self.ask(&Method::GET, "/api/v2/departments?limit=500", None, &[]).await?;
        if !answer.status.is_success() {
            return Err(refusal(&answer, self.authorization.is_some()));
        }
        let list = problem(&answer);
        let all: Vec<_> = list["items"].as_array().into_iter().flatten().collect();
        let fits = |name: &Value| wanted.is_none_or(|wanted| name.as_str() == Some(wanted));
        let found: Vec<_> = all.iter().filter(|department| fits(&department["name"])).collect();
        match (&found[..], wanted) {
            ([one], _) => HeaderValue::from_str(one["id"].as_str().unwrap_or_default())
                .map_err(|error| anyhow::Error::from(error).into()),
            ([], Some(wanted)) => {
                let names: Vec<_> = all.iter().filter_map(|department| department["name"].as_str()).collect();
                let sentence = format!("There is no department {wanted}. There: {}.", names.join(", "));
                Err(Failure::new(Kind::Usage, sentence, ""))
            }
            ([], None) => Err(Failure::new(
                Kind::Usage,
                "There is no department yet.",
                "Make one: herald department create NAME --user EMAIL.",
            )),
            (several, _) => {
                let names = several.iter().map(|one| format!("{} ({})", text(&one["name"]), text(&one["id"])));
                let sentence = format!("For which department? There are {}.", names.collect::<Vec<_>>().join(", "));
                Err(Failure::new(Kind::Usage, sentence, "Say which with --department, or use a department's token."))
            }
        }
    }
}

/// `?a=b&c=d` of those that are given; nothing where none is.
pub(super) fn query<const N: usize>(pairs: [(&str, Option<String>); N]) -> String {
    let mut written = url::form_urlencoded::Serializer::new(String::new());
    let mut any = false;
    for (name, value) in pairs {
        if let Some(value) = value {
            written.append_pair(name, &value);
            any = true;
        }
    }
    if any { format!("?{}", written.finish()) } else { String::new() }
}

/// One part of a path: an id may hold whatever a person has typed.
pub(super) fn segment(text: &str) -> String {
    // The serializer is that of forms, where a space is a plus.
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Runs a command's calls.
pub(super) fn block_on<T>(calls: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(calls)
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
    let problem = problem(answer);
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
    failure.status = Some(answer.status.as_u16());
    failure
}

/// The body as JSON; null where it is none.
fn problem(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

#[cfg(test)]
mod tests;
