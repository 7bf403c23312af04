#![doc = include_str!("../../../docs/simulated-providers.md")]

mod behaviour;
mod behaviours;
mod callbacks;
mod code;
pub mod control;
mod engine;
mod journal;
mod limit;
mod magic;
mod plan;
mod post;
mod record;
mod server;
mod shard;
mod simulator;
mod wire;

pub use behaviour::{Answers, Behaviour, Callbacks, RateLimit, Receipts, Scope};
pub use behaviours::Behaviours;
pub use code::Code;
pub use magic::Magic;
pub use record::{Call, CallOutcome, Mode, SentReceipt, Summary};
pub use simulator::{Account, Options, Simulator, run};
pub use wire::{ReceiptStatus, SIGNATURE_HEADER};
