//! A throw-away PostgreSQL for tests and measurements, from the installed binaries.
//!
//! ```no_run
//! use herald_postgres_server::{Options, Server, Shared};
//! # fn main() -> anyhow::Result<()> {
//! // A server of one's own, to be stopped, killed, paused, promoted. Gone when dropped.
//! let mut server = Server::start(Options::default())?;
//! let url = server.database("herald")?; // postgres://postgres@127.0.0.1:21234/herald
//! server.kill()?; // as a power cut would; start_again() lets it recover, on the same port
//! server.start_again()?;
//!
//! // Fail-over: commits on the primary wait for the standby.
//! let standby = Server::start_standby_of(&server, Options::default())?;
//! let either = server.url_with(&standby, "herald"); // both hosts, target_session_attrs=read-write
//! server.kill()?;
//! standby.promote()?;
//!
//! // One server for all tests of a run, a database each: this is what most tests want.
//! let shared = Shared::get()?;
//! shared.template("herald_tables", |url| Ok(()))?; // made once a run: migrate what `url` names
//! let own = shared.copy_of("herald_tables")?; // dropped with the value
//! println!("{} {either} {url}", own.url());
//! # Ok(()) }
//! ```
//!
//! The calls block; inside an async test that is no harm, or use `spawn_blocking`.
//!
//! - **Where the binaries are**: `PG_BIN`, else the newest `/usr/lib/postgresql/*/bin`, else the `PATH`.
//! - **As root**, which PostgreSQL refuses, it runs as the user `postgres`, or `nobody` where that is missing.
//! - **What it leaves behind**: nothing. A server ends with its value; if the process is killed, the kernel tells the
//!   server (`setpriv --pdeathsig`), and the next start removes its folder. The shared one ends with the test runner.
//! - **Durability**: off unless [`Options::durable`]: fsync costs more than the rest of a test. A killed server still
//!   loses nothing, since the machine lives on.
//! - **What it costs**, by `cargo run -p herald-postgres-server --example starts`, in ms, on two cores that others
//!   used too, with PostgreSQL 15: a start 90 (on a disk, or durable, 250 to 800; once a version 600 more for
//!   `initdb`), a restart 70, recovery after a kill 35, a standby 550, its promotion 20 to 120, the shared server 90 and
//!   then 50 for each database of one's own, gone in 20.

mod address;
mod binaries;
mod cluster;
mod folder;
mod options;
mod process;
mod server;
mod shared;
mod standby;

pub use address::Address;
pub use options::{Options, Tls};
pub use server::Server;
pub use shared::{Database, Shared};
