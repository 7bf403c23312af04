//! Operations that this engine does not have yet.

use super::Engine;
use crate::store::*;
use herald_rules::{
    ids::{ContactId, MessageId},
    message::Message,
    protocol::Protocol,
    time::Timestamp,
};
use std::{collections::BTreeMap, sync::Arc};

#[expect(clippy::unused_async, reason = "they come one by one")]
impl Engine {
    // inbox
    // lane
    pub(in crate::store) async fn daily_budget(&self, _: String) -> Result<DailyBudgetRow, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn set_daily_limit(&self, _: String, _: Option<u32>) -> Result<(), StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn prune_daily_customers(&self, _: Timestamp) -> Result<bool, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn standing(&self, _: LaneRow) -> Result<Standing, StoreError> {
        not_yet()
    }
    // message
    pub(in crate::store) async fn story(&self, _: DepartmentRow, _: MessageId) -> Result<Option<Story>, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn answered(
        &self,
        _: DepartmentRow,
        _: [u8; 16],
        _: [u8; 16],
    ) -> Result<Option<(Arc<Message>, String)>, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn list(&self, _: MessageFilter) -> Result<MessagePage, StoreError> {
        not_yet()
    }
    // people
    pub(in crate::store) async fn contact_by_identifier(
        &self,
        _: DepartmentRow,
        _: Protocol,
        _: &str,
    ) -> Result<Option<Contact>, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn contact(
        &self,
        _: DepartmentRow,
        _: ContactId,
    ) -> Result<Option<ContactCard>, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn contacts(&self, _: ContactFilter) -> Result<ContactPage, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn set_contact(
        &self,
        _: DepartmentRow,
        _: ContactIdentifier,
        _: Option<String>,
        _: BTreeMap<String, String>,
        _: Timestamp,
    ) -> Result<(ContactCard, bool), StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn suppress(&self, _: DepartmentRow, _: Suppression) -> Result<(), StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn unsuppress(
        &self,
        _: DepartmentRow,
        _: &str,
        _: Option<ChannelRow>,
        _: SuppressionKind,
    ) -> Result<bool, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn suppressions(
        &self,
        _: DepartmentRow,
        _: Option<String>,
        _: Option<SuppressionPlace>,
        _: u32,
    ) -> Result<Vec<Suppression>, StoreError> {
        not_yet()
    }
    // retention
    pub(in crate::store) async fn prune_idempotency(&self, _: Timestamp) -> Result<bool, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn prune_early(&self, _: Timestamp) -> Result<Vec<(ChannelRow, u64)>, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn prune_inbound(&self, _: DepartmentRow, _: Timestamp) -> Result<bool, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn prune_inbox(&self, _: Timestamp) -> Result<bool, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn prune_messages(
        &self,
        _: DepartmentRow,
        _: Timestamp,
        _: Option<MessageId>,
    ) -> Result<Option<MessageId>, StoreError> {
        not_yet()
    }
    // template
    pub(in crate::store) async fn templates(
        &self,
        _: TemplatePlace,
        _: TemplateFilter,
    ) -> Result<Vec<TemplateRow>, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn all_templates(&self, _: TemplatePlace) -> Result<Vec<TemplateRow>, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn templates_named(
        &self,
        _: TemplatePlace,
        _: String,
    ) -> Result<Vec<TemplateRow>, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn template(
        &self,
        _: TemplatePlace,
        _: String,
        _: String,
    ) -> Result<Option<(TemplateRow, Vec<TemplateStep>)>, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn write_templates(
        &self,
        _: TemplatePlace,
        _: Vec<TemplateWrite>,
    ) -> Result<Vec<bool>, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn forget_template(&self, _: TemplatePlace, _: TemplateRow) -> Result<bool, StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn note_template_sync(&self, _: ChannelRow, _: TemplateSync) -> Result<(), StoreError> {
        not_yet()
    }
    pub(in crate::store) async fn template_sync(&self, _: ChannelRow) -> Result<Option<TemplateSync>, StoreError> {
        not_yet()
    }
}

fn not_yet<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable("this operation is not there yet".into()))
}
