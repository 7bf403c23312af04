//! The providers, played on loopback: strict about the wire, and as unreliable as they are told to be.
//!
//! # The wire
//!
//! `POST /v1/{protocol}/messages` with `Authorization: Bearer <key>` and exactly these fields:
//!
//! ```json
//! {"clientReference": "<uuid>", "from": "4930123456", "to": "4917012345678", "text": "Hello", "files": [],
//!  "callbackUrl": "http://127.0.0.1:8080/callbacks/1"}
//! ```
//!
//! `200 {"reference": "wa-6512f-17"}`: taken. Any error answer in the form `{"error": {"code", "message"}}` means: not
//! taken. 429 carries `Retry-After` and names in its code which limit it means ([`Code`]). A connection that closes
//! without an answer says nothing.
//!
//! `GET /v1/{protocol}/messages/by-client-reference/{uuid}`: `200 {"reference", "status"}` of the newest message
//! with this client reference, or 404 `message_not_found`, which proves that none was taken. SMS only, as with real providers.
//!
//! Receipts go to the `callbackUrl` of each message, as an array of `{"reference", "clientReference"?, "status", "at",
//! "code"?, "text"?}` with status `accepted`, `delivered`, `read` or `failed`, signed in `X-Simulator-Signature-256:
//! sha256=<HMAC-SHA256 of the body with the account's secret, in hexadecimal digits>`. WhatsApp echoes
//! `clientReference` and reports `read`; SMS names `reference` alone and ends at `delivered`; Apple sends no receipts.
//! An answer other than 2xx brings the same callback again, with growing waits, for ten minutes.
//!
//! # Magic recipients
//!
//! The last five digits of `to` fix what happens (see [`Magic`], and [`Behaviour::magic_numbers`] to switch it off);
//! all others follow [`Behaviour`], which can be changed while the simulator runs (see [`control`]).

mod behaviour;
mod callbacks;
mod code;
pub mod control;
mod engine;
mod journal;
mod limit;
mod magic;
mod plan;
mod server;
mod shard;
mod simulator;
mod wire;

pub use behaviour::{Answers, Behaviour, Behaviours, Callbacks, RateLimit, Receipts, Scope};
pub use code::Code;
pub use journal::{Call, CallOutcome, Mode, SentReceipt, Summary};
pub use magic::Magic;
pub use simulator::{Account, Options, Simulator, run};
pub use wire::{ReceiptStatus, SIGNATURE_HEADER};
