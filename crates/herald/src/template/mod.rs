//! WhatsApp templates as Herald keeps them: brought in line with Meta, found by text, written and handed in.
//!
//! Meta holds the truth. What is here is what it last told, with the history of each template, and drafts that it has
//! not seen. The index of a channel's approved templates is in memory, made anew whenever one of them changes.

pub mod manage;
mod plan;
mod registry;
pub mod schedule;
pub mod states;
pub mod sync;

pub use registry::Templates;

use crate::{node::directory::Channel, store::TemplatePlace};

impl From<&Channel> for TemplatePlace {
    fn from(channel: &Channel) -> Self {
        Self { department: channel.department, channel: channel.row }
    }
}
