//! The pure decisions of Herald: functions of their arguments, without I/O, clock or randomness of their own.
//!
//! Time comes in as a [`time::Timestamp`], randomness as a number, and what is to be done goes out as a value. So every
//! rule can be tested without a runtime, and the shells in `herald` stay thin.

pub mod admission;
pub mod breaker;
pub mod content;
pub mod file;
pub mod identifier;
pub mod ids;
pub mod inbound;
pub mod lane;
pub mod lease;
pub mod message;
pub mod pace;
pub mod part;
pub mod protocol;
pub mod reason;
pub mod redact;
pub mod retry;
pub mod segments;
pub mod signature;
pub mod status;
pub mod template;
pub mod time;
pub mod variables;
