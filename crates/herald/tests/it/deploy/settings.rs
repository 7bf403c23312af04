//! `deploy/herald.toml` is read, and goes together with the unit and the balancer.

use super::{file, text};
use herald::config::{Config, Sources, load};
use std::time::Duration;

/// The settings of a node behind the balancer.
pub(super) fn config() -> Config {
    let loaded = load(&Sources { file: Some(file("herald.toml")), ..Sources::default() }).unwrap();
    for warning in &loaded.warnings {
        // Behind a balancer, in a network of their own.
        assert!(warning.contains("can be reached from other machines"), "{warning}");
    }
    loaded.config
}

#[test]
fn systemd_waits_longer_for_a_stop_than_it_can_take() {
    let unit = text("systemd/herald.service");
    let seconds = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")?.strip_suffix('s')).unwrap();
    let shutdown = config().shutdown;
    let most = shutdown.notice + shutdown.grace;
    // Deliveries and provider calls end within the grace; closing the store folds its log back.
    assert!(Duration::from_secs(seconds.parse().unwrap()) >= most + Duration::from_secs(20));
}

#[test]
fn a_stop_is_told_of_for_longer_than_the_balancer_needs_to_notice() {
    let balancer = text("haproxy/haproxy.cfg");
    assert!(balancer.contains("inter 1s fastinter 250ms downinter 1s fall 2 "), "the next line goes by these");
    let notices = Duration::from_millis(1_000 + 250);
    assert!(config().shutdown.notice >= notices * 3);
}
