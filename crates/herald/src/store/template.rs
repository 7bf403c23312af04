//! The words for WhatsApp templates as they are kept: how each stands, and how it came to stand so.

use super::{ChannelRow, DepartmentRow};
use herald_rules::{reason::Cause, time::Timestamp};
use serde_json::Value;

/// Steps kept of one template. A template that Meta pauses and reinstates every week fills it in two years.
pub(super) const STEPS_KEPT: i64 = 200;

/// Whose templates: those of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemplatePlace {
    /// Whose channel.
    pub department: DepartmentRow,
    /// Which.
    pub channel: ChannelRow,
}

/// A template as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateRow {
    /// Its name.
    pub name: String,
    /// Its language, as Meta writes it: `en_US`.
    pub language: String,
    /// Meta's id; None: it was never handed in.
    pub graph_id: Option<String>,
    /// Meta's word, or `DRAFT`. A word of a later Graph version is kept too, and shown.
    pub status: String,
    /// Meta's word.
    pub category: String,
    /// Meta's word for what customers make of it.
    pub quality: Option<String>,
    /// The rest, as Meta writes it. Where it differs from the fields above, those hold.
    pub body: Value,
    /// When anything of it changed here; also tells whether somebody else changed it meanwhile.
    pub changed_at: Timestamp,
}

impl TemplateRow {
    /// As Meta would write it now.
    pub fn graph(&self) -> Value {
        let mut graph = self.body.clone();
        if let Some(fields) = graph.as_object_mut() {
            for (name, value) in [
                ("name", &self.name),
                ("language", &self.language),
                ("status", &self.status),
                ("category", &self.category),
            ] {
                fields.insert(name.to_owned(), value.clone().into());
            }
            if let Some(id) = &self.graph_id {
                fields.insert("id".to_owned(), id.clone().into());
            }
        }
        graph
    }
}

/// What about a template changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateStepKind {
    /// Whether it may be sent.
    Status,
    /// What it is for.
    Category,
    /// What customers make of it.
    Quality,
    /// Its text or buttons.
    Components,
}

impl TemplateStepKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Status, Self::Category, Self::Quality, Self::Components];

    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Category => "category",
            Self::Quality => "quality",
            Self::Components => "components",
        }
    }
}

impl std::str::FromStr for TemplateStepKind {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

/// One change of a template.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateStep {
    /// When.
    pub at: Timestamp,
    /// What changed.
    pub kind: TemplateStepKind,
    /// What it was; components as JSON.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
    /// Why, in Meta's words or ours.
    pub reason: Option<String>,
}

/// A template to be written, with what changed about it.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateWrite {
    /// As it stands from now on.
    pub row: TemplateRow,
    /// [`TemplateRow::changed_at`] of the row that this was made from; None: there was none. If another was written
    /// meanwhile, this one is not.
    pub seen: Option<Timestamp>,
    /// What changed.
    pub steps: Vec<TemplateStep>,
}

/// Which templates of a channel.
#[derive(Clone, Debug, Default)]
pub struct TemplateFilter {
    /// Only in this status; None: all but deleted ones.
    pub status: Option<String>,
    /// Only of this category.
    pub category: Option<String>,
    /// Only those whose name holds this.
    pub name_holds: Option<String>,
    /// Only those after this name and language.
    pub after: Option<(String, String)>,
    /// At most so many; None: all.
    pub limit: Option<u32>,
}

/// How the last comparison with Meta went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplateSync {
    /// When it was last tried.
    pub at: Timestamp,
    /// When it last succeeded.
    pub succeeded_at: Option<Timestamp>,
    /// Why the last try failed.
    pub error: Option<Cause>,
}
