//! A server that goes away, and comes back: refused in time, nothing lost, no restart of ours.

use super::*;
use herald_postgres_server::{Options as ServerOptions, Server};
use std::time::Instant;

/// Longer than any time-out of the store's.
const PATIENCE: Duration = Duration::from_secs(30);

fn server() -> Server {
    Server::start(ServerOptions::default()).unwrap()
}

impl Fixture {
    async fn on(url: String) -> Self {
        Self::at_home(Home::Server(url)).await
    }

    /// Accepts until it is accepted.
    async fn accepted_again(&self) {
        let began = Instant::now();
        while self.store.accept(vec![self.new_message("1", |_| {})]).await.is_err() {
            assert!(began.elapsed() < PATIENCE, "not at work again");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks for one message, which is refused within time.
    async fn is_refused(&self) {
        let asked = tokio::time::timeout(PATIENCE, self.store.accept(vec![self.new_message("1", |_| {})]));
        let refused = asked.await.expect("an answer in time").unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_) | StoreError::Uncertain(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_server_that_was_killed_is_found_again_with_all_that_was_answered() {
    let mut server = server();
    let fixture = Fixture::on(server.url()).await;
    let before = fixture.accept("1").await;
    server.kill().unwrap();
    fixture.is_refused().await;
    assert!(fixture.store.probe().await.is_err());
    server.start_again().unwrap();
    fixture.accepted_again().await;
    fixture.store.probe().await.unwrap();
    let head = fixture.head(Priority::Transactional).await;
    assert_eq!(head[0], before.message.id);
}

#[tokio::test]
async fn a_server_that_stands_still_is_not_waited_for_without_end() {
    let mut server = server();
    let fixture = Fixture::on(server.url()).await;
    fixture.accept("1").await;
    server.pause();
    fixture.is_refused().await;
    server.resume();
    fixture.accepted_again().await;
}

#[tokio::test]
async fn the_standby_has_all_that_was_answered_and_is_found_by_itself() {
    let mut primary = server();
    primary.database("herald").unwrap();
    let standby = Server::start_standby_of(&primary, ServerOptions::default()).unwrap();
    let fixture = Fixture::on(primary.url_with(&standby, "herald")).await;
    let before = fixture.accept("1").await;
    primary.kill().unwrap();
    fixture.is_refused().await;
    standby.promote().unwrap();
    fixture.accepted_again().await;
    assert_eq!(fixture.head(Priority::Transactional).await[0], before.message.id);
}

#[tokio::test]
async fn a_commit_that_no_standby_confirms_is_told_as_uncertain_in_time() {
    let primary = server();
    let mut standby = Server::start_standby_of(&primary, ServerOptions::default()).unwrap();
    let fixture = Fixture::on(primary.url()).await;
    fixture.accept("1").await;
    // The server waits for it without end, whatever its statement_timeout.
    standby.kill().unwrap();
    let asked = tokio::time::timeout(PATIENCE, fixture.store.accept(vec![fixture.new_message("2", |_| {})]));
    let refused = asked.await.expect("an answer in time").unwrap_err();
    assert!(matches!(refused, StoreError::Uncertain(_)), "{refused:?}");
    standby.start_again().unwrap();
    fixture.accepted_again().await;
}
