//! Pace: how fast a limit lets messages through, as plain arithmetic on values.

pub mod adaptive;
pub mod budget;
pub mod gcra;
pub mod pair;
pub mod rate;
pub mod stop;
