//! What providers report: callbacks in, receipts applied before they are answered.

pub mod callback;
