//! One running instance: what every part of it shares, and the order of start and stop.

pub mod app;
pub mod directory;
pub mod listen;
