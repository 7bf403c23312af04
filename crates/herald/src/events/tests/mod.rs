//! The hand-over from end to end, against a receiver on loopback.

mod order;
mod outcomes;
mod poll;
mod replay;
mod speed;
mod wire;
mod world;
