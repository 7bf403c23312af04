//! Templates for tests.

use crate::template::{Button, Category, Header, ParameterFormat, Template, TemplateStatus};
use std::sync::Arc;

/// An approved template with only a body.
pub(super) fn body(id: u64, name: &str, body: &str) -> Template {
    Template {
        id: id.to_string(),
        name: name.to_owned(),
        language: "en_US".to_owned(),
        status: TemplateStatus::Approved,
        category: Category::Utility,
        format: ParameterFormat::Positional,
        header: None,
        body: body.to_owned(),
        footer: None,
        buttons: Vec::new(),
        unsupported: Vec::new(),
    }
}

impl Template {
    pub(super) fn with_header(self, text: &str) -> Self {
        Self { header: Some(Header::Text(text.to_owned())), ..self }
    }

    pub(super) fn with_footer(self, text: &str) -> Self {
        Self { footer: Some(text.to_owned()), ..self }
    }

    pub(super) fn with_button(mut self, text: &str, kind: crate::template::ButtonKind) -> Self {
        self.buttons.push(Button { text: text.to_owned(), kind });
        self
    }

    pub(super) fn named(self) -> Self {
        Self { format: ParameterFormat::Named, ..self }
    }

    pub(super) fn in_language(self, language: &str) -> Self {
        Self { language: language.to_owned(), ..self }
    }
}

/// An index of these.
pub(super) fn index(templates: impl IntoIterator<Item = Template>) -> crate::template::Index {
    crate::template::Index::build(templates.into_iter().map(Arc::new).collect(), Some("en_US"))
}
