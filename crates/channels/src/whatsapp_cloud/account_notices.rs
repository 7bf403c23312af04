//! What Meta tells about the account and its numbers.

use super::{
    read::{Frame, moment_at, text_at},
    tiers::tier,
};
use crate::contract::{AccountChange, AccountNotice, Notice};
use serde_json::Value;

/// Messages a second of a number that has been raised.
pub const HIGH_THROUGHPUT: u32 = 1_000;

/// Reads a change; pushes nothing where it is about something else.
pub fn read(frame: &Frame<'_>, value: &Value, notices: &mut Vec<Notice>) {
    let displayed = text_at(value, "/display_phone_number");
    let identifier = displayed.and_then(|number| frame.ours.displayed(&number).map(str::to_owned));
    let mut push = |identifier: Option<String>, change: AccountChange, text: String| {
        notices.push(Notice::Account(AccountNotice { identifier, change, text }));
    };
    let event = text_at(value, "/event").unwrap_or_default();
    match frame.field {
        "account_update" => account(value, &event, &mut |change, text| push(None, change, text)),
        "phone_number_quality_update" => {
            match (event.as_str(), &identifier) {
                ("THROUGHPUT_UPGRADE", Some(_)) => push(
                    identifier,
                    AccountChange::Throughput(HIGH_THROUGHPUT),
                    format!("The number may send {HIGH_THROUGHPUT} messages a second now."),
                ),
                _ => push(identifier, AccountChange::Other, format!("The number's quality: {event}.")),
            }
            let limits = ["/max_daily_conversations_per_business", "/current_limit"];
            let limit = limits.iter().find_map(|path| value.pointer(path)).and_then(tier);
            notices.extend(limit.map(|tier| Notice::Account(tier.notice())));
        }
        "business_capability_update" => {
            let limit = value.get("max_daily_conversations_per_business");
            match limit.and_then(tier) {
                Some(tier) => notices.push(Notice::Account(tier.notice())),
                None => push(None, AccountChange::Other, "The account's limits have changed.".to_owned()),
            }
        }
        "phone_number_name_update" => {
            let decision = text_at(value, "/decision").unwrap_or_default();
            let reason = text_at(value, "/rejection_reason").filter(|reason| reason != "NONE");
            let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            push(identifier, AccountChange::Other, format!("The number's display name: {decision}{reason}."));
        }
        "account_review_update" => {
            let decision = text_at(value, "/decision").unwrap_or_default();
            push(None, AccountChange::Other, format!("The account's review: {decision}."));
        }
        "account_alerts" => push(None, AccountChange::Other, alert(value)),
        "security" => push(identifier, AccountChange::Other, format!("The number's security: {event}.")),
        _ => (),
    }
}

fn account(value: &Value, event: &str, push: &mut dyn FnMut(AccountChange, String)) {
    match event {
        "ACCOUNT_RESTRICTION" => {
            let restrictions = value.get("restriction_info").and_then(Value::as_array);
            let mut said = false;
            for restriction in restrictions.into_iter().flatten() {
                let kind = text_at(restriction, "/restriction_type").unwrap_or_default();
                let until = moment_at(restriction, "/expiration");
                let end = until.map_or_else(|| "until it is lifted".to_owned(), |until| format!("until {until}"));
                // Only this one forbids what opens a conversation; the others are for people to know.
                let change = match kind.as_str() {
                    "RESTRICTED_BIZ_INITIATED_MESSAGING" => AccountChange::Restricted(until),
                    _ => AccountChange::Other,
                };
                push(change, format!("Meta restricts the account {end}: {kind}."));
                said = true;
            }
            if !said {
                push(AccountChange::Other, "Meta restricts the account.".to_owned());
            }
        }
        "DISABLED_UPDATE" => {
            let state = text_at(value, "/ban_info/waba_ban_state").unwrap_or_default();
            let date = text_at(value, "/ban_info/waba_ban_date").map(|date| format!(" ({date})")).unwrap_or_default();
            let change = match state.as_str() {
                "DISABLE" => AccountChange::Disabled,
                "REINSTATE" => AccountChange::Reinstated,
                _ => AccountChange::Other,
            };
            push(change, format!("The account's state: {state}{date}."));
        }
        "ACCOUNT_DELETED" | "ACCOUNT_OFFBOARDED" => push(AccountChange::Disabled, format!("{event}.")),
        "ACCOUNT_RECONNECTED" => push(AccountChange::Reinstated, format!("{event}.")),
        "ACCOUNT_VIOLATION" => {
            let kind = text_at(value, "/violation_info/violation_type").unwrap_or_default();
            push(AccountChange::Other, format!("Meta reports a violation: {kind}."));
        }
        event => push(AccountChange::Other, format!("{event}.")),
    }
}

fn alert(value: &Value) -> String {
    let paths = ["/alert_info/alert_severity", "/alert_info/alert_type", "/alert_info/alert_description"];
    let said: Vec<String> = paths.iter().filter_map(|path| text_at(value, path)).collect();
    if said.is_empty() { "An alert without words.".to_owned() } else { said.join(": ") }
}
