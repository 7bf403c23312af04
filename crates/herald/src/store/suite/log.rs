//! The log: every change once, in the order of its lane, with its message.

use super::*;
use herald_rules::reason::{Cause, Reason};

on_both_engines! {
    events_are_rendered_with_what_was_written,
    a_read_goes_on_where_it_ended_and_shares_between_lanes,
    what_is_asked_for_by_place_comes_in_that_order,
    heads_are_the_last_numbers_of_all_lanes,
    a_stop_stands_in_the_log_though_it_is_about_no_message,
}

/// What a renderer was given.
type Row = (MessageId, EventKind, Timestamp, Option<u16>, bool, String);

impl Fixture {
    /// Reads with a renderer that writes down what it is given.
    async fn log_rows(&self, after: Vec<EventKey>, limit: usize) -> Vec<(LoggedEvent, Row)> {
        let rows: Arc<Mutex<Vec<Row>>> = Arc::default();
        let written = rows.clone();
        let render: Render = Arc::new(move |row, out| {
            let text = format!("{}{}", row.provider.unwrap_or("-"), row.message);
            written.lock().unwrap().push((row.id, row.kind, row.at, row.reason, row.resent, text));
            out.extend_from_slice(row.key.sequence.to_string().as_bytes());
        });
        let events = self.store.log_after(self.department, after, limit, render).await.unwrap();
        let rows = std::mem::take(&mut *rows.lock().unwrap());
        events.into_iter().zip(rows).collect()
    }

    /// Another lane of the channel.
    pub(super) async fn another_lane(&self, identifier: &str) -> LaneRow {
        let place = ChannelPlace { department: self.department, channel: self.channel, protocol: Protocol::SMS };
        self.store.add_identifier(place, new_identifier(identifier), NOW).await.unwrap()
    }

    /// Accepts a message and lets it be accepted by the provider: one event.
    pub(super) async fn event_in(&self, lane: LaneRow) -> MessageId {
        let new = NewMessage { lane, ..self.new_message("1", |_| {}) };
        let id = new.message.id;
        assert_eq!(self.store.accept(vec![new]).await.unwrap(), [Accepted::New]);
        let page = self.store.head(self.department, lane, Priority::Transactional, 0, 1_000).await.unwrap();
        let queued = page.messages.into_iter().find(|queued| queued.message.id == id).unwrap();
        let outcomes = Outcomes {
            department: self.department,
            channel: self.channel,
            lane,
            epoch: Epoch::default(),
            ended: vec![Ended {
                id,
                place: queued.place,
                attempt: 1,
                claimed_as: Some(1),
                resent: false,
                part: 0,
                parts: 1,
                at: NOW,
                outcome: Recorded::Accepted { reference: None },
            }],
            closed: vec![],
            standings: vec![],
            daily_customers: None,
        };
        self.store.record(outcomes).await.unwrap();
        id
    }
}

pub(super) fn at(lane: LaneRow, sequence: i64) -> EventKey {
    EventKey { lane, sequence }
}

async fn events_are_rendered_with_what_was_written(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let queued = fixture.accept("4930").await;
    let again = Queued { resent: true, ..queued.clone() };
    let cause = Cause { provider_code: Some("131026".into()), ..Reason::ContentRefused.into() };
    fixture.record(&again, vec![], Recorded::Rejected(cause)).await;
    let fixture = fixture.reopened().await;
    let rows = fixture.log_rows(vec![at(fixture.lane, 0)], 10).await;
    let [(event, (id, kind, moment, reason, resent, text))] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((event.key, event.id, event.at, &*event.json), (at(fixture.lane, 1), queued.message.id, NOW, &b"1"[..]));
    assert_eq!((*id, *kind, *moment), (queued.message.id, EventKind::Status(Status::Rejected), NOW));
    assert_eq!((*reason, *resent), (Some(Reason::ContentRefused.number()), true));
    assert!(text.contains("131026") && text.contains("4930"), "the provider's words and the message: {text}");
}

async fn a_read_goes_on_where_it_ended_and_shares_between_lanes(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (busy, quiet) = (fixture.lane, fixture.another_lane("15550100201").await);
    for _ in 0..5 {
        fixture.event_in(busy).await;
    }
    fixture.event_in(quiet).await;
    let read = async |after, limit| {
        let rows = fixture.log_rows(after, limit).await;
        rows.into_iter().map(|(event, _)| event.key).collect::<Vec<_>>()
    };
    assert_eq!(read(vec![at(busy, 0)], 3).await, [at(busy, 1), at(busy, 2), at(busy, 3)]);
    assert_eq!(read(vec![at(busy, 3)], 3).await, [at(busy, 4), at(busy, 5)]);
    let both = read(vec![at(busy, 0), at(quiet, 0)], 4).await;
    assert!(both.contains(&at(quiet, 1)), "a busy lane leaves room: {both:?}");
    assert!(both.len() <= 4);
    assert_eq!(read(vec![at(busy, 5), at(quiet, 1)], 4).await, []);
    let render: Render = Arc::new(|_, _| {});
    let other = fixture.store.log_after(fixture.department + 1, vec![at(busy, 0)], 10, render).await.unwrap();
    assert!(other.is_empty(), "another department's");
}

async fn what_is_asked_for_by_place_comes_in_that_order(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let (one, two) = (fixture.lane, fixture.another_lane("15550100201").await);
    let mut ids = Vec::new();
    for lane in [one, two, one] {
        ids.push(fixture.event_in(lane).await);
    }
    let render: Render = Arc::new(|row, out| out.extend_from_slice(row.id.to_string().as_bytes()));
    let keys = vec![at(one, 2), at(two, 1), at(one, 9), at(one, 1)];
    let found = fixture.store.log_of(fixture.department, keys.clone(), render.clone()).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|event| (event.key, event.id, event.json)).collect();
    let json = |id: MessageId| id.to_string().into_bytes().into_boxed_slice();
    let expected = [(at(one, 2), ids[2]), (at(two, 1), ids[1]), (at(one, 1), ids[0])];
    assert_eq!(found, expected.map(|(key, id)| (key, id, json(id))), "what is not there is left out");
    assert!(fixture.store.log_of(fixture.department + 1, keys, render).await.unwrap().is_empty());
}

async fn heads_are_the_last_numbers_of_all_lanes(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let idle = fixture.another_lane("15550100201").await;
    for _ in 0..2 {
        fixture.event_in(fixture.lane).await;
    }
    let other = fixture.store.add_department(new_department()).await.unwrap();
    fixture.store.add_channel(new_channel(other, &["15550100202"])).await.unwrap();
    let theirs = fixture.store.directory().await.unwrap().lanes(other)[0].row;
    let heads = async |departments| {
        let mut heads = fixture.store.log_heads(departments).await.unwrap();
        heads.values_mut().for_each(|keys| keys.sort_unstable());
        heads
    };
    let ours = vec![at(fixture.lane, 2), at(idle, 0)];
    assert_eq!(heads(vec![fixture.department]).await, [(fixture.department, ours.clone())].into());
    assert_eq!(heads(vec![]).await, [(fixture.department, ours), (other, vec![at(theirs, 0)])].into());
}

async fn a_stop_stands_in_the_log_though_it_is_about_no_message(engine: Engine) {
    use herald_rules::pace::stop::{Stop, StopScope};
    let fixture = Fixture::new(engine).await;
    fixture.event_in(fixture.lane).await;
    let cause = Cause { provider_code: Some("190".into()), ..Reason::ProviderAuthFailed.into() };
    let stop = Stop::new(cause, StopScope::Account, NOW + HOUR, None);
    let lanes = vec![fixture.lane];
    let stopped = StandingChange::Stopped { lanes, stop };
    fixture.store.change_standing(fixture.department, fixture.lane, stopped).await.unwrap();
    let rows = fixture.log_rows(vec![at(fixture.lane, 1)], 10).await;
    let [(event, (_, kind, moment, reason, _, text))] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((event.key, *kind, *moment), (at(fixture.lane, 2), EventKind::ChannelError, NOW + HOUR));
    assert_eq!(*reason, Some(Reason::ProviderAuthFailed.number()));
    let words: StopWords = serde_json::from_str(text).unwrap();
    assert_eq!(words.code.as_deref(), Some("190"));
}
