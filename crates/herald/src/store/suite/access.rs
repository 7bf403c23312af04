//! Secrets, users and tokens: what is in force, and what no longer is.

use super::*;
use crate::access::{Scope, Scopes};
use uuid::Uuid;

on_both_engines! {
    master_keys_are_remembered_once,
    of_one_name_one_secret_is_in_force,
    a_revoked_secret_takes_its_tokens_with_it_and_is_overwritten,
    users_are_listed_by_address_and_removed_with_their_tokens,
    a_token_tells_who_holds_it_until_it_is_revoked,
    tokens_are_listed_newest_first_and_those_without_a_name_are_not,
    tokens_that_expired_long_ago_are_dropped,
}

const ANA: &str = "ana@example.com";

fn secret(name: &str) -> NewSecret {
    NewSecret { id: Uuid::now_v7(), name: name.into(), sealed: b"sealed".to_vec(), created_at: NOW }
}

fn user(email: &str) -> UserRow {
    UserRow { email: email.into(), name: "Ana".into(), created_at: NOW }
}

impl Fixture {
    fn token(&self, number: u8) -> NewToken {
        NewToken {
            hash: [number; 32],
            department: self.department,
            id: Uuid::now_v7(),
            name: Some(format!("token {number}")),
            user: None,
            secret: None,
            scopes: Scopes::EVERYTHING,
            created_at: NOW,
            expires_at: None,
        }
    }

    async fn holds(&self, number: u8) -> bool {
        self.store.session([number; 32]).await.unwrap().is_some()
    }

    async fn names_of_secrets(&self) -> Vec<(String, bool)> {
        let secrets = self.store.secrets(self.department).await.unwrap();
        secrets.into_iter().map(|secret| (secret.name, secret.revoked_at.is_none())).collect()
    }

    async fn listed_tokens(&self, before: Uuid, limit: u32) -> Vec<TokenRow> {
        self.store.tokens(self.department, before, limit).await.unwrap()
    }
}

async fn master_keys_are_remembered_once(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    assert!(fixture.store.master_key_ids().await.unwrap().is_empty());
    for (key, at) in [([7; 8], NOW + HOUR), ([1; 8], NOW), ([7; 8], NOW - HOUR)] {
        fixture.store.remember_master_key(key, at).await.unwrap();
    }
    let fixture = fixture.reopened().await;
    assert_eq!(fixture.store.master_key_ids().await.unwrap(), [[1; 8], [7; 8]], "in the order of their first use");
}

async fn of_one_name_one_secret_is_in_force(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (store, department) = (&fixture.store, fixture.department);
    let second = secret("second");
    store.add_secret(department, second.clone()).await.unwrap();
    let again = store.add_secret(department, secret("second")).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let other = store.add_department(new_department()).await.unwrap();
    store.add_secret(other, secret("second")).await.unwrap();
    assert!(store.revoke_secret(department, second.id, NOW).await.unwrap());
    store.add_secret(department, secret("second")).await.unwrap();
    let listed = [("second", true), ("second", false), ("first", true)].map(|(name, holds)| (name.to_owned(), holds));
    assert_eq!(fixture.names_of_secrets().await, listed, "newest first");
}

async fn a_revoked_secret_takes_its_tokens_with_it_and_is_overwritten(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (store, department) = (&fixture.store, fixture.department);
    let (stays, goes) = (secret("stays"), secret("goes"));
    for (number, secret) in [(1, &stays), (2, &goes)] {
        store.add_secret(department, secret.clone()).await.unwrap();
        let token = NewToken { secret: Some(secret.id), ..fixture.token(number) };
        store.add_token(token).await.unwrap();
    }
    let other = store.add_department(new_department()).await.unwrap();
    assert!(!store.revoke_secret(other, goes.id, NOW).await.unwrap(), "another department's");
    assert!(store.revoke_secret(department, goes.id, NOW + HOUR).await.unwrap());
    assert!(!store.revoke_secret(department, goes.id, NOW + 2 * HOUR).await.unwrap());
    assert_eq!((fixture.holds(1).await, fixture.holds(2).await), (true, false));
    let rows = store.secrets(department).await.unwrap();
    let revoked = rows.iter().find(|row| row.id == goes.id).unwrap();
    assert_eq!((revoked.revoked_at, revoked.sealed.len()), (Some(NOW + HOUR), 0));
    let kept = rows.iter().find(|row| row.id == stays.id).unwrap();
    assert_eq!((kept.sealed.as_slice(), kept.created_at), (&b"sealed"[..], NOW));
}

async fn users_are_listed_by_address_and_removed_with_their_tokens(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (store, department) = (&fixture.store, fixture.department);
    for email in ["zoe@example.com", ANA, "ben@example.com"] {
        store.add_user(department, user(email)).await.unwrap();
    }
    assert!(matches!(store.add_user(department, user(ANA)).await, Err(StoreError::Conflict(_))));
    let list = async |after: &str, limit| {
        let users = store.users(department, after.to_owned(), limit).await.unwrap();
        users.into_iter().map(|user| user.email).collect::<Vec<_>>()
    };
    assert_eq!(list("", 2).await, [ANA, "ben@example.com"]);
    assert_eq!(list("ben@example.com", 2).await, ["zoe@example.com"]);
    let ana = &store.users(department, String::new(), 1).await.unwrap()[0];
    assert_eq!((ana.name.as_str(), ana.created_at), ("Ana", NOW));

    for number in [1, 2] {
        let holder = if number == 1 { ANA } else { "ben@example.com" };
        store.add_token(NewToken { user: Some(holder.into()), ..fixture.token(number) }).await.unwrap();
    }
    assert!(store.remove_user(department, ANA.into(), NOW).await.unwrap());
    assert!(!store.remove_user(department, ANA.into(), NOW).await.unwrap());
    assert!(!store.has_user(department, ANA.into()).await.unwrap());
    assert!(store.has_user(department, "ben@example.com".into()).await.unwrap());
    assert!(!store.has_user(department + 1, "ben@example.com".into()).await.unwrap());
    assert_eq!((fixture.holds(1).await, fixture.holds(2).await), (false, true));
}

async fn a_token_tells_who_holds_it_until_it_is_revoked(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (store, department) = (&fixture.store, fixture.department);
    let token = NewToken {
        user: Some(ANA.into()),
        scopes: [Scope::Send, Scope::Access].into_iter().collect(),
        expires_at: Some(NOW + HOUR),
        ..fixture.token(1)
    };
    let id = token.id;
    store.add_token(token.clone()).await.unwrap();
    let same = NewToken { id: Uuid::now_v7(), ..token.clone() };
    assert!(matches!(store.add_token(same).await, Err(StoreError::Conflict(_))));
    let session = store.session([1; 32]).await.unwrap().unwrap();
    assert_eq!((session.id, session.department, session.user.as_deref()), (id, department, Some(ANA)));
    assert_eq!((session.scopes, session.expires_at), (token.scopes, token.expires_at));
    assert!(!fixture.holds(2).await);

    assert!(!store.revoke_token(department + 1, id, NOW).await.unwrap());
    assert!(store.revoke_token(department, id, NOW).await.unwrap());
    assert!(!store.revoke_token(department, id, NOW + HOUR).await.unwrap());
    assert!(!fixture.holds(1).await);
    assert_eq!(fixture.listed_tokens(Uuid::max(), 1).await[0].revoked_at, Some(NOW));
}

async fn tokens_are_listed_newest_first_and_those_without_a_name_are_not(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let mut ids = Vec::new();
    for number in 1..=4 {
        let mut token = NewToken { user: Some(ANA.into()), ..fixture.token(number) };
        if number == 2 {
            token.name = None;
        }
        ids.push(token.id);
        fixture.store.add_token(token).await.unwrap();
    }
    let listed = fixture.listed_tokens(Uuid::max(), 2).await;
    assert_eq!(listed.iter().map(|token| token.id).collect::<Vec<_>>(), [ids[3], ids[2]]);
    let TokenRow { name, user, scopes, created_at, expires_at, revoked_at, .. } = &listed[0];
    assert_eq!((name.as_str(), user.as_deref(), *scopes), ("token 4", Some(ANA), Scopes::EVERYTHING));
    assert_eq!((*created_at, *expires_at, *revoked_at), (NOW, None, None));
    let rest = fixture.listed_tokens(ids[2], 10).await;
    assert_eq!(rest.iter().map(|token| token.id).collect::<Vec<_>>(), [ids[0]]);
    assert!(fixture.store.tokens(fixture.department + 1, Uuid::max(), 10).await.unwrap().is_empty());
}

async fn tokens_that_expired_long_ago_are_dropped(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let later = NOW + KEEP_EXPIRED + HOUR;
    for (number, expires_at) in [(1, Some(NOW)), (2, Some(later)), (3, None)] {
        fixture.store.add_token(NewToken { expires_at, ..fixture.token(number) }).await.unwrap();
    }
    assert!(fixture.holds(1).await, "it has expired, which is for others to judge");
    fixture.store.add_token(NewToken { created_at: later, ..fixture.token(4) }).await.unwrap();
    let kept = [fixture.holds(1).await, fixture.holds(2).await, fixture.holds(3).await, fixture.holds(4).await];
    assert_eq!(kept, [false, true, true, true]);
}
