//! Templates: what is written is what was read before, and each change stays known.

use super::*;
use serde_json::json;

on_both_engines! {
    a_template_keeps_its_history_over_a_restart,
    what_somebody_else_changed_meanwhile_is_left,
    lists_are_filtered_and_paged,
    a_history_has_a_bound,
    the_last_comparison_is_known,
}

impl Fixture {
    fn templates(&self) -> TemplatePlace {
        TemplatePlace { department: self.department, channel: self.channel }
    }

    async fn write(&self, writes: Vec<TemplateWrite>) -> Vec<bool> {
        self.store.write_templates(self.templates(), writes).await.unwrap()
    }

    async fn names(&self, filter: TemplateFilter) -> Vec<(String, String)> {
        let rows = self.store.templates(self.templates(), filter).await.unwrap();
        rows.into_iter().map(|row| (row.name, row.language)).collect()
    }
}

fn row(name: &str, language: &str, status: &str) -> TemplateRow {
    TemplateRow {
        name: name.into(),
        language: language.into(),
        graph_id: Some(format!("{name}:{language}")),
        status: status.into(),
        category: "UTILITY".into(),
        quality: None,
        body: json!({"components": [{"type": "BODY", "text": "Hello"}]}),
        changed_at: NOW,
    }
}

fn new(row: TemplateRow) -> TemplateWrite {
    TemplateWrite { row, seen: None, steps: vec![] }
}

fn step(at: Timestamp, before: Option<&str>, after: &str) -> TemplateStep {
    let (before, after) = (before.map(str::to_owned), Some(after.to_owned()));
    TemplateStep { at, kind: TemplateStepKind::Status, before, after, reason: Some("Because.".into()) }
}

async fn a_template_keeps_its_history_over_a_restart(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let mut write = new(row("a", "en_US", "PENDING"));
    write.steps.push(step(NOW, None, "PENDING"));
    assert_eq!(fixture.write(vec![write.clone()]).await, [true]);
    let later = NOW + HOUR;
    let changed = TemplateWrite {
        row: TemplateRow { status: "APPROVED".into(), quality: Some("GREEN".into()), changed_at: later, ..write.row },
        seen: Some(NOW),
        steps: vec![step(later, Some("PENDING"), "APPROVED")],
    };
    assert_eq!(fixture.write(vec![changed.clone()]).await, [true]);
    let fixture = fixture.reopened().await;
    let found = fixture.store.template(fixture.templates(), "a".into(), "en_US".into()).await.unwrap();
    let steps = vec![step(NOW, None, "PENDING"), step(later, Some("PENDING"), "APPROVED")];
    assert_eq!(found, Some((changed.row.clone(), steps)));
    assert_eq!(fixture.store.template(fixture.templates(), "a".into(), "de".into()).await.unwrap(), None);
    assert_eq!(changed.row.graph()["id"], "a:en_US");
    // Only what was read may be forgotten.
    let stale = TemplateRow { changed_at: NOW, ..changed.row.clone() };
    assert!(!fixture.store.forget_template(fixture.templates(), stale).await.unwrap());
    assert!(fixture.store.forget_template(fixture.templates(), changed.row).await.unwrap());
    assert_eq!(fixture.store.template(fixture.templates(), "a".into(), "en_US".into()).await.unwrap(), None);
}

async fn what_somebody_else_changed_meanwhile_is_left(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    assert_eq!(fixture.write(vec![new(row("a", "en", "PENDING"))]).await, [true]);
    let paused = TemplateRow { changed_at: NOW + HOUR, ..row("a", "en", "PAUSED") };
    let stale = |seen| TemplateWrite { row: paused.clone(), seen, steps: vec![step(NOW, None, "PAUSED")] };
    let other = Some(NOW + HOUR);
    assert_eq!(
        fixture.write(vec![stale(None), stale(other), new(row("b", "en", "APPROVED"))]).await,
        [false, false, true]
    );
    let (kept, steps) = fixture.store.template(fixture.templates(), "a".into(), "en".into()).await.unwrap().unwrap();
    assert_eq!((kept.status.as_str(), steps), ("PENDING", vec![]));
    assert_eq!(fixture.write(vec![stale(Some(NOW))]).await, [true]);
}

async fn lists_are_filtered_and_paged(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let all =
        [("a", "de", "APPROVED"), ("a", "en_US", "PAUSED"), ("b", "en_US", "DELETED"), ("visit_b", "he", "APPROVED")];
    let mut writes: Vec<_> = all.iter().map(|(name, language, status)| new(row(name, language, status))).collect();
    writes[3].row.category = "MARKETING".into();
    fixture.write(writes).await;
    let pair = |name: &str, language: &str| (name.to_owned(), language.to_owned());
    let filter = TemplateFilter::default;
    let there = [pair("a", "de"), pair("a", "en_US"), pair("visit_b", "he")];
    assert_eq!(fixture.names(filter()).await, there, "what is deleted is only shown to those who ask for it");
    assert_eq!(
        fixture.names(TemplateFilter { status: Some("DELETED".into()), ..filter() }).await,
        [pair("b", "en_US")]
    );
    assert_eq!(fixture.names(TemplateFilter { category: Some("MARKETING".into()), ..filter() }).await, there[2..]);
    assert_eq!(fixture.names(TemplateFilter { name_holds: Some("sit_".into()), ..filter() }).await, there[2..]);
    assert_eq!(fixture.names(TemplateFilter { name_holds: Some("%".into()), ..filter() }).await, []);
    let page = TemplateFilter { after: Some(pair("a", "de")), limit: Some(1), ..filter() };
    assert_eq!(fixture.names(page).await, there[1..2]);
    assert_eq!(fixture.store.all_templates(fixture.templates()).await.unwrap().len(), 4);
    let named = fixture.store.templates_named(fixture.templates(), "b".into()).await.unwrap();
    assert_eq!(named[0].status, "DELETED");
    let elsewhere = TemplatePlace { channel: fixture.channel + 1, ..fixture.templates() };
    assert_eq!(fixture.store.all_templates(elsewhere).await.unwrap(), []);
}

async fn a_history_has_a_bound(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let mut write = new(row("a", "en", "APPROVED"));
    write.steps = (0..250).map(|at| step(Timestamp(at), None, "PAUSED")).collect();
    fixture.write(vec![write]).await;
    let (_, steps) = fixture.store.template(fixture.templates(), "a".into(), "en".into()).await.unwrap().unwrap();
    assert_eq!((steps.len(), steps[0].at), (200, Timestamp(50)));
}

async fn the_last_comparison_is_known(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    assert_eq!(fixture.store.template_sync(fixture.channel).await.unwrap(), None);
    let good = TemplateSync { at: NOW, succeeded_at: Some(NOW), error: None };
    fixture.store.note_template_sync(fixture.channel, good.clone()).await.unwrap();
    assert_eq!(fixture.store.template_sync(fixture.channel).await.unwrap(), Some(good));
    let cause = herald_rules::reason::Reason::ProviderAuthFailed.into();
    let bad = TemplateSync { at: NOW + HOUR, succeeded_at: None, error: Some(cause) };
    fixture.store.note_template_sync(fixture.channel, bad.clone()).await.unwrap();
    let kept = TemplateSync { succeeded_at: Some(NOW), ..bad };
    assert_eq!(fixture.store.template_sync(fixture.channel).await.unwrap(), Some(kept));
}
