//! Scenarios with the real binary, over real HTTP, against simulated providers: one file a scenario, one binary for all,
//! since linking is what costs.

mod starts;
mod support;
