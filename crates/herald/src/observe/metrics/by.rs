//! Metrics with a label of a closed set: looked up by array index.

use super::{CallbackResult, DeliveryResult, FileVerdict, NoticeKind, OutcomeKind, Speed, SyncResult};
use herald_rules::{lease::Kind, protocol::Protocol, status::Status};
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::marker::PhantomData;

/// A closed set of values of a label.
pub trait Labelled: Copy + PartialEq + 'static {
    /// The label's name.
    const NAME: &'static str;
    /// All values.
    const ALL: &'static [Self];
    /// The value as it is written.
    fn label(self) -> &'static str;
    /// The position in [`Labelled::ALL`].
    fn position(self) -> usize;
}

/// A metric for every value of one label.
#[derive(Debug)]
pub struct By<L, M> {
    metrics: Vec<M>,
    label: PhantomData<L>,
}

/// A metric for every pair of values of two labels.
#[derive(Debug)]
pub struct By2<A, B, M> {
    metrics: Vec<M>,
    labels: PhantomData<(A, B)>,
}

impl<L: Labelled, M> By<L, M> {
    /// The metric of one value.
    pub fn of(&self, value: L) -> &M {
        &self.metrics[value.position()]
    }
}

impl<A: Labelled, B: Labelled, M> By2<A, B, M> {
    /// The metric of one pair.
    pub fn of(&self, first: A, second: B) -> &M {
        &self.metrics[first.position() * B::ALL.len() + second.position()]
    }
}

type Labels = Vec<(&'static str, &'static str)>;

pub(super) fn counters<L: Labelled>(registry: &mut Registry, name: &str, help: &str) -> By<L, Counter> {
    let family = Family::<Labels, Counter>::default();
    registry.register(name, help, family.clone());
    one(|labels| family.get_or_create_owned(labels))
}

pub(super) fn gauges<L: Labelled>(registry: &mut Registry, name: &str, help: &str) -> By<L, Gauge> {
    let family = Family::<Labels, Gauge>::default();
    registry.register(name, help, family.clone());
    one(|labels| family.get_or_create_owned(labels))
}

pub(super) fn histograms<L: Labelled>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    make: fn() -> Histogram,
) -> By<L, Histogram> {
    let family = Family::<Labels, Histogram>::new_with_constructor(make);
    registry.register(name, help, family.clone());
    one(|labels| family.get_or_create_owned(labels))
}

pub(super) fn counters2<A: Labelled, B: Labelled>(
    registry: &mut Registry,
    name: &str,
    help: &str,
) -> By2<A, B, Counter> {
    let family = Family::<Labels, Counter>::default();
    registry.register(name, help, family.clone());
    let pairs = A::ALL.iter().flat_map(|first| B::ALL.iter().map(move |second| (first, second)));
    let metrics = pairs
        .map(|(first, second)| family.get_or_create_owned(&vec![(A::NAME, first.label()), (B::NAME, second.label())]))
        .collect();
    By2 { metrics, labels: PhantomData }
}

fn one<L: Labelled, M>(metric: impl Fn(&Labels) -> M) -> By<L, M> {
    By { metrics: L::ALL.iter().map(|value| metric(&vec![(L::NAME, value.label())])).collect(), label: PhantomData }
}

impl Labelled for Protocol {
    const NAME: &'static str = "protocol";
    const ALL: &'static [Self] = &Protocol::ALL;
    fn label(self) -> &'static str {
        self.as_str()
    }
    fn position(self) -> usize {
        match self {
            Self::WhatsApp => 0,
            Self::SMS => 1,
            Self::AppleBusinessChat => 2,
        }
    }
}

impl Labelled for Kind {
    const NAME: &'static str = "kind";
    const ALL: &'static [Self] = &Kind::ALL;
    fn label(self) -> &'static str {
        self.as_str()
    }
    fn position(self) -> usize {
        usize::from(self.code())
    }
}

impl Labelled for Status {
    const NAME: &'static str = "status";
    const ALL: &'static [Self] = &Status::ALL;
    fn label(self) -> &'static str {
        self.as_str()
    }
    fn position(self) -> usize {
        usize::from(self.code())
    }
}

impl Labelled for OutcomeKind {
    const NAME: &'static str = "outcome";
    const ALL: &'static [Self] = &[Self::Accepted, Self::Refused, Self::Retry, Self::NotSent, Self::Unknown];
    fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Retry => "retry",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
        }
    }
    fn position(self) -> usize {
        self as usize
    }
}

impl Labelled for DeliveryResult {
    const NAME: &'static str = "result";
    const ALL: &'static [Self] = &[Self::Delivered, Self::Retry, Self::Halved, Self::Parked, Self::Exhausted];
    fn label(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry => "retry",
            Self::Halved => "halved",
            Self::Parked => "parked",
            Self::Exhausted => "exhausted",
        }
    }
    fn position(self) -> usize {
        self as usize
    }
}

impl Labelled for CallbackResult {
    const NAME: &'static str = "result";
    const ALL: &'static [Self] =
        &[Self::Taken, Self::Unauthorised, Self::Malformed, Self::TooLarge, Self::NoChannel, Self::NotStored];
    fn label(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Unauthorised => "unauthorised",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::NoChannel => "no_channel",
            Self::NotStored => "not_stored",
        }
    }
    fn position(self) -> usize {
        self as usize
    }
}

impl Labelled for NoticeKind {
    const NAME: &'static str = "kind";
    const ALL: &'static [Self] =
        &[Self::Receipt, Self::Inbound, Self::Marketing, Self::Template, Self::Account, Self::Ignored];
    fn label(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Inbound => "inbound",
            Self::Marketing => "marketing",
            Self::Template => "template",
            Self::Account => "account",
            Self::Ignored => "ignored",
        }
    }
    fn position(self) -> usize {
        self as usize
    }
}

impl Labelled for SyncResult {
    const NAME: &'static str = "result";
    const ALL: &'static [Self] = &[Self::Done, Self::Failed];
    fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
    fn position(self) -> usize {
        self as usize
    }
}

impl Labelled for FileVerdict {
    const NAME: &'static str = "verdict";
    const ALL: &'static [Self] =
        &[Self::Sendable, Self::WebPage, Self::TooLarge, Self::TypeNotAllowed, Self::Unreachable];
    fn label(self) -> &'static str {
        match self {
            Self::Sendable => "sendable",
            Self::WebPage => "web_page",
            Self::TooLarge => "too_large",
            Self::TypeNotAllowed => "type_not_allowed",
            Self::Unreachable => "unreachable",
        }
    }
    fn position(self) -> usize {
        self as usize
    }
}

impl Labelled for Speed {
    const NAME: &'static str = "kind";
    const ALL: &'static [Self] = &[Self::Send, Self::Other];
    fn label(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Other => "other",
        }
    }
    fn position(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<L: Labelled>() {
        for (position, value) in L::ALL.iter().enumerate() {
            assert_eq!(value.position(), position, "{}", value.label());
        }
    }

    #[test]
    fn positions_are_those_of_the_lists() {
        check::<SyncResult>();
        check::<Protocol>();
        check::<Status>();
        check::<OutcomeKind>();
        check::<DeliveryResult>();
        check::<FileVerdict>();
        check::<Speed>();
        check::<CallbackResult>();
        check::<NoticeKind>();
    }
}
