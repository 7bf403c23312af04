//! The command line: one file a command, and what they share.
//!
//! Answers go to stdout, talk goes to stderr. Every command takes `--json`. To add a command: a file with its arguments
//! and a `run`, a variant in [`Command`], a line in [`dispatch`].

mod channel;
mod completions;
mod config;
mod contact;
mod db;
mod demo;
mod department;
mod doctor;
mod exit;
mod http;
mod key;
mod lane;
mod messages;
mod openapi;
mod output;
mod profile;
mod send;
mod serve;
mod show;
mod template;
mod webhook;

pub use exit::{Failure, Kind};

use clap::{Args, Parser, Subcommand};
use output::Output;
use std::{path::PathBuf, process::ExitCode};

/// Send messages over WhatsApp, SMS and Apple Messages for Business, and learn what became of every one of them.
#[derive(Debug, Parser)]
#[command(
    name = "herald",
    version,
    max_term_width = 110,
    after_help = "Exit codes: 0 done, 1 failed, 2 used wrongly, 3 Herald could not be reached, 4 Herald refused."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
struct Global {
    /// Print JSON instead of text for people
    #[arg(long, global = true)]
    json: bool,
    /// The file with the settings [default: ./herald.toml, else /etc/herald/herald.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE", env = "HERALD_CONFIG")]
    config: Option<PathBuf>,
    /// Set any setting, over file and environment; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Send(send::Send),
    Messages(messages::Messages),
    Contact(contact::Contact),
    Channel(channel::Channel),
    Template(template::Template),
    Webhook(webhook::Webhook),
    Lane(lane::Lane),
    Department(department::Department),
    Key(key::Key),
    Db(db::Db),
    Config(config::Config),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    #[command(hide = true)]
    Openapi(openapi::Openapi),
}

/// Reads the arguments of this process, runs the command and says how it ended.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.global.json);
    match dispatch(cli, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            failure.kind.into()
        }
    }
}

fn dispatch(cli: Cli, output: &Output) -> Result<(), Failure> {
    match cli.command {
        Command::Demo(command) => command.run(&cli.global, output),
        Command::Serve(command) => command.run(&cli.global, output),
        Command::Send(command) => command.run(&cli.global, output),
        Command::Messages(command) => command.run(&cli.global, output),
        Command::Contact(command) => command.run(&cli.global, output),
        Command::Channel(command) => command.run(&cli.global, output),
        Command::Template(command) => command.run(&cli.global, output),
        Command::Webhook(command) => command.run(&cli.global, output),
        Command::Lane(command) => command.run(&cli.global, output),
        Command::Department(command) => command.run(&cli.global, output),
        Command::Key(command) => command.run(&cli.global, output),
        Command::Db(command) => command.run(&cli.global, output),
        Command::Config(command) => command.run(&cli.global, output),
        Command::Doctor(command) => command.run(&cli.global, output),
        Command::Openapi(command) => command.run(output),
        Command::Completions(command) => command.run(output),
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("write it as section.key=value, for example limits.burst=100".to_owned()),
    }
}

impl Global {
    /// The layers of settings that this call was given, with further flags of the command over them.
    fn sources(&self, flags: impl IntoIterator<Item = crate::config::Flag>) -> crate::config::Sources {
        let set = self.set.iter().map(|(key, value)| crate::config::Flag {
            name: format!("--set {key}"),
            key: key.clone(),
            value: value.clone(),
        });
        crate::config::Sources::of_process(self.config.clone(), set.chain(flags).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    /// clap takes an argument of a command for the one that all commands have, if both have the same id.
    #[test]
    fn no_argument_is_taken_for_a_global_one() {
        fn walk(command: &clap::Command, globals: &[String]) {
            let own =
                || command.get_arguments().map(|argument| (argument.get_id().to_string(), argument.is_global_set()));
            for (id, _) in own() {
                assert!(!globals.contains(&id), "{}: {id}", command.get_name());
            }
            let more = own().filter(|(_, global)| *global).map(|(id, _)| id);
            let globals: Vec<_> = globals.iter().cloned().chain(more).collect();
            command.get_subcommands().for_each(|command| walk(command, &globals));
        }
        walk(&Cli::command(), &[]);
    }

    #[test]
    fn settings_need_a_key_and_a_value() {
        assert_eq!(setting("a.b=c=d"), Ok(("a.b".to_owned(), "c=d".to_owned())));
        assert!(setting("a.b").is_err());
        assert!(setting("=x").is_err());
    }
}
