//! The words for people: contacts, and who must not be written to.

use super::{ChannelRow, DepartmentRow};
pub use herald_rules::admission::Suppressed as SuppressionKind;
use herald_rules::{ids::ContactId, protocol::Protocol, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// A person as a department knows them: what a text can say of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// What they are called.
    pub name: Option<String>,
    /// Whatever else the department keeps of them.
    pub attributes: BTreeMap<String, String>,
}

/// A contact with everything that is kept of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactCard {
    /// Its row, which rises with the order in which contacts were made.
    pub row: i64,
    /// The person.
    pub contact: Contact,
    /// Who said the name.
    pub named_by: Option<NamedBy>,
    /// Where they can be reached.
    pub identifiers: Vec<ContactIdentifier>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Who said what a contact is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NamedBy {
    /// The customer, by the profile that the provider shows.
    Profile,
    /// A program of the department, by the API: a profile never overwrites it.
    Api,
}

impl NamedBy {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Api => "api",
        }
    }

    /// The inverse of [`NamedBy::as_str`]. Whatever is no word of a program may be overwritten by the customer's.
    pub(super) fn kept(word: &str) -> Self {
        if word == Self::Api.as_str() { Self::Api } else { Self::Profile }
    }
}

/// Where a contact can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactIdentifier {
    /// The protocol.
    pub protocol: Protocol,
    /// Normalised.
    pub identifier: String,
}

/// Which contacts to list, oldest first; all conditions together.
#[derive(Clone, Debug)]
pub struct ContactFilter {
    /// Whose.
    pub department: DepartmentRow,
    /// Only those with one of these.
    pub identifiers: Option<Vec<ContactIdentifier>>,
    /// Only those whose name begins so, in whatever case.
    pub name: Option<String>,
    /// Only those made after this row.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: usize,
    /// At most so many are looked at.
    pub look_at: usize,
}

impl ContactFilter {
    /// The conditions beside the identifier.
    pub(super) fn passes(&self, card: &ContactCard) -> bool {
        let after = self.after.is_none_or(|after| card.row > after);
        let named = |prefix: &String| {
            let name = card.contact.name.as_deref().unwrap_or_default().to_lowercase();
            name.starts_with(&prefix.to_lowercase())
        };
        after && self.name.as_ref().is_none_or(named)
    }
}

/// A page of contacts.
#[derive(Clone, Debug)]
pub struct ContactPage {
    /// Oldest first.
    pub contacts: Vec<ContactCard>,
    /// Where to go on; None: no more are left.
    pub next: Option<i64>,
}

/// The channel of a suppression that holds for all of the department, as it is stored.
pub(super) const ALL_CHANNELS: ChannelRow = 0;

/// A customer who must not be written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The customer's identifier, normalised.
    pub customer: String,
    /// On which channel; None: on all of the department.
    pub channel: Option<ChannelRow>,
    /// What it covers.
    pub kind: SuppressionKind,
    /// Who said so, in a word: `provider`.
    pub source: String,
    /// Since when.
    pub at: Timestamp,
}

/// A suppression's place in the list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuppressionPlace {
    /// The customer.
    pub customer: String,
    /// The channel, 0 for all.
    pub channel: ChannelRow,
    /// What it covers, as it is stored.
    pub kind: String,
}

impl Suppression {
    /// Its place in the list.
    pub fn place(&self) -> SuppressionPlace {
        let Self { customer, channel, kind, .. } = self;
        SuppressionPlace {
            customer: customer.clone(),
            channel: channel.unwrap_or(ALL_CHANNELS),
            kind: kind.as_str().to_owned(),
        }
    }
}

/// As a cursor: the customer last, since only that may hold anything.
impl fmt::Display for SuppressionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.channel, self.kind, self.customer)
    }
}

impl FromStr for SuppressionPlace {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (channel, rest) = text.split_once(':').ok_or(())?;
        let (kind, customer) = rest.split_once(':').ok_or(())?;
        let channel = channel.parse().map_err(|_| ())?;
        Ok(Self { customer: customer.to_owned(), channel, kind: kind.to_owned() })
    }
}

/// A place in the order of the windows for free text: lane and customer.
pub type WindowPlace = (super::LaneRow, String);
