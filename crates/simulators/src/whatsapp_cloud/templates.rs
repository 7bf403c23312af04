//! An account's templates.

use super::needs::Needs;
use herald_rules::time::Timestamp;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

/// A deleted name stays reserved so long.
const RESERVED: Duration = Duration::from_secs(30 * 24 * 3600);

/// A template in one language.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// Its place in the order of creation; its id comes from it.
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) category: String,
    pub(crate) status: String,
    pub(crate) named: bool,
    pub(crate) components: Value,
    pub(crate) quality: String,
    pub(crate) rejected_reason: Option<String>,
    pub(crate) previous_category: Option<String>,
    pub(crate) correct_category: Option<String>,
    pub(crate) time_to_live: Option<i64>,
    pub(crate) changed: Timestamp,
    /// When it was edited.
    pub(crate) edits: Vec<Timestamp>,
    pub(crate) needs: Needs,
}

impl Stored {
    /// A decimal string in addresses and answers, an integer in webhooks.
    pub(crate) fn id(&self) -> u64 {
        700_000_000_000_000 + self.number
    }

    /// Reads what messages need anew, after a change of the components.
    pub(crate) fn read(mut self) -> Self {
        self.needs = Needs::read(&self.components, self.named, self.category == "AUTHENTICATION");
        self
    }

    /// As Meta shows it, with all its fields.
    pub(crate) fn shown(&self) -> Value {
        let mut row = json!({
            "name": self.name,
            "parameter_format": if self.named { "NAMED" } else { "POSITIONAL" },
            "components": self.components,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "quality_score": {"score": self.quality, "date": self.changed.0 / 1_000_000},
            "rejected_reason": self.rejected_reason.as_deref().unwrap_or("NONE"),
            "id": self.id().to_string(),
        });
        let more = [("previous_category", &self.previous_category), ("correct_category", &self.correct_category)];
        for (name, value) in more {
            if let Some(value) = value {
                row[name] = json!(value);
            }
        }
        if let Some(seconds) = self.time_to_live {
            row["message_send_ttl_seconds"] = json!(seconds);
        }
        row
    }
}

/// All of an account.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    rows: BTreeMap<u64, Arc<Stored>>,
    by_name: HashMap<String, Vec<u64>>,
    deleted: HashMap<(String, String), Timestamp>,
}

impl Templates {
    /// The template of a name in a language.
    pub(crate) fn find(&self, name: &str, language: &str) -> Option<&Arc<Stored>> {
        let numbers = self.by_name.get(name)?;
        numbers.iter().filter_map(|number| self.rows.get(number)).find(|stored| stored.language == language)
    }

    /// By its id, as in an address.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Arc<Stored>> {
        let number = id.parse::<u64>().ok()?.checked_sub(700_000_000_000_000)?;
        self.rows.get(&number)
    }

    /// All, in the order of creation, from behind `after` on.
    pub(crate) fn after(&self, after: u64) -> impl DoubleEndedIterator<Item = &Arc<Stored>> {
        self.rows.range(after.saturating_add(1)..).map(|(_, stored)| stored)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.rows.len()
    }

    /// Adds one, or replaces the one of its number.
    pub(crate) fn put(&mut self, stored: Stored) -> Arc<Stored> {
        let numbers = self.by_name.entry(stored.name.clone()).or_default();
        if !numbers.contains(&stored.number) {
            numbers.push(stored.number);
        }
        let stored = Arc::new(stored.read());
        self.rows.insert(stored.number, Arc::clone(&stored));
        stored
    }

    /// Whether a name was deleted in this language less than 30 days ago.
    pub(crate) fn reserved(&self, name: &str, language: &str, now: Timestamp) -> bool {
        let deleted = self.deleted.get(&(name.to_owned(), language.to_owned()));
        deleted.is_some_and(|at| now.since(*at) < RESERVED)
    }

    /// Deletes a name in all languages, or the one with this id alone.
    pub(crate) fn delete(&mut self, name: &str, id: Option<&str>, now: Timestamp) -> Vec<Arc<Stored>> {
        let wanted = |stored: &Stored| id.is_none_or(|id| stored.id().to_string() == id);
        let numbers = self.by_name.remove(name).unwrap_or_default();
        let (gone, left): (Vec<u64>, Vec<u64>) =
            numbers.into_iter().partition(|number| self.rows.get(number).is_some_and(|stored| wanted(stored)));
        if !left.is_empty() {
            self.by_name.insert(name.to_owned(), left);
        }
        let gone: Vec<Arc<Stored>> = gone.iter().filter_map(|number| self.rows.remove(number)).collect();
        for stored in &gone {
            if stored.status == "APPROVED" {
                self.deleted.insert((stored.name.clone(), stored.language.clone()), now);
            }
        }
        gone
    }
}
