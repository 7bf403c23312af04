//! What is seen from outside of a running node: its log and its metrics.

pub mod log;
