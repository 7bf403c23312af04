//! How long a server takes to be made, stopped, copied: `cargo run -p herald-postgres-server --example starts`.

use herald_postgres_server::{Options, Server, Shared};
use std::time::Instant;

fn timed<T>(what: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let began = Instant::now();
    let done = work()?;
    println!("{what:<40} {:>6.0} ms", began.elapsed().as_secs_f64() * 1000.0);
    Ok(done)
}

fn main() -> anyhow::Result<()> {
    let mut server = timed("start, with initdb if it is the first", || Server::start(Options::default()))?;
    timed("start of another", || Server::start(Options::default()))?;
    let durable = timed("start, durable", || Server::start(Options::durable()))?;
    timed("empty database", || server.database("one"))?;
    server.query("one", "CREATE TABLE a AS SELECT generate_series(1, 1000)")?;
    timed("copy of a database", || server.database_like("one", "two"))?;
    timed("database dropped", || server.drop_database("two"))?;
    timed("a query by psql", || server.query("one", "SELECT 1"))?;
    timed("restart", || server.restart())?;
    timed("kill", || server.kill())?;
    timed("start again, with recovery", || server.start_again())?;
    let standby = timed("standby that follows", || Server::start_standby_of(&server, Options::default()))?;
    server.kill()?;
    timed("promotion", || standby.promote())?;
    timed("dropped", || {
        drop(standby);
        Ok(())
    })?;
    timed("dropped, durable", || {
        drop(durable);
        Ok(())
    })?;
    let shared = timed("the shared one", Shared::get)?;
    let own = timed("a database of it", || shared.empty())?;
    timed("which is dropped", || {
        drop(own);
        Ok(())
    })
}
