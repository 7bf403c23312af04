//! One running instance: what every part of it shares, and the order of start and stop.

pub mod app;
pub mod crash;
pub mod directory;
mod elsewhere;
mod housekeeping;
mod hub;
pub mod listen;
pub mod ownership;
mod sample;
mod start;

pub use start::Node;
pub(crate) use start::lock_folder;
