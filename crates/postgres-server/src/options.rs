//! How a server is to be.

use std::path::PathBuf;

/// How a server is to be. The default is for tests: quick, and not durable.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether a commit waits for the disk, as in production. Measurements want this.
    pub durable: bool,
    /// Settings as in `postgresql.conf`; they win over ours. `ALTER SYSTEM` can change them later.
    pub settings: Vec<(String, String)>,
    /// Ask for this password over TCP (SCRAM): letters and digits, since it goes into URLs. Without one everybody on
    /// this machine is let in.
    pub password: Option<String>,
    /// Offer TLS with this certificate.
    pub tls: Option<Tls>,
    /// Where its folder is made; among the temporary files by default, and in memory where it need not be durable and
    /// there is room. The user `postgres` must be able to enter it.
    pub folder: Option<PathBuf>,
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate, and those that lead to its root, as PEM.
    pub certificate: String,
    /// Its private key as PEM.
    pub key: String,
}

impl Options {
    /// As in production: a commit waits for the disk.
    #[must_use]
    pub fn durable() -> Self {
        Self { durable: true, ..Self::default() }
    }

    /// The same with one more setting of `postgresql.conf`.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The lines for `postgresql.conf`; of two for one setting PostgreSQL takes the last.
    pub(crate) fn lines(&self) -> String {
        let mut lines = String::from(
            "\n# Throw-away server\n\
             max_connections = 200\n\
             shared_buffers = 64MB\n\
             lc_messages = 'C'\n\
             timezone = 'UTC'\n\
             logging_collector = off\n\
             log_checkpoints = off\n",
        );
        if !self.durable {
            // full_page_writes guards against torn pages after a power cut, which is not what tests are about.
            // Shared memory in the data folder, not beside it, is removed with it after a kill, too.
            lines.push_str("fsync = off\nfull_page_writes = off\ndynamic_shared_memory_type = mmap\n");
        }
        if self.tls.is_some() {
            lines.push_str("ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n");
        }
        for (name, value) in &self.settings {
            lines.push_str(&format!("{name} = '{}'\n", value.replace('\'', "''")));
        }
        lines
    }

    /// Who may come in: all over the socket, which only this user's folder leads to; over TCP by the password.
    pub(crate) fn entry(&self) -> String {
        let method = if self.password.is_some() { "scram-sha-256" } else { "trust" };
        format!(
            "local all all trust\n\
             local replication all trust\n\
             host all all 127.0.0.1/32 {method}\n\
             host replication all 127.0.0.1/32 trust\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_caller_sets_comes_last_and_is_quoted() {
        let options = Options::durable().with("fsync", "off").with("search_path", "it's");
        let lines = options.lines();
        assert!(lines.ends_with("fsync = 'off'\nsearch_path = 'it''s'\n"), "{lines}");
        assert!(!lines.contains("fsync = off\n"));
        assert!(Options::default().lines().contains("\nfsync = off\n"));
    }

    #[test]
    fn a_password_is_asked_for_over_tcp_only() {
        let options = Options { password: Some("secret".into()), ..Options::default() };
        assert!(options.entry().contains("host all all 127.0.0.1/32 scram-sha-256"));
        assert!(options.entry().contains("local all all trust"));
    }
}
