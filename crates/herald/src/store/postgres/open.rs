//! Reaching the server: the pool, TLS, migrations.

use super::{
    Engine, accept,
    gather::Gather,
    inbox,
    pipeline::Statistics,
    wake::{self, Telling, Wakes},
};
use crate::store::{
    Observer, PostgresOptions, StoreError,
    migrations::{HISTORY, Schema, compare, failed, runner},
};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use herald_rules::time::Timestamp;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls_platform_verifier::ConfigVerifierExt;
use secrecy::ExposeSecret;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

refinery::embed_migrations!("migrations/postgres");

/// Held while migrations run, so that of several nodes that start at once one runs them: "HRLD".
pub(in crate::store) const MIGRATING: i64 = 0x4852_4c44;
/// The table in which a copy notes how far it has come; there until it is whole.
pub(in crate::store) const COPYING: &str = "herald_copy";
/// A server that does not answer a connection attempt within this time is taken for gone; the next of the URL is tried.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// A transaction that is left open by a node which stands still keeps its locks no longer than this: the lanes of a dead
/// node must move within 5 s.
const IDLE_IN_TRANSACTION: Duration = Duration::from_millis(1_500);
/// Every statement of ours is a walk along indexes for some hundred rows. A plan that was made while a table was nearly empty
/// lives on in its connection until the table is analysed: it must not be one that reads all of it. Without `jit=off` the
/// costs that these settings add would have each such statement compiled.
///
/// Plans do not depend on values: of a department that is newer than the last ANALYZE the planner thinks that it has no rows,
/// and takes any index that begins with it (37 ms for 200 keys of 120,000 rows instead of 0.5).
///
/// They do not say which side of a join is walked first, nor by how much of a key the other is looked up: where a table is
/// thought empty, all of a department costs no more than one row. So rows of large tables are looked up for given ones by
/// `CROSS JOIN LATERAL (SELECT ... LIMIT 1)`, never by a plain join; a statement that changes them finds them so too, and
/// joins by `ctid`.
const PLANS: &str = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c enable_material=off -c jit=off \
                     -c plan_cache_mode=force_generic_plan";
/// How long an answer may fail to arrive on a broken connection.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);

impl Engine {
    pub(in crate::store) async fn open(
        options: &PostgresOptions,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, StoreError> {
        let config = configure(options)?;
        migrate(&config, options).await?;
        refuse_half_a_copy(&config, options).await?;
        let manager =
            Manager::from_config(config, tls(options)?, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let timeouts =
            Timeouts { wait: Some(options.wait), create: Some(CONNECT_WITHIN), recycle: Some(CONNECT_WITHIN) };
        let pool = Pool::builder(manager)
            .max_size(options.connections.max(2))
            .runtime(Runtime::Tokio1)
            .timeouts(timeouts)
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let wakes = Arc::new(Wakes::new());
        let engine = Self {
            pool,
            observer: Arc::new(Telling { observer: observer.clone(), wakes: wakes.clone() }),
            wakes,
            statistics: Arc::new(Statistics::new(observer.clone(), options.statement_timeout)),
            positions: Arc::default(),
            accepting: Arc::new(Gather::new(accept::FULL)),
            keeping: Arc::new(Gather::new(inbox::FULL)),
            kept: Arc::default(),
        };
        engine.learn_positions().await?;
        engine.forget_nodes().await?;
        wake::start(&engine, options, observer);
        if let Err(error) = engine.ensure_partitions(Timestamp::now()).await {
            tracing::warn!(%error, "open.partitions_not_made");
        }
        Ok(engine)
    }
}

/// The URL with what every connection of ours needs.
pub(in crate::store) fn configure(options: &PostgresOptions) -> Result<Config, StoreError> {
    let mut config: Config = options.url.expose_secret().parse().map_err(|error: tokio_postgres::Error| {
        // The source alone: the whole could hold the URL, and that a password.
        let reason = std::error::Error::source(&error).map_or_else(|| "not a URL".to_owned(), ToString::to_string);
        StoreError::Unavailable(format!("the URL of the database cannot be read: {reason}"))
    })?;
    if config.get_application_name().is_none() {
        config.application_name("herald");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_WITHIN);
    }
    config.keepalives_idle(Duration::from_secs(10));
    config.tcp_user_timeout(TCP_USER_TIMEOUT);
    let settings = format!(
        "{} -c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={} -c timezone=UTC {PLANS}",
        config.get_options().unwrap_or_default(),
        options.statement_timeout.as_millis(),
        (options.statement_timeout / 2).as_millis(),
        IDLE_IN_TRANSACTION.as_millis(),
    );
    config.options(settings.trim());
    Ok(config)
}

/// TLS as the URL's `sslmode` wants it, with the certificate authorities of the system, or those that are configured.
pub(in crate::store) fn tls(options: &PostgresOptions) -> Result<MakeRustlsConnect, StoreError> {
    let unusable = |error: &dyn std::fmt::Display| StoreError::Unavailable(format!("TLS cannot be set up: {error}"));
    let config = match &options.ca_file {
        None => rustls::ClientConfig::with_platform_verifier().map_err(|error| unusable(&error))?,
        Some(path) => {
            let mut roots = rustls::RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))? {
                let certificate = certificate.map_err(|error| unusable(&error))?;
                roots.add(certificate).map_err(|error| unusable(&error))?;
            }
            rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

/// Runs the migrations that are missing, one node at a time, and tells which.
pub(in crate::store) async fn migrate(config: &Config, options: &PostgresOptions) -> Result<Schema, StoreError> {
    // Another node's migration is waited for, and a large one takes its time.
    let mut session = Session::open(config, options).await?;
    session.client.execute("SELECT pg_advisory_lock($1)", &[&MIGRATING]).await?;
    // The lock ends with the connection in any case.
    let schema = schema(&mut session.client).await?;
    if !schema.missing.is_empty() {
        runner(migrations::runner()).run_async(&mut session.client).await.map_err(|error| failed(&error))?;
    }
    session.close().await;
    Ok(schema)
}

/// The migrations that the database has had.
pub(in crate::store) async fn schema(client: &mut Client) -> Result<Schema, StoreError> {
    let runner = migrations::runner();
    let made: bool = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&HISTORY]).await?.get(0);
    let applied = match made {
        true => runner.get_applied_migrations_async(client).await.map_err(|error| failed(&error))?,
        false => vec![],
    };
    compare(runner.get_migrations(), &applied)
}

/// What `herald db copy` has begun and not ended is no database to work on.
async fn refuse_half_a_copy(config: &Config, options: &PostgresOptions) -> Result<(), StoreError> {
    let session = Session::open(config, options).await?;
    let half: bool = session.client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&COPYING]).await?.get(0);
    session.close().await;
    match half {
        false => Ok(()),
        true => Err(StoreError::Unavailable(
            "it is half of a copy: run `herald db copy` again, which goes on where it was".into(),
        )),
    }
}

/// A connection of its own without limits of time, for what is done to the database as a whole.
pub(in crate::store) struct Session {
    pub(in crate::store) client: Client,
    driven: JoinHandle<Result<(), tokio_postgres::Error>>,
}

impl Session {
    pub(in crate::store) async fn open(config: &Config, options: &PostgresOptions) -> Result<Self, StoreError> {
        let mut config = config.clone();
        config.options(
            "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c timezone=UTC",
        );
        let (client, connection) = config.connect(tls(options)?).await?;
        Ok(Self { client, driven: tokio::spawn(connection) })
    }

    /// Waits until the server knows that it has ended.
    pub(in crate::store) async fn close(self) {
        drop(self.client);
        drop(self.driven.await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_url_is_not_repeated() {
        let error = configure(&PostgresOptions::at("postgres://user:secret@host/db?nonsense=1")).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(matches!(error, StoreError::Unavailable(_)));
    }
}
