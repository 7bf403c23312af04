//! The WhatsApp adapter against the simulated Graph API: both sides of the wire, written apart from Meta's documents.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod codes;
mod inbound;
mod limits;
mod management;
mod many;
mod media;
mod notices;
mod sending;
mod setting;
mod statuses;
