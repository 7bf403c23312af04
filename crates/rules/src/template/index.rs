//! The templates of a channel, so kept that the one that a text is comes out in the same time however many there are.

use super::{
    fold::fold,
    layer::Layer,
    message::Parameter,
    model::{Template, TemplateStatus},
    words,
};
use std::sync::Arc;

/// What a text is.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// One template.
    Match(Match),
    /// Several, and nothing says which.
    Tie(Vec<Arc<Template>>),
    /// No template.
    None,
}

/// A text as a template with values.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Which.
    pub template: Arc<Template>,
    /// The value of the header's parameter, where the text has the header.
    pub header: Option<String>,
    /// The values of the body's parameters, as the text has them: by number, named ones as they first appear.
    pub body: Vec<Parameter>,
    /// The texts are equal only after blanks, line ends, quotes, dashes, invisible marks and Unicode's form are made the same.
    pub normalised: bool,
    /// How many characters of the text stand fixed in the template.
    pub literal_characters: usize,
}

/// The templates of a channel.
#[derive(Debug)]
pub struct Index {
    /// All, by name, then language.
    all: Vec<Arc<Template>>,
    pub(super) approved: Layer,
    /// What Meta does not let pass now.
    held: Layer,
    language: Option<String>,
}

impl Index {
    /// Takes all templates. Those that are approved and can be filled from a text are matched; `language` is the one that
    /// the channel prefers.
    pub fn build(mut templates: Vec<Arc<Template>>, language: Option<&str>) -> Self {
        templates.sort_by(|a, b| (&a.name, &a.language, &a.id).cmp(&(&b.name, &b.language, &b.id)));
        let with = |wanted: fn(TemplateStatus) -> bool| {
            let some = templates.iter().filter(|template| template.unsupported.is_empty() && wanted(template.status));
            Layer::build(some, language)
        };
        let approved = with(|status| status == TemplateStatus::Approved);
        let held = with(|status| !matches!(status, TemplateStatus::Approved | TemplateStatus::Deleted));
        Self { all: templates, approved, held, language: language.map(str::to_owned) }
    }

    /// The template that a text is.
    pub fn find(&self, text: &str) -> Found {
        let folded = fold(text);
        self.approved.find(text, &folded, &words::keys(&folded.text))
    }

    /// The template that a text would be if Meta let it pass: paused, in review, rejected. Its status says which.
    pub fn find_held(&self, text: &str) -> Found {
        let folded = fold(text);
        self.held.find(text, &folded, &words::keys(&folded.text))
    }

    /// How many templates there are, matched or not.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All templates, by name, then language.
    pub fn templates(&self) -> &[Arc<Template>] {
        &self.all
    }

    /// The language that the channel prefers.
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }
}
