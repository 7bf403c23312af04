//! What operations mean, written once for both engines: generic over the rows that they read and write.
//!
//! SQLite's writer implements [`Rows`] by statements. PostgreSQL implements it by a working set: everything that an operation
//! can ask for is loaded in a flight of statements, the logic runs on it in memory, and what it wrote leaves in another.
//! Whether the caller still owns the lane is judged by the engine, before any of these.

mod cancel;
mod claim;
mod due;
mod entry;
mod evidence;
mod inbound;
mod part;
mod receipt;
mod record;
mod recover;
mod report;
mod resolve;
mod rows;
mod standing;
mod work;

pub(super) use cancel::cancel;
pub(super) use claim::claim;
pub(super) use due::{PutAway, move_due};
pub(super) use entry::Entry;
pub(super) use receipt::apply;
pub(super) use record::record;
pub(super) use recover::{Search, recover};
pub(super) use resolve::resolve;
pub(super) use rows::{CheckedPlace, History, LiveRow, NewEvent, NewNote, Rows, Tried};
pub(super) use standing::change_standing;
pub(super) use work::work_off;
