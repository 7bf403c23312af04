use super::*;
use axum::routing::get;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::path::PathBuf;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;

const LONG: Duration = Duration::from_secs(20);
const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

fn files() -> Tls {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/node/listen/testdata");
    Tls { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") }
}

async fn start(router: Router, tls: Option<Tls>, grace: Duration) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), tls).await.unwrap();
    let (address, stop) = (listener.address(), CancellationToken::new());
    let served = tokio::spawn(listener.serve(router, Arc::new(Metrics::new()), stop.clone(), grace));
    (address, stop, served)
}

/// Answers after it was told to; says when a request has come.
fn slow() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (came, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (come, going) = (came.clone(), go.clone());
    let handler = move |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move {
        come.notify_one();
        going.notified().await;
        format!("hello {}", peer.ip())
    };
    (Router::new().route("/", get(handler)), came, go)
}

#[tokio::test]
async fn a_request_under_way_ends_and_new_ones_are_refused() {
    let (router, came, go) = slow();
    let (address, stop, served) = start(router, None, LONG).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    // A connection that never says anything must not hold up the stop.
    let idle = TcpStream::connect(address).await.unwrap();
    client.write_all(ASK).await.unwrap();
    came.notified().await;
    stop.cancel();
    // The socket is closed a moment after the stop: until then connections are taken by the system alone.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    go.notify_one();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello 127.0.0.1"), "{answer}");
    timeout(LONG, served).await.unwrap().unwrap();
    drop(idle);
}

#[tokio::test]
async fn what_does_not_end_is_cut_off() {
    let (router, came, _never) = slow();
    let (address, stop, served) = start(router, None, Duration::from_millis(10)).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(ASK).await.unwrap();
    came.notified().await;
    stop.cancel();
    timeout(LONG, served).await.unwrap().unwrap();
    let mut answer = Vec::new();
    assert_eq!(client.read_to_end(&mut answer).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn tls_speaks_both_versions_of_http() {
    let router = Router::new().route("/", get(|| async { "hello" }));
    let (address, stop, served) = start(router, Some(files()), LONG).await;
    for (version, offered, agreed) in [
        (&rustls::version::TLS12, "http/1.1", "http/1.1"),
        (&rustls::version::TLS13, "http/1.1", "http/1.1"),
        (&rustls::version::TLS13, "h2", "h2"),
    ] {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(files().certificate).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![offered.as_bytes().to_vec()];
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(agreed.as_bytes()));
        if agreed == "http/1.1" {
            stream.write_all(ASK).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.ends_with("hello"), "{answer}");
        }
    }
    stop.cancel();
    timeout(LONG, served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_broken_renewal_keeps_the_old_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let copied = Tls { certificate: folder.path().join("c.pem"), key: folder.path().join("k.pem") };
    std::fs::copy(files().certificate, &copied.certificate).unwrap();
    std::fs::copy(files().key, &copied.key).unwrap();
    let certificates = Certificates::read(copied.clone()).unwrap();
    let before = certificates.acceptor();
    std::fs::write(&copied.certificate, "").unwrap();
    assert!(certificates.reload().unwrap_err().to_string().contains("holds no certificate"));
    assert!(Arc::ptr_eq(before.config(), certificates.acceptor().config()));
    std::fs::copy(files().certificate, &copied.certificate).unwrap();
    certificates.reload().unwrap();
    assert!(!Arc::ptr_eq(before.config(), certificates.acceptor().config()));
}

#[tokio::test]
async fn an_address_in_use_and_missing_files_are_explained() {
    let first = Listener::bind("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
    let error = Listener::bind(first.address(), None).await.unwrap_err();
    assert!(format!("{error:#}").contains("choose a port"), "{error:#}");
    let missing = Tls { certificate: "/nowhere/c.pem".into(), ..files() };
    let error = Listener::bind("127.0.0.1:0".parse().unwrap(), Some(missing)).await.unwrap_err();
    assert!(format!("{error:#}").contains("listen.tls_certificate, /nowhere/c.pem"), "{error:#}");

    let folder = tempfile::tempdir().unwrap();
    first.announce(folder.path(), "public").await.unwrap();
    let written = std::fs::read_to_string(folder.path().join("public.address")).unwrap();
    assert_eq!(written, format!("http://{}\n", first.address()));
}
