//! The account's limits, as Meta reports them when asked.

use super::{
    WhatsappCloud,
    account_notices::HIGH_THROUGHPUT,
    read::text_at,
    tiers::{Tier, tier},
};
use crate::contract::{AccountChange, AccountNotice, AccountReport};
use herald_rules::reason::Cause;
use serde_json::Value;

/// What is asked about a number.
pub(super) const FIELDS: &str = "display_phone_number,verified_name,quality_rating,throughput,status,name_status,\
                      code_verification_status,platform_type,whatsapp_business_manager_messaging_limit";
/// Messages a second of a number as it begins.
const STANDARD_THROUGHPUT: u32 = 80;

impl WhatsappCloud {
    pub(super) async fn report_numbers(&self) -> Result<AccountReport, Cause> {
        let mut changes = Vec::new();
        for (identifier, number) in &self.inner.numbers {
            let said = self.inner.graph.get(&[&number.id], &[("fields", FIELDS)]).await?;
            changes.extend(read(identifier, &said));
        }
        Ok(AccountReport { changes })
    }
}

/// What Meta says about one number.
fn read(identifier: &str, said: &Value) -> Vec<AccountNotice> {
    let notice = |change, text| AccountNotice { identifier: Some(identifier.to_owned()), change, text };
    let mut changes = Vec::new();
    // An object today; a bare word was seen with older versions.
    let level = text_at(said, "/throughput/level").or_else(|| text_at(said, "/throughput"));
    let a_second = match level.as_deref() {
        Some("STANDARD") => Some(STANDARD_THROUGHPUT),
        Some("HIGH") => Some(HIGH_THROUGHPUT),
        _ => None,
    };
    if let Some(a_second) = a_second {
        let text = format!("The number may send {a_second} messages a second.");
        changes.push(notice(AccountChange::Throughput(a_second), text));
    }
    let limit = said.get("whatsapp_business_manager_messaging_limit").and_then(tier);
    changes.extend(limit.map(Tier::notice));
    changes.push(notice(AccountChange::Other, condition(said)));
    changes
}

/// A number's condition in one line.
pub(super) fn condition(said: &Value) -> String {
    let words = [
        ("status", "/status"),
        ("quality", "/quality_rating"),
        ("name", "/name_status"),
        ("verification", "/code_verification_status"),
    ];
    let words = words.iter().filter_map(|(what, path)| text_at(said, path).map(|word| format!("{what} {word}")));
    let words: Vec<String> = words.collect();
    if words.is_empty() { "Meta says nothing about the number.".to_owned() } else { words.join(", ") }
}
