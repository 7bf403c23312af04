//! Working off what providers told, under the locks of the channel's lanes.

use super::{
    Engine,
    outcome::lanes_of,
    owner::Owner,
    working_set::{Needs, WorkingSet},
};
use crate::store::{
    Applied, CallbackWork, ChannelRow, DepartmentRow, Evidence, Fate, Learnt, StoreError, WorkedOff, logic,
};
use herald_channels::contract::{Receipt, Reference};
use herald_rules::{inbound::InboundContent, time::Timestamp};

impl Engine {
    pub(in crate::store) async fn apply(
        &self,
        department: DepartmentRow,
        channel: ChannelRow,
        receipts: Vec<Receipt>,
        now: Timestamp,
    ) -> Result<Applied, StoreError> {
        let mut needs = Needs { channel, ..Needs::default() };
        needs.receipts(&receipts);
        let owner = Owner::Channel(department, channel, None, Vec::new());
        self.work(department, owner, needs, WorkingSet::default(), |rows| {
            rows.foresee_firsts(channel, &receipts)?;
            logic::apply(rows, department, channel, &receipts, now)
        })
        .await
    }

    pub(in crate::store) async fn work_off(&self, work: CallbackWork) -> Result<WorkedOff, StoreError> {
        let CallbackWork { department, channel, epoch, .. } = work;
        let mut needs = Needs { channel, ..Needs::default() };
        needs.receipts(&work.receipts);
        for new in &work.inbound {
            let inbound = &new.inbound;
            needs.inbound.insert(inbound.reference.clone());
            needs.references.extend(inbound.reply_to.clone());
            needs.contact(inbound.protocol, &inbound.from);
            if let Some(user_id) = &inbound.user_id {
                needs.contact(inbound.protocol, user_id);
            }
            if let InboundContent::NumberChanged { new_identifier } = &inbound.content {
                needs.contact(inbound.protocol, new_identifier);
            }
        }
        for wish in &work.marketing {
            needs.wishes.insert(wish.customer.clone());
            needs.suppressions.insert(wish.customer.clone());
        }
        let mut others = Vec::new();
        for (_, evidence) in &work.evidence {
            needs.evidence(evidence);
            others.extend(evidence.standings.iter().flat_map(lanes_of));
        }
        let owner = Owner::Channel(department, channel, Some(epoch), others);
        self.work(department, owner, needs, WorkingSet::default(), |rows| {
            rows.foresee_firsts(channel, &work.receipts)?;
            logic::work_off(rows, &work)
        })
        .await
    }
}

impl Needs {
    /// Adds what evidence is about.
    fn evidence(&mut self, evidence: &Evidence) {
        let lane = evidence.lane;
        for learnt in &evidence.learnt {
            let Learnt { id, place, parts, fate, .. } = learnt;
            self.histories.insert(id.0);
            self.parts.insert(id.0);
            self.checking.insert(id.0);
            if *parts > 1 {
                self.messages.insert(id.0);
                self.positions.insert(lane);
            }
            match fate {
                Fate::Accepted { reference } => {
                    self.lanes.insert(id.0);
                    let named = reference.as_ref().filter(|reference| reference.named_by_receipts);
                    self.early.extend(named.map(|reference| reference.text.clone()));
                }
                Fate::Rejected(_) | Fate::NotTaken(_) => {
                    self.place(lane, *place);
                    self.claims.insert(lane);
                }
            }
        }
    }

    /// Adds what receipts are about.
    fn receipts(&mut self, receipts: &[Receipt]) {
        for receipt in receipts {
            match &receipt.reference {
                Reference::Ours(id) => {
                    self.histories.insert(id.0);
                    self.parts.insert(id.0);
                    self.checking.insert(id.0);
                }
                Reference::Theirs(reference) => {
                    self.receipts.insert(reference.clone());
                }
            }
        }
    }
}
