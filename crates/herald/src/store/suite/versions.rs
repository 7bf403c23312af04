//! A database that a newer version has migrated: the version before it works on, an older one refuses.

use super::*;

on_both_engines! {
    a_database_that_is_one_version_ahead_is_worked_with,
    a_database_that_is_further_ahead_is_refused,
}

/// What the next version does to it: it only adds.
const NEXT: &str = "
    ALTER TABLE lane ADD COLUMN of_the_next text;
    CREATE TABLE of_the_next (department bigint PRIMARY KEY, name text NOT NULL DEFAULT '');
    INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
    SELECT max(version) + 1, 'of_the_next', '2026-11-22T12:00:00Z', '1' FROM refinery_schema_history";

async fn a_database_that_is_one_version_ahead_is_worked_with(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.accept("1").await;
    fixture.sql(NEXT).await;
    let fixture = fixture.reopened().await;
    fixture.accept("2").await;
    assert_eq!((fixture.queued().await, fixture.head(Priority::Transactional).await.len()), (2, 2));
    fixture.store.add_channel(new_channel(fixture.department, &["15550100201"])).await.unwrap();
    let schema = upkeep::schema(&fixture.options()).await.unwrap();
    assert_eq!((schema.database, schema.newer.len(), schema.missing.len()), (schema.program + 1, 1, 0));
}

async fn a_database_that_is_further_ahead_is_refused(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.sql(NEXT).await;
    fixture
        .sql(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
             SELECT max(version) + 1, 'after_that', '2026-11-22T12:00:00Z', '1' FROM refinery_schema_history",
        )
        .await;
    fixture.store.close().await;
    let refused = Store::open(&fixture.options(), Arc::new(Heard::default())).await.err().unwrap().to_string();
    assert!(refused.contains("more than one version"), "{refused}");
    assert!(upkeep::migrate(&fixture.options()).await.is_err());
}
