//! The decision about one call: what is answered, and which receipts follow when. Pure but for the bucket of tokens.

use crate::{
    behaviour::{Behaviour, Scope},
    code::Code,
    magic::Magic,
    wire::ReceiptStatus,
};
use herald_rules::protocol::Protocol;
use std::time::Duration;

/// What the caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// 200; the message is taken.
    Accept,
    /// An error answer; it is not.
    Error(Code),
    /// 429 with `Retry-After` in seconds; it is not.
    Throttle(Code, u32),
    /// The connection closes; it is not.
    DropBefore,
    /// The connection closes; it is.
    DropAfter,
    /// Nothing; it is.
    Hang,
}

impl Reply {
    /// Whether the provider has the message afterwards.
    pub(crate) fn takes(self) -> bool {
        matches!(self, Self::Accept | Self::DropAfter | Self::Hang)
    }
}

/// One receipt to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) after: Duration,
    pub(crate) status: ReceiptStatus,
    pub(crate) code: Option<Code>,
}

/// The whole decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) reply: Reply,
    pub(crate) latency: Duration,
    pub(crate) receipts: Vec<Planned>,
    /// The answer waits until the first receipt has been taken by the receiver.
    pub(crate) receipt_first: bool,
}

/// Between a receipt and its duplicate, or its successor that comes first: more than a batch lingers by default, so that
/// they travel in different callbacks.
const APART: Duration = Duration::from_millis(40);

/// How receipts are disturbed.
#[derive(Clone, Copy, Debug, Default)]
struct Disturbed {
    none: bool,
    failed: Option<Code>,
    twice: bool,
    backwards: bool,
    first: bool,
    late: bool,
    unread: bool,
}

/// Decides about one call. `attempt` counts the calls with this client reference from 1; `throttled` is asked for a
/// token once, and only where the behaviour has a limit.
pub(crate) fn decide(
    behaviour: &Behaviour,
    protocol: Protocol,
    magic: Option<Magic>,
    attempt: u32,
    random: &mut fastrand::Rng,
    throttled: impl FnOnce() -> Option<(Scope, Duration)>,
) -> Plan {
    let answers = &behaviour.answers;
    let mut latency = milliseconds(answers.latency_ms) + milliseconds(random.u32(0..=answers.jitter_ms));
    let (reply, disturbed) = if let Some(magic) = magic.filter(|_| behaviour.magic_numbers) {
        if magic == Magic::Slow {
            latency += Duration::from_secs(3);
        }
        by_magic(magic, attempt)
    } else if let Some((scope, wait)) = throttled() {
        (Reply::Throttle(limit_code(scope), whole_seconds(wait)), Disturbed::default())
    } else {
        by_share(behaviour, random)
    };
    let receipts = if reply.takes() { receipts(behaviour, protocol, disturbed, random) } else { Vec::new() };
    let receipt_first = disturbed.first && reply == Reply::Accept && !receipts.is_empty();
    Plan { reply, latency, receipts, receipt_first }
}

fn by_magic(magic: Magic, attempt: u32) -> (Reply, Disturbed) {
    let plain = Disturbed::default();
    match (magic, attempt) {
        (Magic::NotReachable, _) => (Reply::Error(Code::RecipientNotReachable), plain),
        (Magic::ContentRefused, _) => (Reply::Error(Code::ContentRefused), plain),
        (Magic::ThrottledTwice, ..=2) => (Reply::Throttle(Code::RateLimitedRecipient, 1), plain),
        (Magic::BrokenTwice, 1) => (Reply::Error(Code::ServiceUnavailable), plain),
        (Magic::BrokenTwice, 2) => (Reply::Error(Code::InternalError), plain),
        (Magic::AnswerLost, 1) => (Reply::DropAfter, plain),
        (Magic::CallLost, 1) => (Reply::DropBefore, plain),
        (Magic::FailsLater, _) => (Reply::Accept, Disturbed { failed: Some(Code::DeliveryFailed), ..plain }),
        (Magic::ReceiptFirst, _) => (Reply::Accept, Disturbed { first: true, ..plain }),
        (Magic::TwiceAndBackwards, _) => (Reply::Accept, Disturbed { twice: true, backwards: true, ..plain }),
        (Magic::NoReceipts, _) => (Reply::Accept, Disturbed { none: true, ..plain }),
        _ => (Reply::Accept, plain),
    }
}

fn by_share(behaviour: &Behaviour, random: &mut fastrand::Rng) -> (Reply, Disturbed) {
    let (answers, receipts) = (&behaviour.answers, &behaviour.receipts);
    let temporary = if random.bool() { Code::ServiceUnavailable } else { Code::InternalError };
    let mut point = random.f64();
    let reply = [
        (answers.temporary_share, Reply::Error(temporary)),
        (answers.permanent_share, Reply::Error(answers.permanent_code)),
        (answers.dropped_before_share, Reply::DropBefore),
        (answers.dropped_after_share, Reply::DropAfter),
        (answers.hang_share, Reply::Hang),
    ]
    .into_iter()
    .find_map(|(share, reply)| {
        point -= share;
        (point < 0.0).then_some(reply)
    })
    .unwrap_or(Reply::Accept);
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

fn receipts(behaviour: &Behaviour, protocol: Protocol, how: Disturbed, random: &mut fastrand::Rng) -> Vec<Planned> {
    let settings = &behaviour.receipts;
    if how.none || protocol == Protocol::AppleBusinessChat {
        return Vec::new();
    }
    let mut after = milliseconds(settings.delay_ms) + milliseconds(random.u32(0..=settings.jitter_ms));
    if how.late {
        after += milliseconds(settings.late_by_ms);
    }
    if how.first {
        after = Duration::ZERO;
    }
    let mut list = Vec::with_capacity(if how.twice { 6 } else { 3 });
    // With one receipt alone nothing could come in the wrong order, so the provider then also reports `accepted`.
    if settings.accepted || how.backwards {
        list.push(Planned { after, status: ReceiptStatus::Accepted, code: None });
    }
    if let Some(code) = how.failed {
        list.push(Planned { after, status: ReceiptStatus::Failed, code: Some(code) });
    } else {
        list.push(Planned { after, status: ReceiptStatus::Delivered, code: None });
        if protocol == Protocol::WhatsApp && !how.unread {
            let read = after + milliseconds(settings.read_delay_ms);
            list.push(Planned { after: read, status: ReceiptStatus::Read, code: None });
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

fn limit_code(scope: Scope) -> Code {
    match scope {
        Scope::Account => Code::RateLimitedAccount,
        Scope::Sender => Code::RateLimitedSender,
        Scope::Recipient => Code::RateLimitedRecipient,
    }
}

fn milliseconds(count: u32) -> Duration {
    Duration::from_millis(u64::from(count))
}

/// `Retry-After` knows whole seconds only; less than one would ask for an immediate retry.
fn whole_seconds(wait: Duration) -> u32 {
    let rounded_up = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(rounded_up.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(behaviour: &Behaviour, protocol: Protocol, magic: Option<Magic>, attempt: u32, seed: u64) -> Plan {
        decide(behaviour, protocol, magic, attempt, &mut fastrand::Rng::with_seed(seed), || None)
    }

    fn statuses(plan: &Plan) -> Vec<ReceiptStatus> {
        let mut list = plan.receipts.clone();
        list.sort_by_key(|planned| planned.after);
        list.into_iter().map(|planned| planned.status).collect()
    }

    #[test]
    fn protocols_report_what_they_can() {
        use ReceiptStatus::{Accepted, Delivered, Read};
        let mut behaviour = Behaviour::default();
        assert_eq!(statuses(&plan(&behaviour, Protocol::WhatsApp, None, 1, 1)), [Delivered, Read]);
        assert_eq!(statuses(&plan(&behaviour, Protocol::SMS, None, 1, 1)), [Delivered]);
        assert_eq!(statuses(&plan(&behaviour, Protocol::AppleBusinessChat, None, 1, 1)), []);
        let magic = Some(Magic::TwiceAndBackwards);
        assert_eq!(
            statuses(&plan(&behaviour, Protocol::WhatsApp, magic, 1, 1)),
            [Read, Read, Delivered, Delivered, Accepted, Accepted]
        );
        behaviour.receipts.accepted = true;
        assert_eq!(statuses(&plan(&behaviour, Protocol::SMS, None, 1, 1)), [Accepted, Delivered]);
    }

    #[test]
    fn the_same_seed_gives_the_same_plans() {
        let mut behaviour = Behaviour::default();
        behaviour.answers.temporary_share = 0.3;
        behaviour.answers.dropped_after_share = 0.3;
        behaviour.receipts.duplicated_share = 0.5;
        let run = |from: u64| {
            (from..from + 200).map(|seed| plan(&behaviour, Protocol::SMS, None, 1, seed)).collect::<Vec<_>>()
        };
        assert_eq!(run(0), run(0));
        assert_ne!(run(0), run(1000));
        let accepted = run(0).iter().filter(|plan| plan.reply == Reply::Accept).count();
        assert!((50..110).contains(&accepted), "{accepted} of 200 with a share of 0.4");
    }

    #[test]
    fn retry_after_is_at_least_a_second() {
        assert_eq!([0, 1, 1000, 1001].map(|count| whole_seconds(Duration::from_millis(count))), [1, 1, 1, 2]);
    }
}
