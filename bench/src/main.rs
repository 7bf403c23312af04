//! Measures Herald from outside: load, provider and webhook receiver are processes of their own, and everything goes
//! over HTTP on loopback. What is measured and how is in `bench/README.md`.

mod client;
mod figures;
mod graph;
mod herald;
mod load;
mod machine;
mod matching;
mod measure;
mod postgres;
mod process;
mod profile;
mod provider;
mod receiver;
mod report;
mod run;
mod tenant;
mod tools;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Measure Herald from outside
#[derive(Debug, Parser)]
#[command(name = "herald-bench", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Postgres(postgres::Postgres),
    Profile(profile::Profile),
    Provider(provider::Provider),
    Graph(graph::Graph),
    Receiver(receiver::Receiver),
    Load(load::Load),
    Match(matching::Match),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(command) => command.run(),
        Command::Postgres(command) => command.run(),
        Command::Profile(command) => command.run(),
        Command::Provider(command) => command.run(),
        Command::Graph(command) => command.run(),
        Command::Receiver(command) => command.run(),
        Command::Load(command) => command.run(),
        Command::Match(command) => command.run(),
    };
    // Without the backtrace that anyhow would print: these are errors of set-up and measurement.
    done.map_or_else(
        |error| {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
