//! The WhatsApp adapter: what it writes and reads, against Meta's examples and a tiny server that answers as told.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod sending;
mod setting;
mod signature;
mod statuses;
