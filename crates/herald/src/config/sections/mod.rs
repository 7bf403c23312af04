//! One file a section. Each holds the typed form of its part of `config/herald.toml`, which says what every key means.

pub mod data;
pub mod events;
pub mod files;
pub mod lanes;
pub mod limits;
pub mod listen;
pub mod log;
pub mod node;
pub mod retention;
pub mod shutdown;
pub mod store;
pub mod templates;
pub mod webhooks;
