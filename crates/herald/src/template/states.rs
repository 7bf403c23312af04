//! What changed about a template, as a function of what is kept and what Meta says now. Only differences are written.

use crate::store::{TemplateRow, TemplateStep, TemplateStepKind, TemplateWrite};
use herald_channels::contract::TemplateChange;
use herald_rules::{template::TemplateStatus, time::Timestamp};
use serde_json::Value;
use std::time::Duration;

/// A template that is kept here and that Meta has not seen.
pub const DRAFT: &str = "DRAFT";
/// A template that Meta has no longer.
pub const DELETED: &str = "DELETED";

/// What is to be written where Meta lists a template; None: nothing differs, or the row has no name
/// or language.
pub fn listed(before: Option<&TemplateRow>, graph: &Value, now: Timestamp) -> Option<TemplateWrite> {
    let word = |field: &str| graph[field].as_str().map(str::to_owned);
    let after = TemplateRow {
        name: word("name")?,
        language: word("language")?,
        graph_id: id(&graph["id"]),
        status: word("status").unwrap_or_else(|| TemplateStatus::Unknown.to_string()),
        category: word("category").unwrap_or_default(),
        quality: graph["quality_score"]["score"].as_str().or(graph["quality_score"].as_str()).map(str::to_owned),
        body: graph.clone(),
        changed_at: now,
    };
    let reason = why(graph);
    differing(before, after, reason.as_deref(), now)
}

/// What is to be written where Meta lists a template no longer. Drafts it never knew.
pub fn gone(before: &TemplateRow, now: Timestamp) -> Option<TemplateWrite> {
    if before.status == DRAFT {
        return None;
    }
    let after = TemplateRow { status: DELETED.to_owned(), changed_at: now, ..before.clone() };
    differing(Some(before), after, Some("Meta lists it no longer."), now)
}

/// What is to be written when a callback tells of a change. `at` is when it happened, by Meta's clock.
pub fn noticed(
    before: &TemplateRow,
    change: &TemplateChange,
    at: Option<Timestamp>,
    now: Timestamp,
) -> Option<TemplateWrite> {
    let mut after = TemplateRow { changed_at: now, ..before.clone() };
    let mut reason = None;
    match change {
        TemplateChange::Status(status, why) => {
            // A word that this version does not know says only that something changed: the sync brings it.
            if *status == TemplateStatus::Unknown {
                return None;
            }
            after.status = status.to_string();
            reason = why.as_deref();
        }
        TemplateChange::Quality(score) => after.quality = Some(score.clone()),
        // Announced a day ahead: it holds from then on, and the sync sees it.
        TemplateChange::Category(_) if at.is_some_and(|at| at > now) => return None,
        TemplateChange::Category(category) => after.category = category.to_string(),
        // What it says now, only the sync tells.
        TemplateChange::Components => return None,
    }
    differing(Some(before), after, reason, at.unwrap_or(now).min(now))
}

/// What is to be written to make `after` of `before`, with a step for each difference; None: there is none.
pub fn differing(
    before: Option<&TemplateRow>,
    mut after: TemplateRow,
    reason: Option<&str>,
    at: Timestamp,
) -> Option<TemplateWrite> {
    let Some(before) = before else {
        let step = TemplateStep {
            at,
            kind: TemplateStepKind::Status,
            before: None,
            after: Some(after.status.clone()),
            reason: reason.map(str::to_owned),
        };
        return Some(TemplateWrite { row: after, seen: None, steps: vec![step] });
    };
    // Two changes in one microsecond must still differ.
    after.changed_at = after.changed_at.max(before.changed_at + Duration::from_micros(1));
    let changes = [
        (TemplateStepKind::Components, said(&before.body), said(&after.body)),
        (TemplateStepKind::Category, Some(before.category.clone()), Some(after.category.clone())),
        (TemplateStepKind::Quality, before.quality.clone(), after.quality.clone()),
        (TemplateStepKind::Status, Some(before.status.clone()), Some(after.status.clone())),
    ];
    let changes = changes.into_iter().filter(|(_, before, after)| before != after);
    let steps: Vec<_> = changes
        .map(|(kind, before, after)| {
            // Meta's reason is one for its status.
            let reason = reason.filter(|_| kind == TemplateStepKind::Status).map(str::to_owned);
            TemplateStep { at, kind, before, after, reason }
        })
        .collect();
    let same = steps.is_empty() && before.graph_id == after.graph_id && steady(&before.body) == steady(&after.body);
    (!same).then_some(TemplateWrite { row: after, seen: Some(before.changed_at), steps })
}

/// Meta's reason for a status, where it gives one.
fn why(graph: &Value) -> Option<String> {
    let reason = graph["rejected_reason"].as_str().filter(|reason| !matches!(*reason, "" | "NONE"));
    reason.map(str::to_owned)
}

/// An id: Meta writes it as a text in lists and as a number in callbacks.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What customers see of it: its components without the samples for the reviewers.
fn said(body: &Value) -> Option<String> {
    let components = without(&body["components"], &["example"]);
    (!components.is_null()).then(|| components.to_string())
}

/// All of it that does not change by itself: links to samples are signed anew for every list, and id, status, category and
/// quality are kept apart.
fn steady(body: &Value) -> Value {
    without(body, &["header_handle", "id", "status", "category", "quality_score"])
}

fn without(value: &Value, names: &[&str]) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| !names.contains(&name.as_str()));
            Value::Object(fields.map(|(name, value)| (name.clone(), without(value, names))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| without(item, names)).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use herald_rules::template::Category;
    use serde_json::json;

    const NOW: Timestamp = Timestamp(1_795_348_800_000_000);
    const LATER: Timestamp = Timestamp(NOW.0 + 5_000_000);

    fn graph() -> Value {
        json!({
            "id": "1689556908129832", "name": "order_update_v2", "language": "en_US", "status": "APPROVED",
            "category": "UTILITY", "parameter_format": "POSITIONAL",
            "quality_score": {"score": "GREEN", "date": 1_795_000_000},
            "components": [
                {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["https://scontent.example/a?oe=1"]}},
                {"type": "BODY", "text": "Hi {{1}}, order {{2}} is on its way.", "example": {"body_text": [["Dana", "A-1"]]}},
            ],
        })
    }

    fn kept() -> TemplateRow {
        listed(None, &graph(), NOW).unwrap().row
    }

    /// `graph()` with one value otherwise.
    fn with(pointer: &str, value: Value) -> Value {
        let mut graph = graph();
        *graph.pointer_mut(pointer).unwrap() = value;
        graph
    }

    /// The steps as (kind, before, after).
    fn steps(write: Option<TemplateWrite>) -> Vec<(&'static str, String, String)> {
        let steps = write.map(|write| write.steps).unwrap_or_default();
        let text = |text: Option<String>| text.unwrap_or_default();
        steps.into_iter().map(|step| (step.kind.as_str(), text(step.before), text(step.after))).collect()
    }

    #[test]
    fn a_new_template_begins_its_history() {
        let write = listed(None, &graph(), NOW).unwrap();
        assert_eq!(write.seen, None);
        assert_eq!(
            (write.row.quality.as_deref(), write.row.graph_id.as_deref()),
            (Some("GREEN"), Some("1689556908129832"))
        );
        assert_eq!(steps(Some(write)), [("status", String::new(), "APPROVED".into())]);
        for incomplete in [json!({}), json!({"name": "a"}), json!({"language": "en"}), json!(5)] {
            assert_eq!(listed(None, &incomplete, NOW), None);
        }
    }

    #[test]
    fn only_differences_are_written() {
        let change = |graph: &Value| listed(Some(&kept()), graph, LATER);
        assert_eq!(change(&graph()), None);
        let signed_anew = with("/components/0/example/header_handle/0", json!("https://scontent.example/a?oe=2"));
        assert_eq!(change(&signed_anew), None);
        assert_eq!(change(&with("/quality_score/date", json!(1_796_000_000))), None);
        // Samples are no part of what customers see.
        let sample = change(&with("/components/1/example/body_text/0/0", json!("Max"))).unwrap();
        assert_eq!((sample.steps.len(), sample.seen), (0, Some(NOW)));

        let mut rejected = with("/status", json!("REJECTED"));
        rejected["rejected_reason"] = json!("INVALID_FORMAT");
        let write = change(&rejected).unwrap();
        assert_eq!(write.steps[0].reason.as_deref(), Some("INVALID_FORMAT"));
        assert_eq!(steps(Some(write)), [("status", "APPROVED".into(), "REJECTED".into())]);
        let category = change(&with("/category", json!("MARKETING")));
        assert_eq!(steps(category), [("category", "UTILITY".into(), "MARKETING".into())]);
        let quality = change(&with("/quality_score/score", json!("RED")));
        assert_eq!(steps(quality), [("quality", "GREEN".into(), "RED".into())]);
        let text = steps(change(&with("/components/1/text", json!("Hello {{1}}, order {{2}} has left."))));
        assert_eq!((text.len(), text[0].0), (1, "components"));
        assert!(text[0].1.contains("Hi {{1}}") && text[0].2.contains("Hello {{1}}") && !text[0].2.contains("Dana"));
        // Made anew under the same name.
        assert!(change(&with("/id", json!("17"))).is_some());
        assert_eq!(change(&with("/id", json!(1_689_556_908_129_832_u64))), None, "a number is the same id");
    }

    #[test]
    fn what_is_not_listed_is_deleted_but_for_drafts() {
        let write = gone(&kept(), LATER).unwrap();
        assert_eq!((write.row.status.as_str(), write.seen), ("DELETED", Some(NOW)));
        assert_eq!(gone(&write.row, LATER), None);
        assert_eq!(gone(&TemplateRow { status: DRAFT.into(), ..kept() }, LATER), None);
    }

    #[test]
    fn callbacks_are_applied_at_once() {
        let told = |change: TemplateChange, at| noticed(&kept(), &change, at, LATER);
        let paused = TemplateChange::Status(TemplateStatus::Paused, Some("Paused for 3 hours.".into()));
        let write = told(paused.clone(), Some(NOW)).unwrap();
        assert_eq!((write.steps[0].at, write.steps[0].reason.as_deref()), (NOW, Some("Paused for 3 hours.")));
        assert_eq!((write.row.status.as_str(), write.row.changed_at), ("PAUSED", LATER));
        assert_eq!(noticed(&write.row, &paused, Some(NOW), LATER), None, "told twice");
        assert_eq!(steps(told(TemplateChange::Quality("RED".into()), None)).len(), 1);
        let marketing = TemplateChange::Category(Category::Marketing);
        assert_eq!(steps(told(marketing.clone(), Some(NOW))), [("category", "UTILITY".into(), "MARKETING".into())]);
        assert_eq!(told(marketing, Some(LATER + Duration::from_secs(86_400))), None, "announced for tomorrow");
        assert_eq!(told(TemplateChange::Components, None), None);
        assert_eq!(told(TemplateChange::Status(TemplateStatus::Unknown, None), None), None);
        assert_eq!(told(TemplateChange::Status(TemplateStatus::Approved, None), None), None);
    }

    #[test]
    fn two_changes_in_one_moment_differ() {
        let write = noticed(&kept(), &TemplateChange::Quality("RED".into()), None, NOW).unwrap();
        assert!(write.row.changed_at > NOW);
    }
}
