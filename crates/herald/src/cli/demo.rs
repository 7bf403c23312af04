//! `herald demo`: everything set up in one process, and a first message of each kind with its whole story.

mod bulk;
mod channels;
mod paste;
mod ports;
mod providers;
mod stage;
mod story;
mod templates;
mod website;

use super::{Failure, Global, Kind, Output, output::Colour, output::paint, serve, serve::NodeFlags, webhook};
use crate::{
    config::{self, Flag, Sources},
    observe,
};
use clap::Args;
use serde_json::json;
use stage::Stage;
use std::{io::IsTerminal, path::PathBuf};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Start a Herald with everything set up, and watch a first message of each kind
#[derive(Debug, Args)]
#[command(
    after_help = "One process: a Herald with a department, its keys and channels, simulated providers and a receiver of \
                  webhooks. Everything is spoken over real HTTP; no message leaves this machine. Settings come from the \
                  built-in defaults and from flags alone, so that neither ./herald.toml nor the environment of a real \
                  Herald is touched.

Examples:
  herald demo                              stories, lines to paste, then serve until Ctrl-C
  herald demo --send 10000                 and a bulk run
  herald demo --exit                       end after the stories; code 1 if one went wrong
  herald demo --data-folder ./demo-data    keep everything, and find it again next time"
)]
pub(super) struct Demo {
    /// Send so many further messages in bulk, and count what becomes of them
    #[arg(long, value_name = "NUMBER")]
    send: Option<u64>,
    /// End after the stories, and the bulk run if there is one
    #[arg(long)]
    exit: bool,
    #[command(flatten)]
    node: NodeFlags,
}

impl Demo {
    pub(super) fn run(self, global: &Global, output: &Output) -> Result<(), Failure> {
        let (folder, kept) = match &self.node.data_folder {
            Some(folder) => (PathBuf::from(folder), None),
            None => {
                let made = tempfile::Builder::new().prefix("herald-demo-").tempdir()?;
                (made.path().to_owned(), Some(made))
            }
        };
        let config = self.config(global, &folder)?;
        observe::log::start(&config.log)?;
        let ended = serve::runtime()?.block_on(self.play(config, kept.is_some(), output));
        if let Some(folder) = kept {
            // Left behind, it is a few megabytes among the system's temporary files.
            let _ = folder.close();
        }
        ended
    }

    /// The built-in settings, those of the demo over them, and whatever was given by hand over these.
    fn config(&self, global: &Global, folder: &std::path::Path) -> Result<config::Config, Failure> {
        let flag = |key: &str, value: String| Flag { name: "herald demo".into(), key: key.into(), value };
        let of_demo = [
            flag("data.folder", folder.display().to_string()),
            flag("listen.public", ports::free_or_any(8080)),
            flag("listen.internal", ports::free_or_any(9090)),
            flag("webhooks.allow_networks", r#"["127.0.0.0/8"]"#.to_owned()),
            flag("log.filter", "warn".to_owned()),
        ];
        let given = global.set.iter().map(|(key, value)| Flag {
            name: format!("--set {key}"),
            key: key.clone(),
            value: value.clone(),
        });
        let flags = of_demo.into_iter().chain(given).chain(self.node.flags()).collect();
        let sources = Sources { file: global.config.clone(), search: false, environment: Vec::new(), flags };
        Ok(config::load(&sources)?.config)
    }

    async fn play(&self, config: config::Config, temporary: bool, output: &Output) -> Result<(), Failure> {
        let mut ending = Ending::catch()?;
        let mut stage = Stage::set(config, temporary).await?;
        let went_well = tokio::select! {
            ended = self.show(&mut stage, output) => ended,
            () = ending.asked() => Ok(true),
        };
        output.talk("Stopping.");
        stage.strike().await;
        match went_well {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::new(Kind::Failed, "Not everything went as it should: see above.", "")),
            Err(failure) => Err(failure),
        }
    }

    /// All of it; false if a story did not go as it should.
    async fn show(&self, stage: &mut Stage, output: &Output) -> Result<bool, Failure> {
        output.line(&stage.ready(), |_| stage.introduction())?;
        let mut well = story::tell_all(stage, output).await?;
        if let Some(number) = self.send {
            well &= bulk::run(stage, output, number).await?;
        }
        if self.exit {
            return Ok(well);
        }
        output.line(
            &json!({"paste": paste::each(stage).into_iter().map(|(_, line)| line).collect::<Vec<_>>()}),
            |_| paste::lines(stage),
        )?;
        output.talk("\nServing until Ctrl-C. Every webhook that comes is shown here.");
        while let Some(received) = stage.receiver.received.recv().await {
            webhook::print(output, &received)?;
        }
        Ok(well)
    }
}

/// Ctrl-C, or SIGTERM.
struct Ending {
    terminate: Signal,
    interrupt: Signal,
}

impl Ending {
    fn catch() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// A heading.
fn heading(text: &str) -> String {
    paint(std::io::stdout().is_terminal(), Colour::Yellow, text)
}

/// A number as people read it: 10,000.
fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        for (plain, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(plain), shown);
        }
    }
}
