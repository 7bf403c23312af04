//! A template by its name, for those who name it.

use super::{
    index::Index,
    model::{Template, TemplateStatus},
};
use std::sync::Arc;

/// What stands under a name.
#[derive(Clone, Debug, PartialEq)]
pub enum Named {
    /// One that may be sent.
    Found(Arc<Template>),
    /// There it is, but it may not be sent: its status says why.
    NotApproved(Arc<Template>),
    /// It exists in several languages, none is the channel's, and none was named.
    SeveralLanguages(Vec<Arc<Template>>),
    /// No template has this name, or none in this language.
    Unknown,
}

impl Index {
    /// The template of a name: in the language given; else in the channel's; else in the only one that there is.
    pub fn by_name(&self, name: &str, language: Option<&str>) -> Named {
        let all = self.templates();
        let from = all.partition_point(|template| template.name.as_str() < name);
        let same = all.get(from..).unwrap_or_default().iter().take_while(|template| template.name == name);
        let mut of_name: Vec<_> = same.collect();
        if let Some(language) = language {
            of_name.retain(|template| is_language(template, language));
        }
        let approved: Vec<_> = of_name.iter().filter(|template| template.status == TemplateStatus::Approved).collect();
        let own = |templates: &[&Arc<Template>]| {
            let language = self.language()?;
            templates.iter().find(|template| is_language(template, language)).map(|template| Arc::clone(template))
        };
        match (approved.as_slice(), of_name.as_slice()) {
            ([], []) => Named::Unknown,
            ([], [first, ..]) => Named::NotApproved(own(&of_name).unwrap_or_else(|| Arc::clone(first))),
            ([only], _) => Named::Found(Arc::clone(only)),
            (several, _) => {
                let several: Vec<_> = several.iter().map(|template| Arc::clone(template)).collect();
                match own(&several.iter().collect::<Vec<_>>()) {
                    Some(own) => Named::Found(own),
                    None => Named::SeveralLanguages(several),
                }
            }
        }
    }
}

/// `en_US`, `en-us`: people write both.
fn is_language(template: &Template, language: &str) -> bool {
    template.language.eq_ignore_ascii_case(&language.trim().replace('-', "_"))
}
