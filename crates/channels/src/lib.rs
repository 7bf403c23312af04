//! The adapters: how Herald speaks with each provider, a folder each, and the contract they all keep.
//!
//! An adapter turns a message into one call and the answer into an [`contract::Outcome`], and a provider's callback
//! into [`contract::Receipt`]s. It sees neither the store, nor the server, nor another adapter.

pub mod contract;
pub mod http;
pub mod registry;
pub mod simulated;
pub mod whatsapp_cloud;
