//! Departments, channels and lanes as they are made, changed and read.

use super::*;
use crate::node::directory::{Channel, ChannelSettings, Department, DepartmentSettings, Lane, OnUnknownOutcome};

on_both_engines! {
    a_department_comes_with_its_secret_and_user,
    an_id_is_one_departments_and_what_fails_leaves_nothing,
    what_is_not_named_in_a_change_stays,
    a_channel_changes_field_by_field,
    an_identifier_is_one_lane_in_the_whole_instance,
    a_lane_changes_and_goes_back_to_the_configured_rate,
    what_waits_is_counted_by_lane_and_protocol,
    what_can_be_written_to_says_so,
}

impl Fixture {
    async fn department_now(&self) -> Department {
        Department::clone(self.store.directory().await.unwrap().department(self.department).unwrap())
    }

    async fn channel_now(&self) -> Channel {
        Channel::clone(self.store.directory().await.unwrap().channel(self.channel).unwrap())
    }

    async fn lane_now(&self) -> Lane {
        Lane::clone(self.store.directory().await.unwrap().lane(self.lane).unwrap())
    }

    fn place(&self) -> ChannelPlace {
        ChannelPlace { department: self.department, channel: self.channel, protocol: Protocol::SMS }
    }
}

async fn a_department_comes_with_its_secret_and_user(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let user = UserRow { email: "ana@example.com".into(), name: "Ana".into(), created_at: NOW };
    let settings = DepartmentSettings { messages_per_minute: Some(600), burst: Some(7) };
    let new = NewDepartment { user: Some(user), settings: settings.clone(), ..new_department() };
    let (id, secret) = (new.id, new.secret.id);
    let row = fixture.store.add_department(new).await.unwrap();
    assert_ne!(row, fixture.department);
    let fixture = fixture.reopened().await;
    let directory = fixture.store.directory().await.unwrap();
    let department = directory.department_by_id(id).unwrap();
    assert_eq!((department.row, department.name.as_str(), &department.settings), (row, "Test", &settings));
    let secrets = fixture.store.secrets(row).await.unwrap();
    assert_eq!(secrets.iter().map(|secret| secret.id).collect::<Vec<_>>(), [secret]);
    assert!(fixture.store.has_user(row, "ana@example.com".into()).await.unwrap());
    assert!(!fixture.store.has_user(fixture.department, "ana@example.com".into()).await.unwrap());
}

async fn an_id_is_one_departments_and_what_fails_leaves_nothing(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let new = new_department();
    let taken = NewDepartment { id: new.id, ..new_department() };
    fixture.store.add_department(new).await.unwrap();
    let (id, secret) = (taken.id, taken.secret.clone());
    assert!(matches!(fixture.store.add_department(taken).await, Err(StoreError::Conflict(_))));
    let directory = fixture.store.directory().await.unwrap();
    assert_eq!(directory.departments().count(), 2);
    let row = directory.department_by_id(id).unwrap().row;
    let secrets = fixture.store.secrets(row).await.unwrap();
    assert!(secrets.iter().all(|row| row.id != secret.id));
}

async fn what_is_not_named_in_a_change_stays(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let settings = DepartmentSettings { messages_per_minute: Some(60), burst: None };
    let change = |name: Option<&str>, settings| {
        fixture.store.change_department(fixture.department, name.map(str::to_owned), settings)
    };
    change(None, Some(settings.clone())).await.unwrap();
    assert_eq!(fixture.department_now().await.name, "Test");
    change(Some("Other"), None).await.unwrap();
    let now = fixture.department_now().await;
    assert_eq!((now.name.as_str(), now.settings), ("Other", settings));
}

async fn a_channel_changes_field_by_field(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let change = async |change| {
        fixture.store.change_channel(fixture.channel, change).await.unwrap();
        fixture.channel_now().await
    };
    let settings = ChannelSettings { on_unknown_outcome: OnUnknownOutcome::Resend, ..Default::default() };
    let before = change(ChannelChange::default()).await;
    assert_eq!((before.name.as_str(), before.active, before.non_ticket), ("Test", true, true));
    assert_eq!((before.protocol, before.provider), (Protocol::SMS, Provider::Simulated));
    assert_eq!((before.department, before.sealed_credentials), (fixture.department, None));
    change(ChannelChange { name: Some("Other".into()), ..Default::default() }).await;
    change(ChannelChange { active: Some(false), ..Default::default() }).await;
    change(ChannelChange { non_ticket: Some(false), ..Default::default() }).await;
    change(ChannelChange { settings: Some(settings.clone()), ..Default::default() }).await;
    let after = change(ChannelChange { sealed_credentials: Some(b"sealed".to_vec()), ..Default::default() }).await;
    assert_eq!((after.name.as_str(), after.active, after.non_ticket), ("Other", false, false));
    assert_eq!(after.settings, settings);
    assert_eq!(after.sealed_credentials.as_deref(), Some(&b"sealed"[..]));
}

async fn an_identifier_is_one_lane_in_the_whole_instance(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let store = &fixture.store;
    let new = NewIdentifier { identifier: "15550100201".into(), name: "Sales".into(), rate: Some("5/s".into()) };
    let lane = store.add_identifier(fixture.place(), new, NOW).await.unwrap();
    let directory = store.directory().await.unwrap();
    let found = directory.lane_of(Protocol::SMS, "15550100201").unwrap();
    assert_eq!((found.row, found.channel, found.department), (lane, fixture.channel, fixture.department));
    assert_eq!((found.name.as_str(), found.rate.as_deref(), found.paused), ("Sales", Some("5/s"), false));

    let other = store.add_department(new_department()).await.unwrap();
    let taken = store.add_channel(new_channel(other, &["15550100201"])).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))));
    assert!(store.directory().await.unwrap().channels(other).is_empty(), "nor is its channel there");
    let again = store.add_identifier(fixture.place(), new_identifier("15550100200"), NOW).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))));
    let whatsapp = NewChannel { protocol: Protocol::WhatsApp, ..new_channel(other, &["15550100201"]) };
    store.add_channel(whatsapp).await.unwrap();
    assert_eq!(store.directory().await.unwrap().all_lanes().count(), 3, "another protocol's is another");
}

async fn a_lane_changes_and_goes_back_to_the_configured_rate(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let change = async |change| {
        fixture.store.change_lane(fixture.lane, change).await.unwrap();
        let lane = fixture.lane_now().await;
        (lane.name.clone(), lane.rate.clone(), lane.paused)
    };
    let rate = Some(Some("5/s".to_owned()));
    assert_eq!(change(LaneChange { rate, ..Default::default() }).await, (String::new(), Some("5/s".into()), false));
    let paused = LaneChange { paused: Some(true), name: Some("Sales".into()), ..Default::default() };
    assert_eq!(change(paused).await, ("Sales".into(), Some("5/s".into()), true));
    let back = LaneChange { rate: Some(None), ..Default::default() };
    assert_eq!(change(back).await, ("Sales".into(), None, true));
}

async fn what_waits_is_counted_by_lane_and_protocol(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let store = &fixture.store;
    let idle = store.add_identifier(fixture.place(), new_identifier("15550100201"), NOW).await.unwrap();
    let whatsapp = NewChannel { protocol: Protocol::WhatsApp, ..new_channel(fixture.department, &["15550100202"]) };
    store.add_channel(whatsapp).await.unwrap();
    let other = store.directory().await.unwrap().lane_of(Protocol::WhatsApp, "15550100202").unwrap().row;
    let sent = fixture.accept("1").await;
    fixture.accept("2").await;
    let waiting = NewMessage { lane: other, ..fixture.new_message("3", |message| message.send_at = Some(NOW + HOUR)) };
    store.accept(vec![waiting]).await.unwrap();
    fixture.accepted_as(&sent, "ref").await;
    let mut lengths = store.queue_lengths(fixture.department).await.unwrap();
    lengths.sort_unstable();
    assert_eq!(lengths, [(fixture.lane, 1), (idle, 0), (other, 1)], "what is scheduled waits, too");
    let waiting = store.waiting_by_protocol().await.unwrap();
    let of = |protocol| waiting.iter().find(|(found, _)| *found == protocol).map(|(_, count)| *count);
    assert_eq!((of(Protocol::SMS), of(Protocol::WhatsApp)), (Some(1), Some(1)));
}

async fn what_can_be_written_to_says_so(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.store.probe().await.unwrap();
}
