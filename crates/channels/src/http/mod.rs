//! The one place that builds an HTTP client, and the one place that decides what a broken call means.
//!
//! The question behind every error is: may the other side have read the request? Only where the answer is certainly no
//! (name look-up, connect, TLS) may the caller send again without asking; all else is [`CallError::Lost`].
//!
//! Why reqwest: a JSON POST of 230 bytes over loopback costs 16 us of CPU with it, 11.5 us with hyper-util's pooled client
//! and a time-out (32 calls at a time, one thread, median of 3). At 10,000 calls a second that is a twentieth of a core,
//! for which it brings ALPN, time-outs, name look-up and the system's certificates.

mod call;

pub use call::{Address, Answer, Call, CallError, Incoming};

use bytes::Bytes;
use http::{HeaderValue, header};
use std::{
    sync::{Arc, Once, OnceLock},
    time::Duration,
};

/// Time-outs and sizes of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For name look-up, TCP and TLS together. Running out of it proves that nothing was sent.
    pub connect: Duration,
    /// The largest answer that is read; the rest of a longer one is never fetched.
    pub body: usize,
    /// How long an unused connection is kept. Shorter than the 60 s after which common servers and load balancers
    /// close it, so that a request seldom meets a connection that is just being closed.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), body: 256 * 1024, idle: Duration::from_secs(45) }
    }
}

/// A client whose connections are kept and shared by all its copies.
#[derive(Clone, Debug)]
pub struct Client {
    inner: reqwest::Client,
    body_limit: usize,
}

impl Client {
    /// A client of its own; see [`shared`] for the one that adapters use.
    pub fn new(limits: Limits) -> Result<Self, String> {
        Self::from_builder(|| builder(limits), limits)
    }

    /// A client whose host names are looked up by `resolver`, for guards. Literal IP addresses never reach a resolver:
    /// check them before the call.
    pub fn with_resolver<R: reqwest::dns::Resolve + 'static>(limits: Limits, resolver: R) -> Result<Self, String> {
        let resolver = Arc::new(resolver);
        Self::from_builder(|| builder(limits).dns_resolver(Arc::clone(&resolver)), limits)
    }

    /// The same, for webhooks: HTTP/1.1 only, with header names in capitals (`X-Hub-Signature`). HTTP/2 writes all names
    /// small, and there are receivers that look them up by case.
    pub fn with_resolver_and_capitals<R: reqwest::dns::Resolve + 'static>(
        limits: Limits,
        resolver: R,
    ) -> Result<Self, String> {
        let resolver = Arc::new(resolver);
        let make = || builder(limits).dns_resolver(Arc::clone(&resolver)).http1_only().http1_title_case_headers();
        Self::from_builder(make, limits)
    }

    fn from_builder(make: impl Fn() -> reqwest::ClientBuilder, limits: Limits) -> Result<Self, String> {
        let inner = make().build().or_else(|error| {
            // A machine without CA certificates (a bare container) can still speak http:// to its neighbours; https://
            // then fails when it connects, with a message that names the cause.
            tracing::warn!(error = full(&error), "no CA certificates found: https:// providers cannot be reached");
            make().tls_certs_only([]).build().map_err(|error| full(&error))
        })?;
        Ok(Self { inner, body_limit: limits.body })
    }

    /// Makes one call and reads the answer to its end. Never follows a redirect, never tries twice.
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, CallError> {
        self.call_up_to(call, self.body_limit).await
    }

    /// The same for an answer of up to so many bytes.
    pub async fn call_up_to(&self, call: Call<'_>, body_limit: usize) -> Result<Answer, CallError> {
        let mut request = reqwest::Request::new(call.method, call.address.0.clone());
        *request.timeout_mut() = Some(call.timeout);
        if let Some(authorization) = call.authorization {
            request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
        }
        if let Some(json) = call.json {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(json.into());
        }
        self.read(request, body_limit).await
    }

    /// The same with a body of another type than JSON.
    pub async fn call_with(&self, call: Call<'_>, content_type: HeaderValue, body: Bytes) -> Result<Answer, CallError> {
        let mut request = reqwest::Request::new(call.method, call.address.0.clone());
        *request.timeout_mut() = Some(call.timeout);
        if let Some(authorization) = call.authorization {
            request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
        }
        request.headers_mut().insert(header::CONTENT_TYPE, content_type);
        *request.body_mut() = Some(body.into());
        self.execute(request).await
    }

    /// The same for a request with headers of the caller's own.
    pub async fn execute(&self, request: reqwest::Request) -> Result<Answer, CallError> {
        self.read(request, self.body_limit).await
    }

    /// Begins a call whose answer is read piece by piece, for those to whom its end does not matter. No limit holds for
    /// it but the request's own time-out.
    pub async fn begin(&self, request: reqwest::Request) -> Result<Incoming, CallError> {
        let mut response = self.inner.execute(request).await.map_err(|error| judge(&error))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        Ok(Incoming { status, headers, response })
    }

    async fn read(&self, request: reqwest::Request, body_limit: usize) -> Result<Answer, CallError> {
        let mut response = self.inner.execute(request).await.map_err(|error| judge(&error))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let (mut body, mut rest) = (Bytes::new(), Vec::new());
        loop {
            let chunk = response.chunk().await.map_err(|error| CallError::Body { status, problem: full(&error) })?;
            let Some(chunk) = chunk else {
                let body = if rest.is_empty() { body } else { [&body[..], &rest].concat().into() };
                return Ok(Answer { status, headers, body });
            };
            if body.len() + rest.len() + chunk.len() > body_limit {
                return Err(CallError::Body { status, problem: format!("{} {body_limit} bytes", call::TOO_LONG) });
            }
            // Nearly all answers come in one piece: no copy for those.
            if body.is_empty() {
                body = chunk;
            } else {
                rest.extend_from_slice(&chunk);
            }
        }
    }
}

/// Sorts an error without an answer by what the other side may have seen.
fn judge(error: &reqwest::Error) -> CallError {
    if error.is_connect() || error.is_builder() {
        CallError::NotSent(full(error))
    } else if error.is_timeout() {
        CallError::TimedOut
    } else {
        CallError::Lost(full(error))
    }
}

/// The whole chain of an error in one line, without the address: that may carry keys.
fn full(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    if text.is_empty() { "the request could not be made".to_owned() } else { text }
}

/// The client that all adapters share, so that channels of one provider share its connections.
pub fn shared() -> Result<Client, String> {
    static SHARED: OnceLock<Result<Client, String>> = OnceLock::new();
    SHARED.get_or_init(|| Client::new(Limits::default())).clone()
}

/// Makes ring the crypto provider of this process; further calls do nothing. rustls would otherwise panic at the
/// first TLS configuration, not at compile time.
pub fn install_crypto_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that another provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The settings that every client of ours has. Proxies of the environment are not used: a callback or a loopback
/// simulator must not leave the machine by accident.
#[expect(clippy::disallowed_methods, reason = "this is the place that the ban speaks of")]
fn builder(limits: Limits) -> reqwest::ClientBuilder {
    install_crypto_provider();
    reqwest::Client::builder()
        .user_agent(concat!("Herald/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(limits.connect)
        .pool_idle_timeout(limits.idle)
        .tcp_nodelay(true)
        // TLS offers HTTP/2 by itself (ALPN). There all calls share one connection, so that one that has died silently must
        // be noticed before their time-outs.
        .http2_keep_alive_interval(Duration::from_secs(15))
        .http2_keep_alive_timeout(Duration::from_secs(5))
}
