//! `herald lane`: how long each queue is, how fast it goes, why it waits.

use super::{
    Failure, Global, Output,
    http::{Remote, block_on, segment},
    output, show,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Look at lanes, pause and resume them, set their rate
#[derive(Debug, Args)]
#[command(
    after_help = "A lane is the ordered, paced stream of everything that goes out over one identifier; its id is protocol and \
                  identifier.

Examples:
  herald lane list
  herald lane pause WhatsApp:972550000001          what is queued waits, and so does what comes
  herald lane rate WhatsApp:972550000001 40/s      or 500/m,burst=50, or default"
)]
pub(super) struct Lane {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the lanes with their queues
    List,
    /// Show a lane, and why it waits
    Show {
        /// Such as WhatsApp:972550000001
        lane: String,
    },
    /// Hold back what is queued
    Pause {
        /// Such as WhatsApp:972550000001
        lane: String,
    },
    /// Let it go again
    Resume {
        /// Such as WhatsApp:972550000001
        lane: String,
    },
    /// Set how fast a lane sends; holds at once
    Rate {
        /// Such as WhatsApp:972550000001
        lane: String,
        /// Messages a second (s), minute (m) or hour (h), optionally with a burst: 80/s, 500/m,burst=50; or "default"
        rate: String,
    },
}

impl Lane {
    pub(super) fn run(self, global: &Global, output: &Output) -> Result<(), Failure> {
        block_on(async {
            let api = self.remote.connect(global)?;
            let path = |lane: &str| format!("/api/v2/lanes/{}", segment(lane));
            let lane: Value = match &self.action {
                Action::List => {
                    let page = api.list("/api/v2/lanes", usize::MAX).await?;
                    return Ok(output.answer(&page, listed)?);
                }
                Action::Show { lane } => api.get(&path(lane)).await?,
                Action::Pause { lane } => api.post(&format!("{}/pause", path(lane)), &json!({})).await?,
                Action::Resume { lane } => api.post(&format!("{}/resume", path(lane)), &json!({})).await?,
                Action::Rate { lane, rate } => {
                    let rate = Some(rate).filter(|rate| !rate.eq_ignore_ascii_case("default"));
                    api.patch(&path(lane), &json!({"rate": rate})).await?
                }
            };
            Ok(output.answer(&lane, told)?)
        })
    }
}

fn rate(lane: &Value) -> String {
    let (set, now) = (show::text(&lane["rate"]), show::text(&lane["now"]["effectiveRate"]));
    if now == "-" || now == set { set } else { format!("{now} (of {set})") }
}

fn listed(page: &Value) -> String {
    let rows = show::items(page).map(|lane| {
        let state =
            if lane["paused"] == true { "paused".to_owned() } else { show::text(&lane["now"]["waiting"]["code"]) };
        [show::text(&lane["id"]), show::text(&lane["queued"]), show::text(&lane["now"]["inFlight"]), rate(lane), state]
    });
    output::table(["lane", "queued", "in flight", "rate", "waiting"], rows)
}

fn told(lane: &Value) -> String {
    show::fields([
        ("lane", show::text(&lane["id"])),
        ("name", show::text(&lane["name"])),
        ("channel", show::text(&lane["channelId"])),
        ("rate", rate(lane)),
        ("paused", show::text(&lane["paused"])),
        ("queued", show::text(&lane["queued"])),
        ("in flight", show::text(&lane["now"]["inFlight"])),
        ("waiting", show::text(&lane["now"]["waiting"]["sentence"])),
    ])
}
