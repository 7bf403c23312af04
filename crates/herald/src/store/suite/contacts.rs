//! Contacts: one for all identifiers of a person, and a department sees its own alone.

use super::*;
use std::collections::BTreeMap;

on_both_engines! {
    a_contact_is_made_found_and_replaced,
    another_department_or_protocol_sees_nobody,
    pages_join_without_gap_and_filters_hold_together,
}

const DANA: &str = "16505550142";

fn identifier(identifier: &str) -> ContactIdentifier {
    ContactIdentifier { protocol: Protocol::WhatsApp, identifier: identifier.into() }
}

fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn all(fixture: &Fixture) -> ContactFilter {
    ContactFilter {
        department: fixture.department,
        identifiers: None,
        name: None,
        after: None,
        limit: 100,
        look_at: 1_000,
    }
}

impl Fixture {
    async fn set_contact(&self, number: &str, name: Option<&str>, pairs: &[(&str, &str)]) -> (ContactCard, bool) {
        let name = name.map(str::to_owned);
        self.store.set_contact(self.department, identifier(number), name, attributes(pairs), NOW).await.unwrap()
    }

    async fn contact(&self, number: &str) -> Option<Contact> {
        self.store.contact_by_identifier(self.department, Protocol::WhatsApp, number).await.unwrap()
    }
}

async fn a_contact_is_made_found_and_replaced(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    assert_eq!(fixture.contact(DANA).await, None);
    let (made, new) = fixture.set_contact(DANA, Some("Dana"), &[("city", "Haifa"), ("plan", "gold")]).await;
    assert!(new);
    assert_eq!(made.named_by, Some(NamedBy::Api));
    assert_eq!(made.identifiers, [identifier(DANA)]);
    let found = fixture.contact(DANA).await.unwrap();
    assert_eq!(found, made.contact);
    assert_eq!((found.name.as_deref(), found.attributes["plan"].as_str()), (Some("Dana"), "gold"));

    let (replaced, new) = fixture.set_contact(DANA, None, &[("city", "Acre")]).await;
    assert!(!new);
    assert_eq!(replaced.contact.id, made.contact.id);
    assert_eq!((replaced.contact.name.as_deref(), replaced.named_by), (None, None));
    assert_eq!(replaced.contact.attributes, attributes(&[("city", "Acre")]), "replaced, not merged");
    let card = fixture.store.contact(fixture.department, made.contact.id).await.unwrap();
    assert_eq!(card, Some(replaced));
}

async fn another_department_or_protocol_sees_nobody(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (card, _) = fixture.set_contact(DANA, Some("Dana"), &[]).await;
    let other = fixture.department + 1;
    assert_eq!(fixture.store.contact_by_identifier(other, Protocol::WhatsApp, DANA).await.unwrap(), None);
    assert_eq!(fixture.store.contact(other, card.contact.id).await.unwrap(), None);
    let sms = fixture.store.contact_by_identifier(fixture.department, Protocol::SMS, DANA).await.unwrap();
    assert_eq!(sms, None);
    assert!(
        fixture.store.contacts(ContactFilter { department: other, ..all(&fixture) }).await.unwrap().contacts.is_empty()
    );
}

async fn pages_join_without_gap_and_filters_hold_together(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    for number in 0..7 {
        let name = if number % 2 == 0 { format!("Ödön {number}") } else { format!("Dana {number}") };
        fixture.set_contact(&format!("1650555010{number}"), Some(&name), &[]).await;
    }
    let mut filter = ContactFilter { limit: 3, ..all(&fixture) };
    let mut names = Vec::new();
    loop {
        let page = fixture.store.contacts(filter.clone()).await.unwrap();
        assert!(page.contacts.len() <= 3);
        names.extend(page.contacts.into_iter().filter_map(|card| card.contact.name));
        filter.after = page.next;
        if filter.after.is_none() {
            break;
        }
    }
    assert_eq!(names.len(), 7);
    let prefix = ContactFilter { name: Some("öd".into()), ..all(&fixture) };
    assert_eq!(fixture.store.contacts(prefix).await.unwrap().contacts.len(), 4, "in whatever case");
    let short = ContactFilter { name: Some("dana".into()), look_at: 3, ..all(&fixture) };
    let page = fixture.store.contacts(short).await.unwrap();
    assert_eq!((page.contacts.len(), page.next.is_some()), (1, true), "looks at no more than it may");
    let both = |name: &str| ContactFilter {
        identifiers: Some(vec![identifier("16505550101"), identifier("16505550199")]),
        name: Some(name.into()),
        ..all(&fixture)
    };
    assert_eq!(fixture.store.contacts(both("Dana")).await.unwrap().contacts.len(), 1);
    assert!(fixture.store.contacts(both("Ödön")).await.unwrap().contacts.is_empty());
}
