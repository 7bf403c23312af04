//! Meta's Graph API, as far as the WhatsApp Cloud API goes: strict about the wire, and as unreliable as it is told to be. What it does
//! is in the crate's documentation.

mod account;
mod behaviour;
mod business;
mod button_rules;
mod button_send;
mod codes;
mod control;
mod courier;
mod customers;
mod decide;
mod engine;
mod error;
mod escape;
mod files;
mod free;
mod inbound;
mod interactive;
mod journal;
mod magic;
mod media;
mod multipart;
mod needs;
mod notices;
mod object;
mod objects;
mod phone;
mod plan;
mod recent;
mod record;
mod send;
mod server;
mod simulator;
mod template_api;
mod template_rules;
mod template_send;
mod templates;

pub use account::{GraphAccount, GraphNumber, TokenState};
pub use behaviour::{Answers, GraphBehaviour, Limits, Receipts, Review, Verdict};
pub use codes::all as codes;
pub use courier::SIGNATURE;
pub use inbound::CustomerMessage;
pub use magic::GraphMagic;
pub use record::{GraphCall, GraphReceipt, GraphRequest, GraphStatus, Sends};
pub use simulator::{GraphOptions, GraphSimulator, run};

#[cfg(test)]
mod tests;
