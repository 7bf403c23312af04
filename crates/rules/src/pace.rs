//! Pace: how fast a limit lets messages through, as plain arithmetic on values.

pub mod adaptive;
pub mod gcra;
pub mod pair;
pub mod rate;
