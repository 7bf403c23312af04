//! Scenarios with the real binary, over real HTTP, against simulated providers: one file a scenario, one binary for all,
//! since linking is what costs.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so by panicking, and clippy knows only functions marked as tests"
)]

mod callbacks;
mod cancelling;
mod channel_check;
mod clean_stop;
mod commands;
mod crash_points;
mod database;
mod deploy;
mod events_by_webhook;
mod guide;
mod idempotency;
mod kills;
mod lanes;
mod limits;
mod meta_limits;
mod nodes;
mod non_ticket_message;
mod polling;
mod provider_trouble;
mod starts;
mod stops;
mod store_away;
mod support;
mod templates;
mod times;
mod variables;
mod whatsapp;
mod whatsapp_load;
