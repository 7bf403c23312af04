//! The API of v1.2, as its clients expect it.

pub mod events;
pub mod protocols;
pub mod token;

#[cfg(test)]
mod polling_tests;
#[cfg(test)]
mod tests;
