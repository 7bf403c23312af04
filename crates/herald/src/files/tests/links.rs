//! What is said of each link.

use super::{WHATSAPP, files, quick, server::Server, told};
use herald_rules::{file::Wanted, protocol::Protocol, template::MediaKind};
use std::time::Duration;

#[tokio::test]
async fn files_that_can_be_sent() {
    let server = Server::start().await;
    let files = files(quick());
    for (path, size) in [
        ("/logo.png", Some(16)),
        ("/ranged.png", Some(5_000)),
        ("/ranged-unknown.png", Some(16 + 65_536)),
        ("/no-head.png", Some(16)),
        ("/signed.png", Some(16)),
        ("/head-lies.png", Some(16)),
        ("/chunked.png", Some(16 + 2 * 65_536)),
        ("/busy-once.png", Some(16)),
        ("/one", Some(16)),
        ("/two", Some(16)),
    ] {
        let facts = files.check(&server.link(path), WHATSAPP).await.unwrap_or_else(|cause| panic!("{path}: {cause:?}"));
        assert_eq!((facts.media_type.as_str(), facts.size), ("image/png", size), "{path}");
    }
    assert_eq!(server.asked("/ranged.png"), ["HEAD", "GET bytes=0-1023"]);
    assert_eq!(server.asked("/ranged-unknown.png"), ["HEAD", "GET bytes=0-1023", "GET"]);
}

#[tokio::test]
async fn files_that_cannot_be_sent_and_why() {
    let server = Server::start().await;
    let files = files(quick());
    for (path, code, words) in [
        ("/page", "file_is_web_page", "a web page (text/html)"),
        ("/page.png", "file_is_web_page", "a web page"),
        ("/logo.svg", "file_type_not_allowed", "is image/svg+xml. WhatsApp takes images as JPEG and PNG."),
        ("/lies.png", "file_type_not_allowed", "PNG (image/png), but its content is application/pdf"),
        ("/bare.png", "file_type_not_allowed", "have the server answer with image/png"),
        ("/untyped", "file_type_not_allowed", "no Content-Type"),
        ("/empty.png", "file_type_not_allowed", "is empty"),
        ("/huge.png", "file_too_large", "has 1024 MB; WhatsApp takes up to 5 MB for images."),
        ("/endless.png", "file_too_large", "has more than 5 MB"),
        ("/gone", "file_unreachable", "HTTP 404"),
        ("/closed", "file_unreachable", "HTTP 403"),
        ("/away", "file_unreachable", "HTTP 503"),
        ("/nowhere", "file_unreachable", "HTTP 302"),
        ("/breaks.png", "file_unreachable", "broke off"),
        ("/loop", "file_unreachable", "redirects more than 2 times"),
        ("/three", "file_unreachable", "redirects more than 2 times"),
        ("/inside", "file_unreachable", "not on the public internet"),
        ("/metadata", "file_unreachable", "not on the public internet"),
        ("/mapped", "file_unreachable", "not on the public internet"),
        ("/with-password", "file_unreachable", "user name or password"),
        ("/ftp", "file_unreachable", "no http or https address"),
    ] {
        let (found, sentence) = told(files.check(&server.link(path), WHATSAPP).await).unwrap_err();
        assert_eq!(found, code, "{path}: {sentence}");
        assert!(sentence.contains(words), "{path}: {sentence}");
        assert!(!sentence.contains("127.0.0.1") && !sentence.contains(path), "the link is not repeated: {sentence}");
    }
    // Only what may pass is tried again.
    assert_eq!(server.asked("/gone"), ["HEAD", "GET bytes=0-1023"]);
    assert_eq!(server.asked("/away").len(), 4);
    assert_eq!(server.asked("/huge.png"), ["HEAD"]);
    assert_eq!(server.asked("/loop").len(), 3);
}

#[tokio::test]
async fn what_it_is_for_decides() {
    let server = Server::start().await;
    let files = files(quick());
    let check = async |path: &str, wanted| told(files.check(&server.link(path), wanted).await);
    let apple = Wanted::Message(Protocol::AppleBusinessChat);
    assert_eq!(check("/logo.svg", apple).await, Ok("image/svg+xml".to_owned()));
    assert_eq!(check("/bare.png", apple).await, Ok("image/png".to_owned()));
    assert_eq!(check("/logo.png", Wanted::Header(MediaKind::Image)).await, Ok("image/png".to_owned()));
    let (code, sentence) = check("/logo.png", Wanted::Header(MediaKind::Video)).await.unwrap_err();
    assert_eq!(code, "file_type_not_allowed");
    assert_eq!(sentence, "The file is image/png. The video header of the template takes MP4 and 3GP.");
}

#[tokio::test]
async fn a_limit_of_our_own() {
    let server = Server::start().await;
    let mut settings = quick();
    settings.most = 15;
    let (code, sentence) = told(files(settings).check(&server.link("/logo.png"), WHATSAPP).await).unwrap_err();
    assert_eq!((code, sentence.contains("files.max_mib")), ("file_too_large", true));
}

#[tokio::test]
async fn private_addresses_are_never_asked() {
    let server = Server::start().await;
    let mut settings = quick();
    settings.allow_networks = [].into();
    let files = files(settings);
    let https = server.link("/logo.png").replace("http:", "https:");
    for link in [
        server.link("/logo.png"),
        https,
        "https://127.0.0.1/logo.png".to_owned(),
        "https://localhost/logo.png".to_owned(),
        "https://2130706433/".to_owned(),
        "https://[::1]/".to_owned(),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        "https://user:word@files.example/".to_owned(),
        "no link".to_owned(),
        String::new(),
    ] {
        let (code, _) = told(files.check(&link, WHATSAPP).await).unwrap_err();
        assert_eq!(code, "file_unreachable", "{link}");
    }
    assert!(server.asked("/logo.png").is_empty());
}

#[tokio::test]
async fn servers_that_do_not_answer() {
    let server = Server::start().await;
    let mut settings = quick();
    settings.total = Duration::from_millis(300);
    let files = files(settings);
    let (code, sentence) = told(files.check(&server.link("/slow.png"), WHATSAPP).await).unwrap_err();
    assert_eq!((code, sentence.as_str()), ("file_unreachable", "The server of the file did not answer in time."));
    assert_eq!(server.asked("/slow.png").iter().filter(|asked| *asked == "HEAD").count(), 2, "tried twice");
    // Nobody listens there: the port was taken and given back.
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (code, sentence) = told(files.check(&format!("http://{nobody}/logo.png"), WHATSAPP).await).unwrap_err();
    assert_eq!(code, "file_unreachable");
    assert!(sentence.starts_with("The server of the file cannot be connected to"), "{sentence}");
}

#[tokio::test]
async fn a_head_that_hangs_does_not_keep_a_file_from_being_sent() {
    let server = Server::start().await;
    let mut settings = quick();
    settings.total = Duration::from_secs(4);
    assert!(files(settings).check(&server.link("/head-hangs.png"), WHATSAPP).await.is_ok());
}
