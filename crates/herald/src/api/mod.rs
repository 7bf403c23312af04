//! The HTTP API: one list of routes, which is also the API document.

pub mod body;
pub mod codes;
mod docs;
pub mod page;
pub mod problem;
pub mod rights;
mod router;
#[cfg(test)]
pub(crate) mod testing;
pub mod v1_2;
pub mod v2;

pub use router::{document, router};
