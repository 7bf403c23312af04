//! `herald key`: API secrets, users and tokens of a department.

mod token;

use super::{
    Failure, Global, Kind, Output,
    http::{Api, Remote, block_on, segment},
    output, show,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Make, list and revoke API secrets, users and tokens
#[derive(Debug, Args)]
#[command(
    after_help = "A department's API key is its id. With one of its API secrets and one of its users a client of v1.2 gets a \
                  token for 3 hours; named tokens hold until they are revoked, and may do only what their scopes say.

Examples:
  herald key secret create 2027                    shown this once; the former ones go on
  herald key secret revoke 2026                    and all tokens that were got with it
  herald key token create \"nightly report\" --scope messages
  herald key user add api@example.com
  HERALD_API_SECRET=... herald key get --key API_KEY --user api@example.com    a token of v1.2"
)]
pub(super) struct Key {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// API secrets: the other half of the API key
    Secret {
        #[command(subcommand)]
        action: Secret,
    },
    /// Named tokens: long-lived, with as few rights as they need
    Token {
        #[command(subcommand)]
        action: token::Token,
    },
    /// API users: who an action is done as
    User {
        #[command(subcommand)]
        action: User,
    },
    Get(token::Get),
}

#[derive(Debug, Subcommand)]
enum Secret {
    /// Make a secret; it is shown this once
    Create {
        /// For people
        name: String,
    },
    /// List the secrets, without themselves
    List,
    /// Revoke a secret, and the tokens that were got with it
    Revoke {
        /// Its id, or its name among those in force
        secret: String,
    },
}

#[derive(Debug, Subcommand)]
enum User {
    /// Add a user
    Add {
        /// The address
        email: String,
        /// For people
        #[arg(long)]
        name: Option<String>,
    },
    /// List the users
    List,
    /// Remove a user; the tokens that act as it end at once
    Remove {
        /// The address
        email: String,
    },
}

impl Key {
    pub(super) fn run(self, global: &Global, output: &Output) -> Result<(), Failure> {
        block_on(async {
            let api = self.remote.connect(global)?;
            match self.action {
                Action::Secret { action } => secret(action, &api, output).await,
                Action::User { action } => user(action, &api, output).await,
                Action::Token { action } => action.run(&api, output).await,
                Action::Get(get) => get.run(&api, output).await,
            }
        })
    }
}

async fn secret(action: Secret, api: &Api, output: &Output) -> Result<(), Failure> {
    match action {
        Secret::Create { name } => {
            let made: Value = api.post("/api/v2/secrets", &json!({"name": name})).await?;
            output.answer(&made, |made| show::text(&made["secret"]))?;
            output.talk("Keep it: it is not shown again.");
        }
        Secret::List => {
            let page = api.list("/api/v2/secrets", usize::MAX).await?;
            output.answer(&page, |page| {
                let rows = show::items(page).map(|secret| {
                    [
                        show::text(&secret["id"]),
                        show::text(&secret["name"]),
                        show::time(&secret["createdAt"]),
                        show::time(&secret["revokedAt"]),
                    ]
                });
                output::table(["id", "name", "made", "revoked"], rows)
            })?;
        }
        Secret::Revoke { secret } => {
            let id = in_force(api, "/api/v2/secrets", &secret).await?;
            revoke(api, output, &format!("/api/v2/secrets/{}", segment(&id)), &secret).await?;
        }
    }
    Ok(())
}

async fn user(action: User, api: &Api, output: &Output) -> Result<(), Failure> {
    match action {
        User::Add { email, name } => {
            let added: Value = api.post("/api/v2/users", &json!({"email": email, "name": name})).await?;
            output.answer(&added, |added| show::text(&added["email"]))?;
        }
        User::List => {
            let page = api.list("/api/v2/users", usize::MAX).await?;
            output.answer(&page, |page| {
                let rows = show::items(page).map(|user| {
                    [show::text(&user["email"]), show::text(&user["name"]), show::time(&user["createdAt"])]
                });
                output::table(["email", "name", "since"], rows)
            })?;
        }
        User::Remove { email } => revoke(api, output, &format!("/api/v2/users/{}", segment(&email)), &email).await?,
    }
    Ok(())
}

/// The id of what has this id, or this name and is in force.
async fn in_force(api: &Api, path: &str, named: &str) -> Result<String, Failure> {
    if uuid::Uuid::try_parse(named).is_ok() {
        return Ok(named.to_owned());
    }
    let page = api.list(path, usize::MAX).await?;
    let fits = |item: &&Value| item["revokedAt"].is_null() && item["name"] == named;
    let found: Vec<_> = show::items(&page).filter(fits).collect();
    match found[..] {
        [one] => Ok(show::text(&one["id"])),
        [] => {
            Err(Failure::new(Kind::Usage, format!("None in force is called {named}."), "The list shows what there is."))
        }
        _ => Err(Failure::new(Kind::Usage, format!("Several are called {named}."), "Name one by its id.")),
    }
}

async fn revoke(api: &Api, output: &Output, path: &str, named: &str) -> Result<(), Failure> {
    let _nothing: Value = api.delete(path).await?;
    Ok(output.answer(&json!({"revoked": named}), |_| format!("{named} no longer holds."))?)
}
