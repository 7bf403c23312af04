#![doc = include_str!("../../../docs/simulated-providers.md")]

mod address;
mod behaviour;
mod behaviours;
mod callbacks;
mod code;
pub mod control;
mod door;
mod engine;
mod journal;
mod limit;
mod line;
mod magic;
mod plan;
mod post;
mod record;
mod schedule;
mod server;
mod shard;
mod simulator;
pub mod whatsapp_cloud;
mod wire;

pub use behaviour::{Answers, Behaviour, Callbacks, RateLimit, Receipts, Scope};
pub use behaviours::Behaviours;
pub use code::Code;
pub use magic::Magic;
pub use record::{Call, CallOutcome, Mode, SentReceipt, Summary};
pub use simulator::{Account, Options, Simulator, run};
pub use wire::{ReceiptStatus, SIGNATURE_HEADER};
