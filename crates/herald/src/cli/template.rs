//! `herald template`: WhatsApp templates, as Meta has them and as they are written.

mod matched;
mod shown;

use super::{
    Failure, Global, Kind, Output, channel,
    http::{Api, Remote, block_on, query, segment},
    show,
};
use clap::{Args, Subcommand};
use herald_rules::template::{Category, TemplateStatus};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Look at WhatsApp templates, write and hand them in, try out which one a text is
#[derive(Debug, Args)]
#[command(
    after_help = "Templates belong to a WhatsApp channel. Where the department has only one, --channel may be left out.

Examples:
  herald template list --status APPROVED
  herald template sync                                 compare with Meta's now
  herald template show order_update                    with its history
  herald template create --file template.json          checked by Meta's rules, kept as a draft
  herald template submit order_update                  handed in for review
  herald template match --to 972550000003 \"Hi Dana, order A-1009 is on its way.\"

The file holds what Meta's create call takes: name, language, category, components. Exit codes: `match` ends with 1 if
the message would not be sent."
)]
pub(super) struct Template {
    #[command(subcommand)]
    action: Action,
    /// The channel, by its id, its name or one of its identifiers [default: the only WhatsApp channel with templates]
    #[arg(long, global = true, value_name = "CHANNEL")]
    channel: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the templates
    List {
        /// Only in this status, such as APPROVED, DRAFT or DELETED [default: all but deleted ones]
        #[arg(long, value_parser = status)]
        status: Option<String>,
        /// Only of this category: AUTHENTICATION, MARKETING or UTILITY
        #[arg(long, value_parser = category)]
        category: Option<Category>,
        /// Only those whose name holds this
        #[arg(long)]
        name: Option<String>,
    },
    /// Compare them with Meta's now
    Sync,
    /// Show a template with its history
    Show(One),
    /// Write a template: it is checked by Meta's rules and kept as a draft
    Create {
        /// JSON as Meta's create call takes it; - reads it from stdin
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Hand it in at once, and keep nothing where Meta refuses it
        #[arg(long)]
        submit: bool,
    },
    /// Hand a draft in for review
    Submit(One),
    /// Change a template; one that Meta has is reviewed anew
    Edit {
        #[command(flatten)]
        one: One,
        /// JSON with what changes: components, category, message_send_ttl_seconds; - reads it from stdin
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Delete a template in one language
    Delete(One),
    /// Ask Meta to let a paused template go again
    Unpause(One),
    Match(matched::Match),
}

/// Which template.
#[derive(Debug, Args)]
struct One {
    /// Its name
    name: String,
    /// Its language, such as en_US [default: the only one it has]
    #[arg(long)]
    language: Option<String>,
}

fn status(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_uppercase();
    match text.parse::<TemplateStatus>() {
        Err(()) if text != "DRAFT" => {
            let all: Vec<_> = TemplateStatus::ALL.iter().map(|status| status.as_str()).collect();
            Err(format!("it is DRAFT or one of {}", all.join(", ")))
        }
        _ => Ok(text),
    }
}

fn category(text: &str) -> Result<Category, String> {
    text.parse().map_err(|()| "it is AUTHENTICATION, MARKETING or UTILITY".to_owned())
}

impl Template {
    pub(super) fn run(self, global: &Global, output: &Output) -> Result<(), Failure> {
        block_on(async {
            let api = self.remote.connect(global)?;
            let channel = chosen(&api, self.channel.as_deref()).await?;
            let path = format!("/api/v2/channels/{}/templates", segment(&show::text(&channel["id"])));
            let changed: Value = match self.action {
                Action::Match(action) => return action.run(&api, output, &channel).await,
                Action::List { status, category, name } => {
                    let filter =
                        query([("status", status), ("category", category.map(|c| c.to_string())), ("name", name)]);
                    let mut page = api.list(&format!("{path}{filter}"), usize::MAX).await?;
                    let last: Value = api.get(&format!("{path}?limit=1")).await?;
                    page["lastSync"] = last["lastSync"].clone();
                    output.answer(&page, shown::listed)?;
                    output.talk(&shown::last_sync(&page["lastSync"]));
                    return Ok(());
                }
                Action::Sync => {
                    let synced = api.post(&format!("{path}/sync"), &()).await?;
                    return Ok(output.answer(&synced, shown::synced)?);
                }
                Action::Show(one) => {
                    let story = api.get(&one.path(&api, &path).await?).await?;
                    return Ok(output.answer(&story, shown::story)?);
                }
                Action::Create { file, submit } => {
                    let template: Value = read(&file)?;
                    let query = query([("submit", submit.then(|| "true".to_owned()))]);
                    api.post(&format!("{path}{query}"), &template).await?
                }
                Action::Submit(one) => api.post(&format!("{}/submit", one.path(&api, &path).await?), &()).await?,
                Action::Edit { one, file } => {
                    let change: Value = read(&file)?;
                    api.patch(&one.path(&api, &path).await?, &change).await?
                }
                Action::Delete(one) => {
                    let path = one.path(&api, &path).await?;
                    let _nothing: Value = api.delete(&path).await?;
                    return Ok(output.answer(&json!({"deleted": one.name}), |_| format!("{} is deleted.", one.name))?);
                }
                Action::Unpause(one) => api.post(&format!("{}/unpause", one.path(&api, &path).await?), &()).await?,
            };
            Ok(output.answer(&changed, shown::standing)?)
        })
    }
}

impl One {
    /// Where the template is, with its language found where it was left out.
    async fn path(&self, api: &Api, templates: &str) -> Result<String, Failure> {
        let language = match &self.language {
            Some(language) => language.clone(),
            None => {
                let found = query([("name", Some(self.name.clone()))]);
                self.only_language(&api.list(&format!("{templates}{found}"), usize::MAX).await?)?
            }
        };
        Ok(format!("{templates}/{}/{}", segment(&self.name), segment(&language)))
    }

    fn only_language(&self, page: &Value) -> Result<String, Failure> {
        let same = show::items(page).filter(|template| template["name"] == *self.name);
        let languages: Vec<_> = same.map(|template| show::text(&template["language"])).collect();
        match &languages[..] {
            [only] => Ok(only.clone()),
            [] => Err(Failure::new(
                Kind::Usage,
                format!("The channel has no template {}.", self.name),
                "`herald template list` shows those there are, `herald template sync` looks for new ones at Meta. One that is \
                 deleted is shown with --language.",
            )),
            several => Err(Failure::new(
                Kind::Usage,
                format!("{} exists in {} languages: {}.", self.name, several.len(), several.join(", ")),
                "Say which with --language.",
            )),
        }
    }
}

/// The channel that a person means, or the only one with templates.
async fn chosen(api: &Api, named: Option<&str>) -> Result<Value, Failure> {
    match named {
        Some(named) => channel::pick(api, named).await,
        None => only(&api.list("/api/v2/channels", usize::MAX).await?),
    }
}

fn only(page: &Value) -> Result<Value, Failure> {
    let found: Vec<_> = show::items(page).filter(|channel| channel["provider"] == "whatsapp_cloud").collect();
    match found[..] {
        [only] => Ok(only.clone()),
        [] => Err(Failure::new(
            Kind::Usage,
            "The department has no channel with templates.",
            "Only channels of the provider whatsapp_cloud have them; `herald channel list` shows those there are.",
        )),
        _ => Err(Failure::new(
            Kind::Usage,
            format!("{} channels of the department have templates.", found.len()),
            "Say which with --channel; `herald channel list` shows them.",
        )),
    }
}

/// A file of JSON, or what comes from stdin.
fn read(file: &Path) -> Result<Value, Failure> {
    let text =
        if file == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let name = file.display();
    let text = text.map_err(|error| Failure::new(Kind::Usage, format!("{name} cannot be read: {error}."), ""))?;
    serde_json::from_str(&text).map_err(|error| Failure::new(Kind::Usage, format!("{name} is not JSON: {error}."), ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_found_where_there_is_one_answer() {
        let channel = |id: &str, provider: &str| json!({"id": id, "provider": provider});
        let page = |channels: Vec<Value>| json!({"items": channels});
        assert_eq!(only(&page(vec![channel("1", "simulated"), channel("2", "whatsapp_cloud")])).unwrap()["id"], "2");
        assert!(only(&page(vec![channel("1", "simulated")])).is_err());
        assert!(only(&page(vec![channel("1", "whatsapp_cloud"), channel("2", "whatsapp_cloud")])).is_err());
        let one = One { name: "order".into(), language: None };
        let template = |name: &str, language: &str| json!({"name": name, "language": language});
        let list = |templates: Vec<Value>| one.only_language(&json!({"items": templates})).map_err(|f| f.sentence);
        assert_eq!(list(vec![template("order", "de"), template("order_2", "en")]), Ok("de".into()));
        let several = list(vec![template("order", "de"), template("order", "en")]);
        assert_eq!(several, Err("order exists in 2 languages: de, en.".into()));
        assert!(list(vec![]).is_err());
        assert_eq!((status("draft"), status("paused")), (Ok("DRAFT".into()), Ok("PAUSED".into())));
        assert!(status("sleepy").is_err());
    }
}
