//! How far each lane's log reaches, told by the store as it grows, and who wants to know.
//!
//! So a worker reads only lanes that have something new, and sleeps otherwise, however many lanes there are.

use crate::store::{Change, DepartmentRow, EventKey, LaneRow};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// The heads of all logs. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Log {
    departments: Arc<Mutex<HashMap<DepartmentRow, Department>>>,
}

#[derive(Debug, Default)]
struct Department {
    heads: HashMap<LaneRow, i64>,
    listeners: Vec<Arc<Notify>>,
}

impl Log {
    /// The store's writer calls it after a commit: some map look-ups, no waiting. A listener that is at work already
    /// is woken once, however often this is called.
    pub fn changed(&self, changes: &[Change]) {
        let mut departments = self.lock();
        for of_lane in changes.chunk_by(|a, b| a.lane == b.lane) {
            let Some(last) = of_lane.last() else { continue };
            let department = departments.entry(last.department).or_default();
            let head = department.heads.entry(last.lane).or_insert(0);
            *head = (*head).max(last.sequence);
            for listener in &department.listeners {
                listener.notify_one();
            }
        }
    }

    /// Another node has written this far.
    pub fn grown(&self, department: DepartmentRow, log: EventKey) {
        let mut departments = self.lock();
        let department = departments.entry(department).or_default();
        let head = department.heads.entry(log.lane).or_insert(0);
        if *head < log.sequence {
            *head = log.sequence;
            for listener in &department.listeners {
                listener.notify_one();
            }
        }
    }

    /// What was in the log before the first change was heard of.
    pub(super) fn known(&self, department: DepartmentRow, heads: &[EventKey]) {
        let mut departments = self.lock();
        let department = departments.entry(department).or_default();
        for known in heads {
            let head = department.heads.entry(known.lane).or_insert(0);
            *head = (*head).max(known.sequence);
        }
    }

    /// Wakes `listener` whenever the department's log has grown.
    pub(super) fn listen(&self, department: DepartmentRow, listener: Arc<Notify>) {
        self.lock().entry(department).or_default().listeners.push(listener);
    }

    pub(super) fn forget(&self, department: DepartmentRow, listener: &Arc<Notify>) {
        if let Some(department) = self.lock().get_mut(&department) {
            department.listeners.retain(|other| !Arc::ptr_eq(other, listener));
        }
    }

    /// The lanes whose log reaches further than `read_to` says, with their heads, in order.
    pub(super) fn news(&self, department: DepartmentRow, read_to: &HashMap<LaneRow, i64>) -> Vec<EventKey> {
        let departments = self.lock();
        let Some(department) = departments.get(&department) else { return Vec::new() };
        let mut news: Vec<_> = department
            .heads
            .iter()
            .filter(|(lane, head)| **head > read_to.get(lane).copied().unwrap_or(0))
            .map(|(lane, head)| EventKey { lane: *lane, sequence: *head })
            .collect();
        news.sort();
        news
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DepartmentRow, Department>> {
        self.departments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
