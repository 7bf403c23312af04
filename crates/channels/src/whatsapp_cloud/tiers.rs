//! Meta's names for the limit of customers a day: `TIER_250`, `TIER_2K`, a number, or -1.

use crate::contract::{AccountChange, AccountNotice};
use serde_json::Value;

/// So many customers may be written to first within 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// At most so many.
    Customers(u32),
    /// As many as one likes.
    Unlimited,
}

impl Tier {
    /// What it means. It holds for all numbers of the portfolio.
    pub fn notice(self) -> AccountNotice {
        let (count, text) = match self {
            Self::Customers(count) => {
                (Some(count), format!("The business may write first to {count} customers a day."))
            }
            Self::Unlimited => {
                (None, "The business may write first to as many customers a day as it likes.".to_owned())
            }
        };
        AccountNotice { identifier: None, change: AccountChange::DailyCustomers(count), text }
    }
}

/// Reads a limit; None: not set, or not known.
pub fn tier(value: &Value) -> Option<Tier> {
    if let Some(number) = value.as_i64() {
        return if number < 0 { Some(Tier::Unlimited) } else { u32::try_from(number).ok().map(Tier::Customers) };
    }
    let name = value.as_str()?.trim();
    let name = name.strip_prefix("TIER_").unwrap_or(name);
    match name {
        "UNLIMITED" | "-1" => Some(Tier::Unlimited),
        _ => {
            let (digits, times) = name.strip_suffix('K').map_or((name, 1), |digits| (digits, 1_000));
            digits.parse::<u32>().ok()?.checked_mul(times).map(Tier::Customers)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_spelling() {
        for (given, expected) in [
            (json!("TIER_50"), Some(Tier::Customers(50))),
            (json!("TIER_250"), Some(Tier::Customers(250))),
            (json!("TIER_2K"), Some(Tier::Customers(2_000))),
            (json!("TIER_10K"), Some(Tier::Customers(10_000))),
            (json!("TIER_100K"), Some(Tier::Customers(100_000))),
            (json!("TIER_UNLIMITED"), Some(Tier::Unlimited)),
            (json!("TIER_NOT_SET"), None),
            (json!(2000), Some(Tier::Customers(2_000))),
            (json!(-1), Some(Tier::Unlimited)),
            (json!("TIER_9999999K"), None),
            (json!(""), None),
            (json!(null), None),
            (json!({}), None),
        ] {
            assert_eq!(tier(&given), expected, "{given}");
        }
    }
}
