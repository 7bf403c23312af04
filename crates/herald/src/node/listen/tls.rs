//! The certificate of a listener, and its renewal without a restart.

use crate::config::Tls;
use anyhow::Context;
use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::{TLS12, TLS13},
};
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// The files, and what was last read from them.
#[derive(Debug)]
pub(super) struct Certificates {
    files: Tls,
    current: ArcSwap<ServerConfig>,
}

impl Certificates {
    pub(super) fn read(files: Tls) -> anyhow::Result<Self> {
        let current = ArcSwap::from(read(&files)?);
        Ok(Self { files, current })
    }

    /// For the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }

    /// Reads the files again; connections that are open keep what they have.
    pub(super) fn reload(&self) -> anyhow::Result<()> {
        self.current.store(read(&self.files)?);
        Ok(())
    }
}

fn read(files: &Tls) -> anyhow::Result<Arc<ServerConfig>> {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("listen.tls_certificate, {certificate}, cannot be read as PEM"))?;
    anyhow::ensure!(!chain.is_empty(), "listen.tls_certificate, {certificate}, holds no certificate");
    let private = PrivateKeyDer::from_pem_file(&files.key)
        .with_context(|| format!("listen.tls_key, {key}, cannot be read as a PEM private key"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .with_context(|| format!("{certificate} and {key} do not belong together"))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Runs until `stop`.
pub(super) async fn reload_on_hangup(certificates: Arc<Certificates>, stop: CancellationToken) {
    let mut hangups = match signal(SignalKind::hangup()) {
        Ok(hangups) => hangups,
        Err(error) => return tracing::warn!(%error, "SIGHUP cannot be watched: renewed certificates need a restart"),
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = hangups.recv() => match certificates.reload() {
                Ok(()) => tracing::info!("certificate and key were read again"),
                Err(error) => tracing::error!("the old certificate stays: {error:#}"),
            },
        }
    }
}
