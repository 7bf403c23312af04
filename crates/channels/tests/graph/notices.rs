//! What Meta tells about templates, accounts and the wishes of customers.

use crate::setting::{CUSTOMER, NUMBER, OURS, Setting};
use herald_channels::contract::{AccountChange, Notice, TemplateChange};
use herald_rules::template::{Category, TemplateStatus};
use serde_json::json;

#[tokio::test]
async fn templates_change() {
    let setting = Setting::new().await;
    let simulator = &setting.simulator;
    let row = json!({"name": "order", "language": "en_US", "components": [{"type": "BODY", "text": "Hi"}]});
    let id = simulator.put_template(None, &row).unwrap();
    for status in ["REJECTED", "PAUSED", "DISABLED", "APPROVED"] {
        assert!(simulator.set_template_status(&id, status, None));
    }
    assert!(simulator.set_template_quality(&id, "YELLOW"));
    assert!(simulator.set_template_category(&id, "MARKETING", true));
    assert!(simulator.set_template_category(&id, "MARKETING", false));
    let told = setting.told().await;
    let changes: Vec<TemplateChange> = told
        .into_iter()
        .map(|notice| match notice {
            Notice::Template(told) => {
                assert_eq!(
                    (told.id.as_str(), told.name.as_str(), told.language.as_str()),
                    (id.as_str(), "order", "en_US")
                );
                told.change
            }
            other => panic!("{other:?}"),
        })
        .collect();
    for status in [TemplateStatus::Rejected, TemplateStatus::Paused, TemplateStatus::Disabled, TemplateStatus::Approved]
    {
        assert!(
            changes.iter().any(|change| matches!(change, TemplateChange::Status(of, _) if *of == status)),
            "{status}"
        );
    }
    assert!(changes.contains(&TemplateChange::Quality("YELLOW".to_owned())), "{changes:?}");
    assert!(changes.contains(&TemplateChange::Category(Category::Marketing)), "{changes:?}");
}

#[tokio::test]
async fn accounts_change() {
    let setting = Setting::new().await;
    let simulator = &setting.simulator;
    for (field, value) in [
        (
            "account_update",
            json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "November 22, 2026"}}),
        ),
        (
            "account_update",
            json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1_795_608_000}]}),
        ),
        (
            "phone_number_quality_update",
            json!({"display_phone_number": OURS, "event": "THROUGHPUT_UPGRADE", "max_daily_conversations_per_business": "TIER_UNLIMITED"}),
        ),
        (
            "business_capability_update",
            json!({"max_daily_conversations_per_business": 2000, "max_phone_numbers_per_waba": 25}),
        ),
        ("something_new", json!({"event": "UNKNOWN"})),
    ] {
        simulator.webhook(None, field, value).unwrap();
    }
    let told = setting.told().await;
    let changes: Vec<AccountChange> = told
        .iter()
        .filter_map(|notice| if let Notice::Account(told) = notice { Some(told.change) } else { None })
        .collect();
    for expected in
        [AccountChange::Disabled, AccountChange::Throughput(1000), AccountChange::DailyCustomers(Some(2000))]
    {
        assert!(changes.contains(&expected), "{expected:?} in {changes:?}");
    }
    assert!(changes.iter().any(|change| matches!(change, AccountChange::Restricted(Some(_)))), "{changes:?}");
    assert!(told.iter().any(|notice| matches!(notice, Notice::Ignored(_))), "{told:?}");
}

#[tokio::test]
async fn customers_stop_marketing_and_want_it_again() {
    let setting = Setting::new().await;
    for (count, wanted) in [(1, false), (2, true)] {
        setting.simulator.prefer(Some(NUMBER), CUSTOMER, wanted).unwrap();
        let told = setting.until(|told| told.len() == count).await;
        let Some(Notice::Marketing { customer, identifier, wanted: said, .. }) = told.last() else {
            panic!("{told:?}")
        };
        assert_eq!((customer.as_str(), identifier.as_deref(), *said), (CUSTOMER, Some(OURS), wanted));
    }
}
