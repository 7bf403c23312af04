//! Herald: one POST in, a paced send over WhatsApp, SMS or Apple Messages for Business, every status out.
//!
//! The folders are the path of one message; ARCHITECTURE.md in the repository walks along it.

pub mod cli;
pub mod config;
pub mod observe;
