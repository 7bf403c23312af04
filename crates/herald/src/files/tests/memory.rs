//! What is known is not asked for again, for its time; and many who ask at once ask once.

use super::{WHATSAPP, files, quick, server::Server, told, until};
use crate::observe::metrics::FileVerdict;
use herald_rules::{file::Wanted, template::MediaKind};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_with_one_link_makes_one_check() {
    let server = Server::start().await;
    let files = files(quick());
    let link = server.link("/logo.png");
    let asking: Vec<_> = (0..200)
        .map(|_| {
            let (files, link) = (files.clone(), link.clone());
            tokio::spawn(async move { files.check(&link, WHATSAPP).await.is_ok() })
        })
        .collect();
    for asked in asking {
        assert!(asked.await.unwrap());
    }
    assert!(files.check(&link, WHATSAPP).await.is_ok());
    assert_eq!(server.asked("/logo.png").len(), 2, "HEAD and GET");
    assert_eq!(files.inner.metrics.file_checks.of(FileVerdict::Sendable).get(), 1);
    assert_eq!(files.inner.metrics.file_checks_known.get(), 200);
    // For another use it is another verdict; for another query another file.
    assert!(files.check(&link, Wanted::Header(MediaKind::Video)).await.is_err());
    assert!(files.check(&format!("{link}?v=2"), WHATSAPP).await.is_ok());
    assert_eq!(server.asked("/logo.png").len(), 6);
}

#[tokio::test]
async fn each_verdict_holds_for_its_time() {
    let server = Server::start().await;
    let mut settings = quick();
    settings.keep_unreachable = Duration::from_millis(20);
    let files = files(settings);
    let (page, away) = (server.link("/page"), server.link("/away"));
    for _ in 0..3 {
        assert_eq!(told(files.check(&page, WHATSAPP).await).unwrap_err().0, "file_is_web_page");
    }
    assert_eq!(told(files.check(&away, WHATSAPP).await).unwrap_err().0, "file_unreachable");
    until("the server is asked again", || async {
        assert!(files.check(&away, WHATSAPP).await.is_err() && files.check(&page, WHATSAPP).await.is_err());
        server.asked("/away").len() > 4
    })
    .await;
    assert_eq!(server.asked("/page").len(), 2, "what was refused is known for longer");
    assert!(files.inner.metrics.file_checks.of(FileVerdict::Unreachable).get() >= 2);
    assert_eq!(files.inner.metrics.file_checks.of(FileVerdict::WebPage).get(), 1);
}

#[tokio::test]
async fn what_is_kept_is_bounded() {
    let server = Server::start().await;
    let mut settings = quick();
    settings.entries = 40;
    let files = files(settings);
    for at in 0..200 {
        assert!(files.check(&server.link(&format!("/logo.png?{at}")), WHATSAPP).await.is_ok());
    }
    assert!(files.inner.known.len() <= 64, "{}", files.inner.known.len());
}

#[tokio::test]
async fn who_cannot_wait_longer_is_told_and_may_ask_again() {
    let server = Server::start().await;
    let mut settings = quick();
    (settings.per_host, settings.turn) = (1, Duration::from_millis(30));
    let files = files(settings);
    let held = tokio::spawn({
        let (files, link) = (files.clone(), server.link("/held"));
        async move { files.check(&link, WHATSAPP).await }
    });
    until("the first is at the server", || async { !server.asked("/held").is_empty() }).await;
    let (code, sentence) = told(files.check(&server.link("/logo.png"), WHATSAPP).await).unwrap_err();
    assert_eq!(code, "file_unreachable");
    assert!(sentence.starts_with("Too many files of this server"), "{sentence}");
    assert!(server.asked("/logo.png").is_empty());
    until("the first has ended", || async {
        server.release();
        held.is_finished()
    })
    .await;
    assert!(held.await.unwrap().is_ok());
    assert!(files.check(&server.link("/logo.png"), WHATSAPP).await.is_ok(), "it was not held against the file");
}

#[tokio::test]
async fn who_leaves_while_asking_hands_over_to_the_next() {
    let server = Server::start().await;
    let files = files(quick());
    let ask = || {
        let (files, link) = (files.clone(), server.link("/held"));
        tokio::spawn(async move { files.check(&link, WHATSAPP).await })
    };
    let first = ask();
    until("the first is at the server", || async { !server.asked("/held").is_empty() }).await;
    let second = ask();
    first.abort();
    until("the second has its answer", || async {
        server.release();
        second.is_finished()
    })
    .await;
    assert!(second.await.unwrap().is_ok());
}
