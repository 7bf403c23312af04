//! Tokens: named ones, and those of v1.2.

use super::{
    super::{Failure, Kind, Output, http::Api, http::segment, output, show},
    in_force, revoke,
};
use crate::access::Scope;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a named token; it is shown this once
    Create {
        /// For people
        name: String,
        /// What it may do; may be repeated: send, messages, channels, lanes, subscriptions, events, access
        #[arg(long = "scope", required = true, value_parser = scope)]
        scopes: Vec<Scope>,
        /// Until when it holds (RFC 3339) [default: until it is revoked]
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
    },
    /// List the named tokens, without themselves
    List,
    /// Revoke a named token
    Revoke {
        /// Its id, or its name among those in force
        token: String,
    },
}

/// Get a token of v1.2 for a key, a secret and a user; it holds 3 hours
#[derive(Debug, Args)]
#[command(after_help = "Prints the token alone, so that it can be put into a variable:
  export HERALD_TOKEN=$(HERALD_API_SECRET=... herald key get --key API_KEY --user api@example.com)")]
pub(super) struct Get {
    /// The API key: the department's id
    #[arg(long, env = "HERALD_API_KEY", value_name = "ID")]
    key: String,
    /// One of the department's API secrets; best given in the environment
    #[arg(long, env = "HERALD_API_SECRET", hide_env_values = true, value_name = "SECRET")]
    secret: String,
    /// One of the department's API users
    #[arg(long, env = "HERALD_API_USER", value_name = "EMAIL")]
    user: String,
}

fn scope(text: &str) -> Result<Scope, String> {
    let found = Scope::ALL.iter().find(|scope| scope.as_str().eq_ignore_ascii_case(text.trim()));
    found.copied().ok_or_else(|| {
        let all: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        format!("it is one of {}", all.join(", "))
    })
}

impl Get {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        let body = json!({"apiKey": self.key, "apiSecret": self.secret, "userName": self.user});
        let answer: Value = api.post("/api/v1.2/token/get", &body).await?;
        Ok(output.answer(&answer, |answer| show::text(&answer["access_token"]))?)
    }
}

impl Token {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        const PATH: &str = "/api/v2/tokens";
        match self {
            Self::Create { name, scopes, expires_at } => {
                let mut body = json!({"name": name, "scopes": scopes});
                if let Some(at) = expires_at {
                    body["expiresAt"] = at.into();
                }
                let made: Value = api.post(PATH, &body).await?;
                if made["token"].is_null() {
                    return Err(Failure::new(Kind::Failed, "The answer holds no token.", ""));
                }
                output.answer(&made, |made| show::text(&made["token"]))?;
                output.talk("Keep it: it is not shown again.");
            }
            Self::List => {
                let page = api.list(PATH, usize::MAX).await?;
                output.answer(&page, |page| {
                    let rows = show::items(page).map(|token| {
                        let scopes: Vec<_> = token["scopes"].as_array().into_iter().flatten().map(show::text).collect();
                        [
                            show::text(&token["id"]),
                            show::text(&token["name"]),
                            scopes.join(" "),
                            show::text(&token["user"]),
                            show::time(&token["createdAt"]),
                            show::time(&token["expiresAt"]),
                            show::time(&token["revokedAt"]),
                        ]
                    });
                    output::table(["id", "name", "scopes", "user", "made", "until", "revoked"], rows)
                })?;
            }
            Self::Revoke { token } => {
                let id = in_force(api, PATH, &token).await?;
                revoke(api, output, &format!("{PATH}/{}", segment(&id)), &token).await?;
            }
        }
        Ok(())
    }
}
