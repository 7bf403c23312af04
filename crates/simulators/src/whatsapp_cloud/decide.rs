//! What happens to one correct send: Meta's limits, its chances, its fate, and what it costs.

use super::{
    behaviour::GraphBehaviour,
    business::{Business, Number},
    courier::{FREE_ENTRY_CATEGORY, Pricing, Taken},
    customers::Sending,
    engine::Engine,
    journal::Arriving,
    magic::GraphMagic,
    phone,
    plan::{self, Case, Reply},
    send::Send,
};
use crate::behaviour::{RateLimit, Scope};
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// What a call gets, and what to wait for before.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) reply: Reply,
    pub(crate) wamid: String,
    pub(crate) latency: Duration,
    /// Done when the first status has been taken by the receiver.
    pub(crate) status_first: Option<oneshot::Receiver<()>>,
}

impl Engine {
    /// Decides about a correct call, notes it, and schedules its statuses: from here on Meta has the message or does not,
    /// whatever becomes of the connection.
    pub(crate) fn send(
        self: &Arc<Self>,
        (business, number): (&Arc<Business>, &Arc<Number>),
        send: &Send<'_>,
        arriving: &Arriving<'_>,
    ) -> Decision {
        let behaviour = self.behaviour();
        let serial = self.next_serial();
        let wamid = self.wamid(&send.to, serial, false);
        let (_, reply, plan) = self.journal().call(
            arriving,
            |_| wamid.clone(),
            |call, attempt| {
                // The golden ratio spreads neighbouring numbers over all seeds.
                let mut random = fastrand::Rng::with_seed(self.seed ^ call.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                let case = Case {
                    magic: GraphMagic::of(&send.to),
                    attempt,
                    found: send.found,
                    marketing: send.category == Some("marketing"),
                    template: send.category.is_some(),
                };
                let throttled = || self.throttled(&behaviour, number, &send.to);
                let fails = || self.fate(&behaviour, business, number, send);
                let plan = plan::decide(&behaviour, case, &mut random, throttled, fails);
                (plan.reply, plan)
            },
        );
        let status_first = if plan.statuses.is_empty() {
            None
        } else {
            let pricing = self.pricing(business, number, send);
            let message = Taken {
                wamid: wamid.clone(),
                to: send.to.clone(),
                number: Arc::clone(number),
                echo: send.echo.map(str::to_owned),
                pricing,
            };
            self.schedule(business, Arc::new(message), &plan)
        };
        Decision { reply, wamid, latency: plan.latency, status_first }
    }

    fn throttled(&self, behaviour: &GraphBehaviour, number: &Number, to: &str) -> Option<u32> {
        let limits = &behaviour.limits;
        let now = self.instant();
        let per_second = number.settings().throughput.map_or(limits.throughput, f64::from);
        if per_second < 1e6 {
            // A second's worth at once.
            let burst = per_second.ceil().max(1.0) as u32;
            let limit = RateLimit { per_second, burst, scope: Scope::Sender };
            let mut buckets = self.throughput.lock().unwrap_or_else(PoisonError::into_inner);
            if buckets.take(number.id.clone(), &limit, now).is_err() {
                return Some(130_429);
            }
        }
        if limits.pair_every_ms > 0 {
            let per_second = 1000.0 / f64::from(limits.pair_every_ms);
            let limit = RateLimit { per_second, burst: limits.pair_burst, scope: Scope::Recipient };
            let mut buckets = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
            if buckets.take(format!("{} {to}", number.id), &limit, now).is_err() {
                return Some(131_056);
            }
        }
        None
    }

    /// The code with which a taken message will fail, by Meta's rules.
    fn fate(&self, behaviour: &GraphBehaviour, business: &Business, number: &Number, send: &Send<'_>) -> Option<u32> {
        let now = self.now();
        let sending = Sending {
            number: &number.id,
            to: &send.to,
            template: send.category.is_some(),
            marketing: send.category == Some("marketing"),
            in_usa: phone::in_usa(&send.to),
            now,
        };
        if let Some(code) = business.customers().fate(sending, &behaviour.limits) {
            return Some(code);
        }
        let most = behaviour.limits.customers_a_day?;
        if business.customers().window(&number.id, &send.to, now).is_some() {
            return None;
        }
        let mut portfolios = self.portfolios.lock().unwrap_or_else(PoisonError::into_inner);
        let room = portfolios.entry(business.portfolio.clone()).or_default().take(&send.to, most, now);
        (!room).then_some(131_048)
    }

    fn pricing(&self, business: &Business, number: &Number, send: &Send<'_>) -> Pricing {
        let window = business.customers().window(&number.id, &send.to, self.now());
        let category = send.category.unwrap_or("service");
        let (billable, category, kind) = match window {
            Some(window) if window.free_entry => (false, FREE_ENTRY_CATEGORY, "free_entry_point"),
            Some(_) if matches!(category, "service" | "utility") => (false, category, "free_customer_service"),
            _ => (true, category, "regular"),
        };
        Pricing { billable, pricing_model: "PMP", category, kind }
    }
}
