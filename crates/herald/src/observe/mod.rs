//! What is seen from outside of a running node: its log, its metrics, its health.

pub mod internal;
pub mod log;
pub mod metrics;
pub mod personal;
mod process;
pub mod request;
