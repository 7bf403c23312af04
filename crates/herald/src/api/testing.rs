//! An instance on a temporary database, for tests of routes.

use crate::{
    accept::Quotas,
    access::Access,
    config::Config,
    dispatch::{Accounts, Spool},
    events::{self, Events},
    files::{self, Files},
    inbound::Inbox,
    node::{
        app::{App, Parts},
        directory::{ChannelSettings, Directory},
        ownership::Ownership,
    },
    observe::metrics::Metrics,
    pace::Lanes,
    store::{
        Change, LaneRow, NewChannel, NewDepartment, NewIdentifier, Observer, Options, Queued, SqliteOptions, Store,
        UserRow,
    },
    template::Templates,
};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use herald_rules::{
    ids::{ChannelId, DepartmentId},
    protocol::{Protocol, Provider},
    time::Timestamp,
};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

/// The user of every department here.
pub(crate) const USER: &str = "api@example.com";

/// Nothing is sent here, so nobody needs to hear of it.
struct Deaf;

impl Observer for Deaf {
    fn arrived(&self, _: LaneRow, _: Queued) {}
    fn scheduled(&self, _: LaneRow, _: Timestamp) {}
    fn changed(&self, _: &[Change]) {}
}

/// An instance with its folder, which is removed at the end.
pub(crate) struct Instance {
    pub(crate) app: App,
    pub(crate) router: Router,
    pub(crate) admin: String,
    _folder: tempfile::TempDir,
}

/// A department with a token.
pub(crate) struct Member {
    pub(crate) id: DepartmentId,
    pub(crate) secret: String,
    pub(crate) token: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Every refusal has the same form; returns status and code.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        for field in ["type", "title", "code", "detail", "message"] {
            assert!(self.body[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {self:?}");
        }
        assert_eq!(self.body["message"], self.body["detail"]);
        assert_eq!(self.body["status"], self.status.as_u16());
        let sentence = self.body["message"].as_str().unwrap();
        assert!(sentence.ends_with('.'), "{sentence}");
        (self.status.as_u16(), self.code())
    }
}

impl Instance {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.data.folder = folder.path().to_owned();
        change(&mut config);
        let options = SqliteOptions { readers: 2, ..SqliteOptions::at(folder.path().join("herald.db")) };
        let store = Store::open(&Options::Sqlite(options), Arc::new(Deaf)).await.unwrap();
        let access = Arc::new(Access::open(&config.data, &config.limits).unwrap());
        access.check_master_key(&store).await.unwrap();
        let admin = std::fs::read_to_string(config.data.admin_token_path()).unwrap().trim().to_owned();
        let metrics = Arc::new(Metrics::new());
        let files = Files::new(files::Settings::of(&config), metrics.clone()).unwrap();
        let templates = Templates::default();
        let accounts = Accounts::new(access.clone(), templates.clone(), files.clone());
        let lanes = Lanes::new(config.lanes.clone(), accounts, Spool::new(folder.path()), metrics.clone());
        let directory = Directory::default();
        let keys = Arc::new(events::Keys::new(access.clone(), store.clone(), directory.clone()));
        let log = events::Log::default();
        let settings = (&config).into();
        let ownership = Ownership::new("test".into(), crate::config::Role::All);
        let owned = ownership.clone();
        let owner: events::Owner = Arc::new(move |row| owned.of_subscription(row));
        let events =
            Events::start(store.clone(), directory.clone(), log, keys, settings, metrics.clone(), owner).await.unwrap();
        let app = App::new(Parts {
            store,
            directory,
            config,
            access,
            quotas: Quotas::default(),
            ownership,
            lanes,
            inbox: Inbox::default(),
            templates,
            events,
            files,
            metrics,
        });
        app.directory_changed().await.unwrap();
        Self { router: crate::api::router(app.clone()), app, admin, _folder: folder }
    }

    /// A department with a secret, a user and a token.
    pub(crate) async fn member(&self, name: &str) -> Member {
        let now = Timestamp::now();
        let id = DepartmentId::new();
        let fresh = self.app.access.new_secret(id, "first".into(), now);
        let user = UserRow { email: USER.into(), name: String::new(), created_at: now };
        let new = NewDepartment {
            id,
            name: name.into(),
            settings: Default::default(),
            secret: fresh.row,
            user: Some(user),
            created_at: now,
        };
        self.app.store.add_department(new).await.unwrap();
        self.app.directory_changed().await.unwrap();
        let secret = secrecy::ExposeSecret::expose_secret(&fresh.text).to_owned();
        let body = json!({"apiKey": id, "apiSecret": secret, "userName": USER});
        let answer = self.post("/api/v1.2/token/get", "", &body).await;
        let token = answer.body["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
        Member { id, secret, token }
    }

    /// A channel with one identifier.
    pub(crate) async fn channel(&self, member: &Member, protocol: Protocol, identifier: &str, on: bool) -> ChannelId {
        let id = ChannelId::new();
        let department = self.app.directory.get().department_by_id(member.id).unwrap().row;
        let new = NewChannel {
            department,
            id,
            protocol,
            provider: Provider::Simulated,
            name: protocol.to_string(),
            active: true,
            non_ticket: on,
            settings: ChannelSettings::default(),
            sealed_credentials: None,
            identifiers: vec![NewIdentifier { identifier: identifier.into(), name: String::new(), rate: None }],
            created_at: Timestamp::now(),
        };
        self.app.store.add_channel(new).await.unwrap();
        self.app.directory_changed().await.unwrap();
        id
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.ask("POST", path, token, &[], body.to_string()).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.ask("GET", path, token, &[], String::new()).await
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 22).await.unwrap();
        let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| text());
        Answer { status: parts.status, headers: parts.headers, body }
    }
}
