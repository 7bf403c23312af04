//! The adapter of the simulated providers against the simulator: both sides of the wire, written apart.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod behaviour;
mod codes;
mod control;
mod faults;
mod magic;
mod receive;
mod setting;
