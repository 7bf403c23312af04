//! `herald webhook`: who gets which events, what was handed over, and a receiver to try it with.

mod listen;
mod manage;
mod receiver;
mod tally;

pub(super) use listen::print;
pub(super) use receiver::{Keys, Received, Receiver};

use super::{Failure, Global, Output, http::Remote};
use clap::{Args, Subcommand};

/// Subscribe to events, receive them here, see what was handed over, replay it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  herald webhook listen --subscribe                      receive events here and verify them
  herald webhook add https://example.com/herald          prints its secret, this once
  herald webhook test SUBSCRIPTION                       post a made-up event, see what was answered
  herald webhook deliveries SUBSCRIPTION --state exhausted
  herald webhook replay SUBSCRIPTION --since 2026-11-22T08:00:00Z")]
pub(super) struct Webhook {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
enum Action {
    Listen(listen::Listen),
    #[command(flatten)]
    Manage(manage::Manage),
}

impl Webhook {
    pub(super) fn run(self, global: &Global, output: &Output) -> Result<(), Failure> {
        match self.action {
            Action::Listen(listen) => listen.run(&self.remote, global, output),
            Action::Manage(manage) => manage.run(&self.remote, global, output),
        }
    }
}
