//! The account and its numbers.

use super::{
    super::setting::{PNID, WABA},
    Both,
};
use herald_channels::contract::{AccountChange, AccountReport, Notice, Provider};
use serde_json::json;

#[tokio::test]
async fn the_account_is_looked_at() {
    let both = Both::new().await;
    both.adapter.subscribe_app().await.unwrap();
    let lines = both.adapter.check().await;
    assert!(lines.len() == 4 && lines.iter().all(|line| line.ok), "{lines:?}");
    both.simulator.change_number(PNID, |number| number.messaging_limit = "TIER_2K".to_owned()).unwrap();
    let changes = |report: AccountReport| report.changes.into_iter().map(|notice| notice.change).collect::<Vec<_>>();
    let report = changes(both.adapter.report().await.unwrap());
    assert!(report.contains(&AccountChange::DailyCustomers(Some(2_000))), "{report:?}");
    both.simulator.webhook(Some(WABA), "account_update", json!({"event": "ACCOUNT_DELETED"})).unwrap();
    let disabled = |notice: &Notice| match notice {
        Notice::Account(notice) if notice.change == AccountChange::Disabled => Some(()),
        _ => None,
    };
    both.notices_when(disabled, 1).await;
}
