//! `herald department`: teams with their own key, channels and events. For the administrator.

use super::{
    Failure, Global, Output,
    http::{Remote, block_on, segment},
    output, show,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Make departments and look at them; needs the admin token
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  herald department create Sales --user api@example.com    prints its API key and first secret
  herald department list
  herald department limit Sales --messages-per-minute 3000 --burst 500")]
pub(super) struct Department {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a department; prints its API key and its first secret, this once
    Create {
        /// For people
        name: String,
        /// The e-mail address of its first API user
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        #[command(flatten)]
        limit: Limits,
    },
    /// List the departments
    List,
    /// Show a department
    Show {
        /// Its id or its name
        department: String,
    },
    /// Set how many messages a department may hand in; without a figure: as configured
    Limit {
        /// Its id or its name
        department: String,
        #[command(flatten)]
        limit: Limits,
    },
}

#[derive(Clone, Debug, Args)]
struct Limits {
    /// Messages a minute that it may hand in [default: limits.messages_per_minute]
    #[arg(long, value_name = "NUMBER")]
    messages_per_minute: Option<u32>,
    /// Messages at once above that pace [default: limits.burst]
    #[arg(long, value_name = "NUMBER")]
    burst: Option<u32>,
}

impl Limits {
    fn settings(&self) -> Value {
        let given = [("messagesPerMinute", self.messages_per_minute), ("burst", self.burst)];
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect::<Value>()
    }
}

impl Department {
    pub(super) fn run(self, global: &Global, output: &Output) -> Result<(), Failure> {
        block_on(async {
            let api = self.remote.connect(global)?;
            match self.action {
                Action::Create { name, user, limit } => {
                    let body = json!({"name": name, "user": user, "settings": limit.settings()});
                    let made: Value = api.post("/api/v2/departments", &body).await?;
                    output.answer(&made, |made| {
                        show::fields([
                            ("department", show::text(&made["name"])),
                            ("API key", show::text(&made["apiKey"])),
                            ("API secret", show::text(&made["secret"]["secret"])),
                            ("user", show::text(&made["user"])),
                            ("limits", limits(made)),
                        ])
                    })?;
                    output.talk("Keep the secret: it is not shown again.");
                    Ok(())
                }
                Action::List => {
                    let page = api.list("/api/v2/departments", usize::MAX).await?;
                    Ok(output.answer(&page, |page| {
                        let rows = show::items(page)
                            .map(|one| [show::text(&one["id"]), show::text(&one["name"]), limits(one)]);
                        output::table(["id", "name", "limits"], rows)
                    })?)
                }
                Action::Show { department } => {
                    let id = api.department_id(&department).await?;
                    let found: Value = api.get(&format!("/api/v2/departments/{}", segment(&id))).await?;
                    Ok(output.answer(&found, told)?)
                }
                Action::Limit { department, limit } => {
                    let id = api.department_id(&department).await?;
                    let path = format!("/api/v2/departments/{}", segment(&id));
                    let changed: Value = api.patch(&path, &json!({"settings": limit.settings()})).await?;
                    Ok(output.answer(&changed, told)?)
                }
            }
        })
    }
}

fn limits(department: &Value) -> String {
    let settings = &department["settings"];
    let parts = [("messagesPerMinute", "a minute"), ("burst", "at once")];
    let given = parts.iter().filter(|(name, _)| !settings[*name].is_null());
    let given: Vec<_> = given.map(|(name, unit)| format!("{} {unit}", settings[*name])).collect();
    if given.is_empty() { "as configured".to_owned() } else { given.join(", ") }
}

fn told(department: &Value) -> String {
    show::fields([
        ("id", show::text(&department["id"])),
        ("name", show::text(&department["name"])),
        ("limits", limits(department)),
    ])
}
