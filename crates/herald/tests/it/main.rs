//! Scenarios with the real binary, over real HTTP, against simulated providers: one file a scenario, one binary for all,
//! since linking is what costs.

mod cancelling;
mod idempotency;
mod lanes;
mod limits;
mod non_ticket_message;
mod polling;
mod provider_trouble;
mod starts;
mod support;
mod times;
