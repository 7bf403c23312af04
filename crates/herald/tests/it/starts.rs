//! A Herald starts with nothing but a folder, answers, stops in order and starts again on what it has.

use crate::support::Herald;

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
