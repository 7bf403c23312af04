//! The behaviour of all protocols together, and partial changes of it.

use crate::behaviour::Behaviour;
use herald_rules::protocol::Protocol;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The behaviour of each protocol.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, non_snake_case, reason = "the fields are the protocols' wire names")]
pub struct Behaviours {
    pub WhatsApp: Behaviour,
    pub SMS: Behaviour,
    pub AppleBusinessChat: Behaviour,
}

impl Behaviours {
    /// That of one protocol.
    pub fn of(&self, protocol: Protocol) -> &Behaviour {
        match protocol {
            Protocol::WhatsApp => &self.WhatsApp,
            Protocol::SMS => &self.SMS,
            Protocol::AppleBusinessChat => &self.AppleBusinessChat,
        }
    }

    /// The same, to change it.
    pub fn of_mut(&mut self, protocol: Protocol) -> &mut Behaviour {
        match protocol {
            Protocol::WhatsApp => &mut self.WhatsApp,
            Protocol::SMS => &mut self.SMS,
            Protocol::AppleBusinessChat => &mut self.AppleBusinessChat,
        }
    }

    /// Every protocol's, to change them alike.
    pub fn each(&mut self, mut change: impl FnMut(&mut Behaviour)) {
        for protocol in Protocol::ALL {
            change(self.of_mut(protocol));
        }
    }

    /// This with `update` laid over it: an object by protocol, or `all`, in which every level may be partial. Names the
    /// problem if the result makes no sense; then nothing has changed.
    pub fn updated(&self, update: &Value) -> Result<Self, String> {
        let mut whole = serde_json::to_value(self).map_err(|error| error.to_string())?;
        let Value::Object(parts) = update else { return Err("an object by protocol is needed".to_owned()) };
        for (name, part) in parts {
            if name == "all" {
                for protocol in Protocol::ALL {
                    lay_over(&mut whole[protocol.as_str()], part);
                }
            } else {
                lay_over(&mut whole[name.as_str()], part);
            }
        }
        let whole: Self = serde_json::from_value(whole).map_err(|error| error.to_string())?;
        whole.check()?;
        Ok(whole)
    }

    /// An error that names the first impossible value.
    pub(crate) fn check(&self) -> Result<(), String> {
        Protocol::ALL.into_iter().try_for_each(|protocol| self.of(protocol).check())
    }
}

pub(crate) fn lay_over(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (name, value) in above {
                lay_over(below.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Every field is documented, and the documented example works.
    #[test]
    fn the_documented_fields_are_all_fields() {
        let page = include_str!("../../../docs/simulated-providers.md");
        let Ok(Value::Object(groups)) = serde_json::to_value(Behaviour::default()) else { panic!("not an object") };
        for (group, fields) in groups {
            for field in fields.as_object().into_iter().flatten().map(|(name, _)| name) {
                let named = page.contains(&format!("`{group}.{field}`")) || page.contains(&format!("`.{field}`"));
                assert!(named, "{group}.{field}");
            }
        }
        let example = page.split("```json\n").find(|block| block.starts_with("{\"all\"")).unwrap();
        let update = serde_json::from_str(example.split("```").next().unwrap()).unwrap();
        assert_eq!(Behaviours::default().updated(&update).unwrap().SMS.receipts.late_by_ms, 60_000);
    }

    #[test]
    fn updates_are_partial_and_checked() {
        let before = Behaviours::default();
        let after = before
            .updated(&json!({"all": {"answers": {"latencyMs": 5}}, "SMS": {"receipts": {"missingShare": 0.5}}}))
            .unwrap();
        assert_eq!((after.WhatsApp.answers.latency_ms, after.SMS.answers.latency_ms), (5, 5));
        assert_eq!((after.WhatsApp.receipts.missing_share, after.SMS.receipts.missing_share), (0.0, 0.5));
        let limited = json!({"SMS": {"answers": {"rateLimit": {"perSecond": 10.0, "burst": 1, "scope": "sender"}}}});
        assert!(after.updated(&limited).unwrap().SMS.answers.rate_limit.is_some());
        for wrong in [
            json!([]),
            json!({"Fax": {}}),
            json!({"SMS": 1}),
            json!({"SMS": {"answers": {"latency": 5}}}),
            json!({"SMS": {"answers": {"temporaryShare": 1.5}}}),
            json!({"SMS": {"answers": {"temporaryShare": 0.6, "hangShare": 0.6}}}),
            json!({"SMS": {"answers": {"rateLimit": {"perSecond": 0.0, "burst": 1, "scope": "sender"}}}}),
            json!({"SMS": {"callbacks": {"batch": 0}}}),
        ] {
            assert!(before.updated(&wrong).is_err(), "{wrong}");
        }
    }
}
