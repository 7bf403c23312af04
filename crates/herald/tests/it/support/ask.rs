//! Requests, as a client makes them.

use herald_channels::http::{Client, Limits};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use std::time::Duration;

/// A client of one Herald, with or without a token.
#[derive(Clone, Debug)]
pub struct Ask {
    client: Client,
    base: String,
    headers: HeaderMap,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Null where the body is no JSON.
    pub body: Value,
}

impl Answer {
    /// The code of a refusal.
    #[track_caller]
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_else(|| panic!("no code in {self:?}"))
    }

    /// The body of a 2xx; anything else fails the test, and shows itself.
    #[track_caller]
    pub fn good(self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.body
    }
}

impl Ask {
    pub fn new(base: &str) -> Self {
        let limits = Limits { body: 64 * 1024 * 1024, ..Limits::default() };
        Self { client: Client::new(limits).unwrap(), base: base.to_owned(), headers: HeaderMap::new() }
    }

    /// The same with a bearer token.
    pub fn with_token(&self, token: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {token}"))
    }

    /// The same client at another address.
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The same with one more header.
    pub fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.insert(name, HeaderValue::from_str(value).unwrap());
        other
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, None).await
    }

    /// Any request that is answered.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let what = format!("{method} {}{path}", self.base);
        self.try_ask(method, path, body).await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// The same where there may be nobody who answers.
    pub async fn try_ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, String> {
        let url = format!("{}{path}", self.base).parse().unwrap();
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = self.headers.clone();
        *request.timeout_mut() = Some(Duration::from_secs(30));
        if let Some(body) = body {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        let answer = self.client.execute(request).await.map_err(|error| error.to_string())?;
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok(Answer { status: answer.status, headers: answer.headers, body })
    }

    /// The text behind an address that is no JSON; None where nobody answers.
    pub async fn text(&self, path: &str) -> Option<String> {
        let url = format!("{}{path}", self.base).parse().unwrap();
        let answer = self.client.execute(reqwest::Request::new(Method::GET, url)).await.ok()?;
        String::from_utf8(answer.body.to_vec()).ok()
    }
}
