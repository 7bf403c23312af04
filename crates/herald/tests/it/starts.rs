//! A Herald starts with nothing but a folder, answers, stops in order and starts again on what it has.

use crate::support::{Herald, until};
use rustix::process::Signal;

#[tokio::test(flavor = "multi_thread")]
async fn starts_stops_and_starts_again() {
    let mut herald = Herald::start().await;
    assert_eq!(herald.ask().get("/openapi.json").await.good()["info"]["title"], "Herald");
    assert_eq!(herald.ask().get("/nowhere").await.code(), "route_not_found");
    let (base, admin) = (herald.base.clone(), herald.admin.clone());
    assert!(herald.stop().await.success());
    herald.restart().await;
    assert_eq!((herald.base.as_str(), herald.admin.as_str()), (base.as_str(), admin.as_str()));
    herald.kill();
    herald.restart().await;
    herald.ask().get("/openapi.json").await.good();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_folder_has_one_herald() {
    let herald = Herald::start().await;
    let second = herald.command(&["serve", "--public", "127.0.0.1:0", "--internal", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use by another Herald"), "{second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_told_of_before_it_begins_and_a_hangup_ends_nothing() {
    let mut herald = Herald::builder().set("shutdown.notice", "60 s").start().await;
    herald.signal(Signal::HUP);
    herald.ask().get("/openapi.json").await.good();
    herald.signal(Signal::TERM);
    until("the stop to be told of", || async { (herald.inside().get("/readyz").await.status == 503).then_some(()) })
        .await;
    herald.ask().get("/openapi.json").await.good();
    assert!(herald.inside().get("/livez").await.status.is_success());
    // A second one does not wait for the end of the notice.
    assert!(herald.stop().await.success());
}
