//! WhatsApp templates: what Meta has approved, which one a text is, and what is sent of it.
//!
//! A template body is literals with gaps. A text goes in, the best template comes out with the values of its
//! parameters, or the reason why there is none.

mod message;
mod model;

pub use message::{ButtonParameter, ButtonValue, HeaderValue, Parameter, TemplateMessage};
pub use model::{Button, ButtonKind, Category, Header, MediaKind, ParameterFormat, Template, TemplateStatus};
