//! Several nodes on one PostgreSQL: nothing is lost and nobody gets two, whatever happens to nodes and database.
//!
//! - `cluster`: nodes and their database; `front` and `line`: what stands before and behind
//!   them; `scene`: a department with its lanes on it.
//! - `traffic`: clients that keep to no node; `havoc`: what happens meanwhile.
//! - `judge`, `told`: what is true at the end.
//! - `chaos`, `fail_over`, `moves`, `roles`: the scenarios.

mod chaos;
mod cluster;
mod fail_over;
mod front;
mod havoc;
mod judge;
mod line;
mod moves;
mod roles;
mod scene;
mod told;
mod traffic;

/// A number from the environment, for who repeats a run.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}
