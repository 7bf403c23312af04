//! The decision about one correct call: what is answered, and which statuses follow when. Pure.

use super::{
    behaviour::{Answers, GraphBehaviour},
    free::Found,
    magic::GraphMagic,
    record::GraphStatus,
};
use crate::{magic::Magic, record::CallOutcome};
use std::time::Duration;

/// What the caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// 200; the message is taken.
    Accept,
    /// 200 with `held_for_quality_assessment`.
    Held,
    /// 200 with `paused`; it will never be sent.
    Paused,
    /// An error answer; it is not taken.
    Error(u32),
    /// An error answer that asks to slow down.
    Throttle(u32),
    /// The connection closes; it is not taken.
    DropBefore,
    /// The connection closes; it is.
    DropAfter,
    /// Nothing; it is.
    Hang,
}

impl Reply {
    /// The code of its error answer.
    pub(crate) fn error(self) -> Option<u32> {
        match self {
            Self::Error(code) | Self::Throttle(code) => Some(code),
            _ => None,
        }
    }
}

impl From<Reply> for CallOutcome {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Accept | Reply::Held => Self::Accepted,
            Reply::Error(code) if super::codes::find(code).status().is_server_error() => Self::TemporaryFailure,
            Reply::Error(_) | Reply::Paused => Self::Refused,
            Reply::Throttle(_) => Self::Throttled,
            Reply::DropBefore => Self::DroppedBefore,
            Reply::DropAfter => Self::DroppedAfter,
            Reply::Hang => Self::Hung,
        }
    }
}

/// One status to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) after: Duration,
    pub(crate) status: GraphStatus,
    pub(crate) code: Option<u32>,
}

/// The whole decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) reply: Reply,
    pub(crate) latency: Duration,
    pub(crate) statuses: Vec<Planned>,
    /// The answer waits until the first status has been taken by the receiver.
    pub(crate) status_first: bool,
}

/// What is known about a call when it is decided about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) magic: Option<GraphMagic>,
    /// Counts the calls with this customer, echo and content from 1.
    pub(crate) attempt: u32,
    pub(crate) found: Found,
    /// A marketing template.
    pub(crate) marketing: bool,
    /// A template of any category.
    pub(crate) template: bool,
}

/// Between a status and its duplicate, or its successor that comes first: more than a batch lingers by default, so that they
/// travel in different webhooks.
const APART: Duration = Duration::from_millis(40);

/// How statuses are disturbed.
#[derive(Clone, Copy, Debug, Default)]
struct Disturbed {
    none: bool,
    failed: Option<u32>,
    twice: bool,
    backwards: bool,
    first: bool,
    late: bool,
    unread: bool,
}

/// Decides about one call. `throttled` is asked for tokens once, unless the recipient is magic; `fails` for the fate of a taken
/// message by Meta's rules, and only then.
pub(crate) fn decide(
    behaviour: &GraphBehaviour,
    case: Case,
    random: &mut fastrand::Rng,
    throttled: impl FnOnce() -> Option<u32>,
    fails: impl FnOnce() -> Option<u32>,
) -> Plan {
    let answers = &behaviour.answers;
    let mut latency = milliseconds(answers.latency_ms) + milliseconds(random.u32(0..=answers.jitter_ms));
    let (reply, mut disturbed) = if let Some(magic) = case.magic.filter(|_| behaviour.magic_numbers) {
        if magic == GraphMagic::Common(Magic::Slow) {
            latency += Duration::from_secs(3);
        }
        by_magic(magic, case)
    } else if let Some(code) = throttled() {
        (Reply::Throttle(code), Disturbed::default())
    } else {
        by_share(behaviour, random)
    };
    let taken = CallOutcome::from(reply).taken();
    if taken && disturbed.failed.is_none() {
        disturbed.failed = case.found.fails.or_else(fails);
    }
    let statuses = if taken { statuses(behaviour, case, disturbed, random) } else { Vec::new() };
    let status_first = disturbed.first && reply == Reply::Accept && !statuses.is_empty();
    Plan { reply, latency, statuses, status_first }
}

fn by_magic(magic: GraphMagic, case: Case) -> (Reply, Disturbed) {
    let plain = Disturbed::default();
    let fails = |code| (Reply::Accept, Disturbed { failed: Some(code), ..plain });
    match (magic, case.attempt) {
        (GraphMagic::Common(magic), attempt) => match (magic, attempt) {
            (Magic::NotReachable, _) => fails(131_026),
            (Magic::FailsLater, _) => fails(131_000),
            (Magic::ContentRefused, _) => (Reply::Error(if case.template { 132_007 } else { 131_000 + 9 }), plain),
            (Magic::ThrottledTwice, ..=2) => (Reply::Throttle(131_056), plain),
            (Magic::BrokenTwice, 1) => (Reply::Error(2), plain),
            (Magic::BrokenTwice, 2) => (Reply::Error(131_016), plain),
            (Magic::AnswerLost, 1) => (Reply::DropAfter, plain),
            (Magic::CallLost, 1) => (Reply::DropBefore, plain),
            (Magic::ReceiptFirst, _) => (Reply::Accept, Disturbed { first: true, ..plain }),
            (Magic::TwiceAndBackwards, _) => (Reply::Accept, Disturbed { twice: true, backwards: true, ..plain }),
            (Magic::NoReceipts, _) => (Reply::Accept, Disturbed { none: true, ..plain }),
            _ => (Reply::Accept, plain),
        },
        (GraphMagic::StoppedMarketing, _) if case.marketing => fails(131_050),
        (GraphMagic::EnoughMarketing, _) if case.marketing => fails(131_049),
        (GraphMagic::Held, _) if case.template => (Reply::Held, Disturbed { late: true, ..plain }),
        (GraphMagic::Paused, _) if case.template => (Reply::Paused, plain),
        _ => (Reply::Accept, plain),
    }
}

fn by_share(behaviour: &GraphBehaviour, random: &mut fastrand::Rng) -> (Reply, Disturbed) {
    let (answers, receipts) = (&behaviour.answers, &behaviour.receipts);
    let reply = reply_by_share(answers, random);
    // Every share draws its number whether it is needed or not, so that changing one leaves the others' draws alone.
    let mut falls = |share: f64| random.f64() < share;
    let disturbed = Disturbed {
        none: falls(receipts.missing_share),
        failed: falls(receipts.failed_share).then_some(receipts.failed_code),
        twice: falls(receipts.duplicated_share),
        backwards: falls(receipts.out_of_order_share),
        first: falls(receipts.early_share),
        late: falls(receipts.late_share),
        unread: !falls(receipts.read_share),
    };
    (reply, disturbed)
}

fn reply_by_share(answers: &Answers, random: &mut fastrand::Rng) -> Reply {
    let temporary = random.choice([2, 131_000, 131_016]).unwrap_or(2);
    let mut point = random.f64();
    let shares = [
        (answers.throttled_share, Reply::Throttle(answers.throttled_code)),
        (answers.temporary_share, Reply::Error(temporary)),
        (answers.permanent_share, Reply::Error(answers.permanent_code)),
        (answers.dropped_before_share, Reply::DropBefore),
        (answers.dropped_after_share, Reply::DropAfter),
        (answers.hang_share, Reply::Hang),
    ];
    let fallen = shares.into_iter().find_map(|(share, reply)| {
        point -= share;
        (point < 0.0).then_some(reply)
    });
    fallen.unwrap_or(Reply::Accept)
}

fn statuses(behaviour: &GraphBehaviour, case: Case, how: Disturbed, random: &mut fastrand::Rng) -> Vec<Planned> {
    let settings = &behaviour.receipts;
    if how.none {
        return Vec::new();
    }
    let mut after = milliseconds(settings.delay_ms) + milliseconds(random.u32(0..=settings.jitter_ms));
    if how.late {
        after += milliseconds(settings.late_by_ms);
    }
    if how.first {
        after = Duration::ZERO;
    }
    let mut list = Vec::with_capacity(if how.twice { 8 } else { 4 });
    let mut add = |after, status, code| list.push(Planned { after, status, code });
    if let Some(code) = how.failed {
        // What fails on the way was sent before; what Meta itself withholds never was.
        if matches!(code, 131_000 | 131_052 | 131_053) {
            add(after, GraphStatus::Sent, None);
        }
        add(after + milliseconds(settings.delivered_delay_ms), GraphStatus::Failed, Some(code));
    } else {
        add(after, GraphStatus::Sent, None);
        if !case.found.sent_only {
            let delivered = after + milliseconds(settings.delivered_delay_ms);
            add(delivered, GraphStatus::Delivered, None);
            if !how.unread {
                let read = delivered + milliseconds(settings.read_delay_ms);
                add(read, GraphStatus::Read, None);
                if case.found.voice {
                    add(read + milliseconds(settings.read_delay_ms), GraphStatus::Played, None);
                }
            }
        }
    }
    if how.backwards {
        list.reverse();
        let mut next = after;
        for planned in &mut list {
            planned.after = next;
            next += APART;
        }
    }
    if how.twice {
        let again: Vec<Planned> =
            list.iter().map(|planned| Planned { after: planned.after + APART / 2, ..*planned }).collect();
        list.extend(again);
    }
    list
}

fn milliseconds(count: u32) -> Duration {
    Duration::from_millis(u64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use GraphStatus::{Delivered, Failed, Played, Read, Sent};

    fn plan(behaviour: &GraphBehaviour, magic: Option<GraphMagic>, attempt: u32, found: Found) -> Plan {
        let case = Case { magic, attempt, found, marketing: true, template: true };
        decide(behaviour, case, &mut fastrand::Rng::with_seed(1), || None, || None)
    }

    fn listed(plan: &Plan) -> Vec<GraphStatus> {
        let mut list = plan.statuses.clone();
        list.sort_by_key(|planned| planned.after);
        list.into_iter().map(|planned| planned.status).collect()
    }

    #[test]
    fn statuses_follow_by_kind_and_magic() {
        let behaviour = GraphBehaviour::default();
        let common = |magic| Some(GraphMagic::Common(magic));
        let plain = Found::default();
        for (magic, found, expected) in [
            (None, plain, vec![Sent, Delivered, Read]),
            (None, Found { voice: true, ..plain }, vec![Sent, Delivered, Read, Played]),
            (None, Found { sent_only: true, ..plain }, vec![Sent]),
            (None, Found { fails: Some(131_053), ..plain }, vec![Sent, Failed]),
            (common(Magic::NotReachable), plain, vec![Failed]),
            (common(Magic::FailsLater), plain, vec![Sent, Failed]),
            (common(Magic::NoReceipts), plain, vec![]),
            (common(Magic::TwiceAndBackwards), plain, vec![Read, Read, Delivered, Delivered, Sent, Sent]),
            (Some(GraphMagic::StoppedMarketing), plain, vec![Failed]),
            (Some(GraphMagic::Paused), plain, vec![]),
        ] {
            assert_eq!(listed(&plan(&behaviour, magic, 1, found)), expected, "{magic:?} {found:?}");
        }
        for (magic, attempts) in [
            (Magic::ThrottledTwice, [Reply::Throttle(131_056), Reply::Throttle(131_056), Reply::Accept]),
            (Magic::BrokenTwice, [Reply::Error(2), Reply::Error(131_016), Reply::Accept]),
            (Magic::AnswerLost, [Reply::DropAfter, Reply::Accept, Reply::Accept]),
        ] {
            let got = [1, 2, 3].map(|attempt| plan(&behaviour, common(magic), attempt, plain).reply);
            assert_eq!(got, attempts, "{magic:?}");
        }
    }
}
