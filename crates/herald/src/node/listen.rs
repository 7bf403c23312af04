//! A listener: takes connections, plain or TLS, HTTP/1.1 or HTTP/2, and lets them end well.

mod tls;

use crate::{config::Tls, observe::metrics::Metrics};
use anyhow::Context;
use axum::{Router, extract::ConnectInfo, extract::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use std::{io, net::SocketAddr, path::Path, pin::pin, sync::Arc, time::Duration};
use tls::Certificates;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

/// The time for a TLS handshake, and for the head of each request. The latter also ends an idle HTTP/1.1 connection, so
/// it must not be shorter than the 60 to 90 s for which usual clients and proxies keep a connection for reuse.
const HANDSHAKE: Duration = Duration::from_secs(10);
const REQUEST_HEAD: Duration = Duration::from_secs(95);
/// How often an HTTP/2 connection is asked whether its other end is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Requests at once on one HTTP/2 connection: hyper's own default, written down because it bounds memory.
const STREAMS: u32 = 200;
/// The pause after the system refused a connection for want of files or memory: trying again at once would only burn
/// a processor.
const OUT_OF_FILES: Duration = Duration::from_millis(100);

/// A listener that has its address but takes no connections yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    certificates: Option<Arc<Certificates>>,
}

impl Listener {
    /// Takes `address` (port 0: any free one) and, with `tls`, reads the certificate and its key.
    pub async fn bind(address: SocketAddr, tls: Option<Tls>) -> anyhow::Result<Self> {
        let certificates = tls.map(Certificates::read).transpose()?.map(Arc::new);
        let socket = TcpListener::bind(address).await.with_context(|| {
            format!("{address} cannot be listened on; if another program has it, choose a port in [listen] or stop that program")
        })?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address, certificates })
    }

    /// The address really taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Writes the address to `NAME.address` in `folder`, where the command line and tests look for it.
    pub async fn announce(&self, folder: &Path, name: &str) -> anyhow::Result<()> {
        let scheme = if self.certificates.is_some() { "https" } else { "http" };
        let path = folder.join(format!("{name}.address"));
        // Written beside and moved into place: a reader never sees half an address.
        let draft = folder.join(format!("{name}.address.new"));
        let written = async {
            tokio::fs::write(&draft, format!("{scheme}://{}\n", self.address)).await?;
            tokio::fs::rename(&draft, &path).await
        };
        written.await.with_context(|| format!("{} cannot be written", path.display()))
    }

    /// Serves `router` until `stop` is cancelled; then takes no new connections, lets requests under way end, and cuts
    /// off what has not ended after `grace`. Handlers find the client's address in [`ConnectInfo<SocketAddr>`].
    ///
    /// With TLS, SIGHUP reads certificate and key again; if they are not right, the old ones stay.
    pub async fn serve(self, router: Router, metrics: Arc<Metrics>, stop: CancellationToken, grace: Duration) {
        let connections = TaskTracker::new();
        let cut = CancellationToken::new();
        let server = Arc::new(Server { router, http: http(), certificates: self.certificates.clone(), metrics });
        if let Some(certificates) = self.certificates {
            tokio::spawn(tls::reload_on_hangup(certificates, stop.clone()));
        }
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(server.clone().connection(stream, peer, stop.clone(), cut.clone()));
                }
                // That client has gone already.
                Err(error) if is_of_client(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection can be taken");
                    tokio::time::sleep(OUT_OF_FILES).await;
                }
            }
        }
        // New connections are refused from here on, rather than left waiting in the system's queue.
        drop(self.socket);
        connections.close();
        if timeout(grace, connections.wait()).await.is_err() {
            tracing::warn!(connections = connections.len(), "cut off: not ended within shutdown.grace");
            cut.cancel();
            connections.wait().await;
        }
    }
}

/// Whether a listener could use these files, for those who want to know before a start.
pub fn check_tls(files: Tls) -> anyhow::Result<()> {
    Certificates::read(files).map(|_| ())
}

/// What all connections of a listener share.
struct Server {
    router: Router,
    http: auto::Builder<TokioExecutor>,
    certificates: Option<Arc<Certificates>>,
    metrics: Arc<Metrics>,
}

impl Server {
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        stop: CancellationToken,
        cut: CancellationToken,
    ) {
        self.metrics.http_connections.inc();
        // Answers are written in one piece: waiting for more to send (Nagle) would only add 40 ms.
        // Where it cannot be set, the connection is slower but works.
        let _ = stream.set_nodelay(true);
        match &self.certificates {
            None => self.speak(stream, peer, stop, cut).await,
            Some(certificates) => match timeout(HANDSHAKE, certificates.acceptor().accept(stream)).await {
                Ok(Ok(stream)) => self.speak(stream, peer, stop, cut).await,
                // On debug: any port scanner causes these.
                Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS with this client"),
                Err(_) => tracing::debug!(%peer, "no TLS handshake in time"),
            },
        }
        self.metrics.http_connections.dec();
    }

    async fn speak<S>(&self, stream: S, peer: SocketAddr, stop: CancellationToken, cut: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = &self.router;
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().call(request)
        });
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let mut stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "connection ended early");
                    }
                    break;
                }
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = cut.cancelled() => break,
            }
        }
    }
}

fn http() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(REQUEST_HEAD);
    http.http2().timer(TokioTimer::new()).keep_alive_interval(KEEP_ALIVE).max_concurrent_streams(STREAMS);
    http
}

fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests;
