//! What operations mean, written once for both engines: generic over the rows that they read and write.
//!
//! SQLite's writer implements [`Rows`] by statements. PostgreSQL implements it by a working set: everything that an operation
//! can ask for is loaded in a flight of statements, the logic runs on it in memory, and what it wrote leaves in another.

mod rows;

pub(super) use rows::{CheckedPlace, History, LiveRow, NewEvent, NewNote, Rows, Tried};
