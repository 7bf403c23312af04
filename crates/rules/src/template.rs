//! WhatsApp templates: what Meta has approved, which one a text is, and what is sent of it.
//!
//! A template body is literals with gaps. A text goes in, the best template comes out with the values of its
//! parameters, or the reason why there is none.

mod anchors;
mod blocks;
mod buttons;
mod compose;
mod difference;
mod entry;
mod fold;
mod graph;
mod index;
mod lay;
mod layer;
mod location;
mod message;
mod model;
mod named;
mod nearest;
mod pattern;
mod render;
mod rendering;
mod signature;
pub mod validate;
mod values;
mod walk;
mod words;

pub use compose::{Given, compose};
pub use index::{Found, Index, Match};
pub use message::{ButtonParameter, ButtonValue, HeaderValue, Parameter, TemplateMessage};
pub use model::{Button, ButtonKind, Category, Header, MediaKind, ParameterFormat, Template, TemplateStatus};
pub use named::Named;
pub use nearest::NearMiss;
pub use render::render;
pub use values::{check_values, explicit_values};

#[cfg(test)]
mod tests;
