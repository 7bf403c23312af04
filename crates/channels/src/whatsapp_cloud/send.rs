//! Sending: one call a part, and marking what customers wrote as read.

use super::{Number, WhatsappCloud, answer, body, free_form::FreeForm, limits, parts, problem::said};
use crate::{
    contract::{Outcome, Outgoing},
    http::Address,
};
use herald_rules::{
    reason::{Cause, Reason},
    template::Category,
};
use serde_json::json;
use std::time::Instant;

impl WhatsappCloud {
    pub(super) async fn send_part(&self, outgoing: &Outgoing) -> Outcome {
        let message = &*outgoing.message;
        let number = match self.number(&message.from) {
            Ok(number) => number,
            Err(cause) => return Outcome::Refused(cause),
        };
        let echo = body::echo(message.id, outgoing.part);
        if let Some(template) = &message.template {
            let by_marketing = self.inner.marketing_messages_api && template.category == Category::Marketing;
            let address = if by_marketing { &number.marketing_messages } else { &number.messages };
            return self.call(number, address, body::template(&message.to, template, &echo), outgoing.attempt).await;
        }
        match parts::part(message, outgoing.part, &outgoing.kinds) {
            Some(content) => self.say(number, &message.to, &content, None, &echo, outgoing.attempt).await,
            None => Outcome::Refused(Cause::with_detail(Reason::ContentRefused, "The message has fewer parts.")),
        }
    }

    /// Says something that is no template, within the window: `context` is Meta's id of a message that it answers, `echo` comes
    /// back in every status.
    pub async fn send_free_form(
        &self,
        from: &str,
        to: &str,
        content: &FreeForm,
        context: Option<&str>,
        echo: &str,
    ) -> Outcome {
        match self.number(from) {
            Ok(number) => self.say(number, to, content, context, echo, 0).await,
            Err(cause) => Outcome::Refused(cause),
        }
    }

    /// Shows the customer that we have read their message, and those before it; `typing` also that we are writing, for up to
    /// 25 s or until the next message.
    ///
    /// # Errors
    /// What Meta said.
    pub async fn mark_read(&self, from: &str, reference: &str, typing: bool) -> Result<(), Cause> {
        let number = self.number(from)?;
        let mut body = json!({"messaging_product": "whatsapp", "status": "read", "message_id": reference});
        if typing {
            body["typing_indicator"] = json!({"type": "text"});
        }
        self.inner.graph.post(&[&number.id, "messages"], &body).await.map(|_| ())
    }

    pub(super) fn number(&self, identifier: &str) -> Result<&Number, Cause> {
        self.inner.numbers.get(identifier).ok_or_else(|| {
            let detail = "The channel's settings have no phone_numbers entry for this sender.";
            Cause::with_detail(Reason::SenderNotReady, detail)
        })
    }

    async fn say(
        &self,
        number: &Number,
        to: &str,
        content: &FreeForm,
        context: Option<&str>,
        echo: &str,
        attempt: u32,
    ) -> Outcome {
        if let Err(detail) = limits::check(content) {
            return Outcome::Refused(Cause::with_detail(Reason::ContentRefused, detail));
        }
        self.call(number, &number.messages, body::free_form(to, content, context, echo), attempt).await
    }

    async fn call(&self, number: &Number, address: &Address, json: Vec<u8>, attempt: u32) -> Outcome {
        let graph = &self.inner.graph;
        // Place and call together keep to the time-out. Half of it is left for the call at the least: one that is cut short would
        // leave its outcome unknown, while a message without a place certainly was not sent.
        let began = Instant::now();
        // The semaphore is never closed, so that an error is a time-out.
        let Ok(Ok(_place)) = tokio::time::timeout(graph.timeout / 2, number.places.acquire()).await else {
            let text = "no free place among the calls in flight";
            return Outcome::NotSent(said(Reason::ProviderUnavailable, None, Some(text)));
        };
        let left = graph.timeout.saturating_sub(began.elapsed()).max(graph.timeout / 2);
        answer::outcome(graph.send(address, json, left).await, attempt)
    }
}
