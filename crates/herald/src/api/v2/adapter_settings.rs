//! What a channel's adapter needs: its settings, its credentials, and the address under which it reports to us.

use crate::{
    access::Subject,
    api::{codes::Code, problem::Problem},
    node::{
        app::App,
        directory::{Channel, ChannelSettings},
    },
    store::StoreError,
};
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use herald_channels::registry::Adapter;
use herald_rules::{
    ids::ChannelId,
    protocol::{Protocol, Provider},
    template::validate::is_language,
};
use serde_json::Value;
use std::{convert::Infallible, fmt};

/// The credentials as they are kept.
pub(super) fn sealed(app: &App, id: ChannelId, credentials: Option<&Value>) -> Option<Vec<u8>> {
    credentials.map(|value| app.access.sealer.seal(Subject::Credentials(id), value.to_string().as_bytes()))
}

/// The credentials as they were given.
pub(super) fn opened(app: &App, channel: &Channel) -> Result<Option<Value>, Problem> {
    let Some(sealed) = &channel.sealed_credentials else { return Ok(None) };
    let damaged = |error: &dyn fmt::Display| StoreError::Corrupt(format!("credentials do not open: {error}"));
    let plain = app.access.sealer.open_sealed(Subject::Credentials(channel.id), sealed);
    let plain = plain.map_err(|error| damaged(&error))?;
    Ok(Some(serde_json::from_slice(&plain).map_err(|error| damaged(&error))?))
}

/// Whether the provider's adapter can be made of them: else messages would be accepted and never leave.
pub(super) fn usable(
    provider: Provider,
    protocol: Protocol,
    settings: &ChannelSettings,
    credentials: Option<&Value>,
) -> Result<(), Problem> {
    if settings.language.as_deref().is_some_and(|language| !is_language(language)) {
        let detail = "language must be one of Meta's codes, such as en, en_US or pt_BR.";
        return Err(Problem::new(Code::SettingsUnusable, detail).at("/settings/language"));
    }
    let none = Value::Object(serde_json::Map::new());
    let Err(error) = Adapter::build(provider, protocol, &settings.provider, credentials.unwrap_or(&none)) else {
        return Ok(());
    };
    let pointer = match error.place.split_once('.') {
        Some(("settings", field)) => format!("/settings/provider/{field}"),
        Some((place, field)) => format!("/{place}/{field}"),
        None if error.place == "settings" => "/settings/provider".to_owned(),
        None => format!("/{}", error.place),
    };
    let detail = format!("The {} adapter cannot use this: {error}.", provider.as_str());
    Err(Problem::new(Code::SettingsUnusable, detail).at(pointer))
}

/// Adds what only we know: where the provider reaches us.
pub(super) fn filled(mut settings: ChannelSettings, provider: Provider, callback_url: &str) -> ChannelSettings {
    match provider {
        Provider::Simulated => {
            if settings.provider.is_null() {
                settings.provider = Value::Object(serde_json::Map::new());
            }
            if let Some(fields) = settings.provider.as_object_mut() {
                fields.entry("callback_url").or_insert_with(|| callback_url.into());
            }
        }
        // Meta is told the address in its own console, or when the app is subscribed.
        Provider::WhatsappCloud => {}
    }
    settings
}

/// Under which address providers reach this Herald: the configured one, else the one under which the caller does.
pub struct CallbackBase(String);

impl CallbackBase {
    /// Where the provider of this channel reports to.
    pub(super) fn of(&self, id: ChannelId) -> String {
        format!("{}/callbacks/{id}", self.0)
    }
}

impl FromRequestParts<App> for CallbackBase {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let listen = &app.config.listen;
        if let Some(url) = &listen.public_url {
            return Ok(Self(url.clone()));
        }
        let scheme = if listen.tls().is_some() { "https" } else { "http" };
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| parts.uri.authority().map(|authority| authority.as_str()));
        Ok(Self(host.map_or_else(|| listen.base_url(listen.public), |host| format!("{scheme}://{host}"))))
    }
}
