//! `herald db migrate`.

use super::{Failure, Output, Place};
use crate::store::upkeep;
use clap::Args;
use serde_json::json;

/// Bring the tables to this program's version; a node does the same when it starts
#[derive(Debug, Args)]
#[command(
    after_help = "Nodes of the version before go on working meanwhile and afterwards. So for an upgrade without a surprise:
  herald-new db migrate --dry-run
  herald-new db migrate
  then the nodes, one after the other"
)]
pub(super) struct Migrate {
    /// List what is missing, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    pub(super) async fn run(self, place: &Place, output: &Output) -> Result<(), Failure> {
        let schema = match self.dry_run {
            true => upkeep::schema(&place.options).await?,
            false => upkeep::migrate(&place.options).await?,
        };
        let done = !self.dry_run;
        let version = if done { schema.database.max(schema.program) } else { schema.database };
        let answer = json!({"version": version, "program": schema.program, "missing": if done { &[][..] } else { &schema.missing },
            "migrated": if done { &schema.missing[..] } else { &[] }, "newer": schema.newer});
        output.answer(&answer, |_| {
            let word = if done { "migrated" } else { "missing" };
            let mut lines: Vec<_> = schema.missing.iter().map(|name| format!("{word}  {name}")).collect();
            lines.extend(
                schema
                    .newer
                    .iter()
                    .map(|name| format!("newer     {name}: of the next version, which this one works with")),
            );
            if schema.missing.is_empty() {
                lines.push(format!("Nothing is missing: the tables are of version {version}."));
            }
            lines.join("\n")
        })?;
        Ok(())
    }
}
