//! Working off a page of callbacks: all that it tells, and its leaving the inbox.

use super::{Rows, evidence::apply_evidence, inbound::keep_inbound, receipt::apply};
use crate::store::{
    CallbackWork, ChannelRow, DepartmentRow, MarketingWish, StoreError, Suppression, SuppressionKind, WorkedOff,
};

/// Applies what a page of callbacks tells, and takes them out of the inbox.
pub(in crate::store) fn work_off(rows: &mut impl Rows, work: &CallbackWork) -> Result<WorkedOff, StoreError> {
    let CallbackWork { department, channel, now, .. } = *work;
    let mut settled = 0;
    // Receipts may name what it teaches.
    for (_, evidence) in &work.evidence {
        settled += apply_evidence(rows, evidence, now)?;
    }
    let receipts = apply(rows, department, channel, &work.receipts, now)?;
    let mut worked = WorkedOff { receipts, settled, ..WorkedOff::default() };
    for new in &work.inbound {
        if keep_inbound(rows, department, channel, new, now)? {
            worked.inbound.push(new.id);
        } else {
            worked.repeated += 1;
        }
    }
    for wish in &work.marketing {
        marketing_wish(rows, department, channel, wish)?;
    }
    let done: Vec<_> = work.done.iter().copied().chain(work.evidence.iter().map(|(number, _)| *number)).collect();
    if !done.is_empty() {
        rows.delete_inbox(&done)?;
    }
    for (number, problem) in &work.unreadable {
        rows.set_unreadable(*number, problem)?;
    }
    Ok(worked)
}

/// What a customer told the provider about marketing. Notices come in any order: an older one than the last says nothing
/// any more.
fn marketing_wish(
    rows: &mut impl Rows,
    department: DepartmentRow,
    channel: ChannelRow,
    wish: &MarketingWish,
) -> Result<(), StoreError> {
    let MarketingWish { customer, wanted, at } = wish;
    if rows.last_wish(department, channel, customer)?.is_some_and(|last| last > *at) {
        return Ok(());
    }
    rows.set_wish(department, channel, customer, *wanted, *at)?;
    let kind = SuppressionKind::Marketing;
    if *wanted {
        rows.unsuppress(department, customer, Some(channel), kind)?;
        return Ok(());
    }
    let source = "provider".to_owned();
    let suppression = Suppression { customer: customer.clone(), channel: Some(channel), kind, source, at: *at };
    rows.suppress(department, &suppression)
}
