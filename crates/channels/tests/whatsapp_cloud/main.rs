//! The WhatsApp adapter: what it writes and reads, against Meta's examples and a tiny server that answers as told.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod answers;
mod codes;
mod free_form;
mod inbound;
mod management;
mod media;
mod notices;
mod sending;
mod setting;
mod settings;
mod signature;
mod simulator;
mod statuses;
mod strange;
