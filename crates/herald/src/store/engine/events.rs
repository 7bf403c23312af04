//! The log, subscriptions and deliveries.

use super::operations;
use crate::store::*;
use herald_rules::{
    ids::{DeliveryId, SubscriptionId},
    time::Timestamp,
};
use std::collections::HashMap;

operations! {
    /// A page of a subscription's deliveries, newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn deliveries(subscription: SubscriptionRow, filter: DeliveryFilter) -> Vec<Delivery>;

    /// A department's delivery by its id, with its subscription.
    ///
    /// # Errors
    /// When it cannot be read.
    fn delivery(department: DepartmentRow, id: DeliveryId) -> Option<(SubscriptionRow, SubscriptionId, Delivery)>;

    /// The attempts of a delivery, in order.
    ///
    /// # Errors
    /// When they cannot be read.
    fn attempts(subscription: SubscriptionRow, delivery: DeliveryId) -> Vec<Attempt>;

    /// The events after each of these places, at most `limit` in all, rendered.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn log_after(department: DepartmentRow, after: Vec<EventKey>, limit: usize, render: Render) -> Vec<LoggedEvent>;

    /// These events, in this order, rendered. Those that were cleared away meanwhile are missing.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn log_of(department: DepartmentRow, keys: Vec<EventKey>, render: Render) -> Vec<LoggedEvent>;

    /// The last number in the log of each lane of these departments (of all, when empty).
    ///
    /// # Errors
    /// When the log cannot be read.
    fn log_heads(departments: Vec<DepartmentRow>) -> HashMap<DepartmentRow, Vec<EventKey>>;

    /// The department's own polling queue, made when it is first asked for. It begins where the log does, or as far back
    /// as events are kept.
    ///
    /// # Errors
    /// When it cannot be read or written.
    fn standard_queue(department: DepartmentRow, now: Timestamp) -> Subscription;

    /// Hands out the next events of a queue, oldest first in each lane, and hides or takes them.
    ///
    /// # Errors
    /// When it cannot be read or written.
    fn poll(subscription: Subscription, poll: Poll) -> Vec<PolledEvent>;

    /// Takes events out of a queue; returns how many were there.
    ///
    /// # Errors
    /// When it cannot be written.
    fn delete_polled(row: SubscriptionRow, keys: Vec<EventKey>) -> u64;

    /// Makes a new delivery with the events of an earlier one.
    ///
    /// # Errors
    /// When it cannot be written.
    fn replay_delivery(subscription: SubscriptionRow, id: DeliveryId, now: Timestamp) -> Option<DeliveryId>;

    /// Makes new deliveries with the events of all that ended in a span of time (by when they were made); replays,
    /// tests and those that were divided are left out, since their events are in others. Returns how many.
    ///
    /// # Errors
    /// When not all could be written; what was, goes out.
    fn replay_range(subscription: SubscriptionRow, since: Timestamp, until: Timestamp, now: Timestamp) -> u64;

    /// The replays that wait, oldest first. They are read in pages, as there may be thousands.
    ///
    /// # Errors
    /// When they cannot be read.
    fn waiting_replays(subscription: SubscriptionRow, limit: u32) -> Vec<Delivery>;

    /// Keeps a test of an endpoint, which was made already.
    ///
    /// # Errors
    /// When it cannot be written.
    fn keep_test(subscription: SubscriptionRow, delivery: Delivery, attempt: Attempt) -> ();

    /// Where a webhook subscription stands: its cursors, what waits, and its unfinished deliveries.
    ///
    /// # Errors
    /// When it cannot be read.
    fn progress(subscription: &Subscription) -> Progress;

    /// Makes one step of a subscription durable: results, new batches and the cursor together, so that nothing is lost
    /// between them.
    ///
    /// # Errors
    /// Nothing of the step was written.
    fn record_step(step: DeliveryStep) -> ();

    /// Makes a subscription; it gets what happens from now on.
    ///
    /// # Errors
    /// When it cannot be written.
    fn create_subscription(new: NewSubscription) -> Subscription;

    /// All subscriptions that are not deleted, of one department or of all, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn subscriptions(department: Option<DepartmentRow>) -> Vec<Subscription>;

    /// A subscription by its row.
    ///
    /// # Errors
    /// When it cannot be read.
    fn subscription(row: SubscriptionRow) -> Option<Subscription>;

    /// A department's subscription by its id.
    ///
    /// # Errors
    /// When it cannot be read.
    fn subscription_by_id(department: DepartmentRow, id: SubscriptionId) -> Option<Subscription>;

    /// Writes name, URL, settings and secrets of a subscription anew.
    ///
    /// # Errors
    /// When it cannot be written.
    fn update_subscription(changed: Subscription) -> ();

    /// Pauses, resumes or deletes a subscription. Whoever resumes it says that all is well again: it is no longer failing.
    ///
    /// # Errors
    /// When it cannot be written.
    fn set_subscription_state(row: SubscriptionRow, state: SubscriptionState) -> ();

    /// How far a subscription is behind, and what could not be handed over.
    ///
    /// # Errors
    /// When it cannot be read.
    fn backlog(row: SubscriptionRow) -> Backlog;
}
