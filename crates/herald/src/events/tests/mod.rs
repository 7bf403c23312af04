//! The hand-over from end to end, against a receiver on loopback.

mod wire;
mod world;
