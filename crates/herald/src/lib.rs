//! Herald: one POST in, a paced send over WhatsApp, SMS or Apple Messages for Business, every status out.
//!
//! The folders are the path of one message: `accept` takes a request and answers when it is durable; `pace` holds the
//! lanes; `dispatch` claims, calls the provider and records the outcome; `inbound` takes callbacks and applies what they tell; `events` hands
//! every change to the subscriptions. `store` speaks of all this in whole operations. ARCHITECTURE.md walks along it.

pub mod accept;
pub mod access;
pub mod api;
pub mod cli;
pub mod config;
pub mod dispatch;
pub mod events;
pub mod files;
pub mod inbound;
pub mod net;
pub mod node;
pub mod observe;
pub mod pace;
pub mod route;
pub mod store;
pub mod template;
