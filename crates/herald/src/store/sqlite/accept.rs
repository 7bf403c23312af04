//! Taking messages: two narrow appends a message, all callers of the moment in one commit.

use super::{
    Engine, Writing, columns,
    rows::insert_parts,
    writer::{Answer, Job, closed},
};
use crate::store::{Accepted, NewMessage, Place, Queued, StoreError};
use herald_rules::message::Message;
use rusqlite::OptionalExtension;
use tokio::sync::oneshot;

pub(super) struct AcceptCall {
    messages: Vec<NewMessage>,
    answer: oneshot::Sender<Result<Vec<Accepted>, StoreError>>,
}

impl Engine {
    pub(in crate::store) async fn accept(&self, messages: Vec<NewMessage>) -> Result<Vec<Accepted>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.writer.send(Job::Accept(AcceptCall { messages, answer }))?;
        answered.await.map_err(|_| closed())?
    }
}

impl AcceptCall {
    pub(super) fn run(self, writing: &mut Writing<'_>) -> (Result<(), StoreError>, Answer) {
        let Self { messages, answer } = self;
        let result: Result<Vec<_>, _> = messages.into_iter().map(|message| writing.accept(message)).collect();
        let done = result.as_ref().map(|_| ()).map_err(|error| StoreError::Unavailable(error.to_string()));
        (done, Box::new(move |group| drop(answer.send(group.and(result)))))
    }
}

impl Writing<'_> {
    fn accept(&mut self, new: NewMessage) -> Result<Accepted, StoreError> {
        if let Some(earlier) = self.earlier(&new)? {
            return Ok(earlier);
        }
        let NewMessage { department, lane, message, body, idempotency } = new;
        let id = message.id.0.as_bytes();
        self.connection
            .prepare_cached(
                "INSERT INTO message (department, id, lane, recipient, at, body) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute((department, id, lane, &message.to, message.accepted_at.0, &body))?;
        if message.parts > 1 {
            insert_parts(self, department, &message)?;
        }
        let place = Place { priority: message.priority, position: self.position() };
        self.count(lane, 1);
        match message.send_at.filter(|at| *at > message.accepted_at) {
            Some(due) => {
                self.connection
                    .prepare_cached(
                        "INSERT INTO later (department, lane, due, position, class, id) VALUES (?, ?, ?, ?, ?, ?)",
                    )?
                    .execute((department, lane, due.0, place.position, place.priority.class(), id))?;
                self.memory.scheduled.push((lane, due));
            }
            None => {
                self.connection
                    .prepare_cached("INSERT INTO live (department, lane, class, position, id) VALUES (?, ?, ?, ?, ?)")?
                    .execute((department, lane, place.priority.class(), place.position, id))?;
                let queued = Queued { place, attempt: 0, resent: false, part: 0, message: message.clone() };
                self.memory.arrived.push((lane, queued));
            }
        }
        if let Some(key) = idempotency {
            self.connection
                .prepare_cached(
                    "INSERT INTO idempotency (department, key_hash, body_hash, id, warnings, at) VALUES (?, ?, ?, ?, ?, ?)",
                )?
                .execute((department, key.key_hash, key.body_hash, id, &key.warnings, message.accepted_at.0))?;
        }
        Ok(Accepted::New)
    }

    /// What an earlier request under the same key was answered with.
    fn earlier(&self, new: &NewMessage) -> Result<Option<Accepted>, StoreError> {
        let Some(key) = &new.idempotency else { return Ok(None) };
        let found = self
            .connection
            .prepare_cached(
                "SELECT i.body_hash, m.body, i.warnings FROM idempotency i
                 JOIN message m ON m.department = i.department AND m.id = i.id
                 WHERE i.department = ?1 AND i.key_hash = ?2",
            )?
            .query_row((new.department, key.key_hash), |row| {
                let same = row.get::<_, [u8; 16]>(0)? == key.body_hash;
                Ok((same, columns::message(row, 1)?, row.get::<_, String>(2)?))
            })
            .optional()?;
        Ok(found.map(|(same, message, warnings)| match same {
            true => Accepted::Repeated { message: Box::new(Message::clone(&message)), warnings },
            false => Accepted::KeyUsed,
        }))
    }
}
