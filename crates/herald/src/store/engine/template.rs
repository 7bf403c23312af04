//! Templates as Meta last told them.

use super::operations;
use crate::store::*;

operations! {
    /// Templates by name and language.
    ///
    /// # Errors
    /// When they cannot be read.
    fn templates(place: TemplatePlace, filter: TemplateFilter) -> Vec<TemplateRow>;

    /// All templates of a channel, deleted ones too.
    ///
    /// # Errors
    /// When they cannot be read.
    fn all_templates(place: TemplatePlace) -> Vec<TemplateRow>;

    /// A template in all its languages, deleted ones too.
    ///
    /// # Errors
    /// When it cannot be read.
    fn templates_named(place: TemplatePlace, name: String) -> Vec<TemplateRow>;

    /// A template with its history, oldest step first.
    ///
    /// # Errors
    /// When it cannot be read.
    fn template(place: TemplatePlace, name: String, language: String) -> Option<(TemplateRow, Vec<TemplateStep>)>;

    /// Writes templates with their steps. Answers for each whether it was written: one that somebody else changed since
    /// it was read is left as it is.
    ///
    /// # Errors
    /// When they cannot be written; then none is.
    fn write_templates(place: TemplatePlace, writes: Vec<TemplateWrite>) -> Vec<bool>;

    /// Forgets a template and its history; tells whether it was there, unchanged since it was read.
    ///
    /// # Errors
    /// When it cannot be written.
    fn forget_template(place: TemplatePlace, row: TemplateRow) -> bool;

    /// Notes how a comparison with Meta went.
    ///
    /// # Errors
    /// When it cannot be written.
    fn note_template_sync(channel: ChannelRow, sync: TemplateSync) -> ();

    /// How the last comparison with Meta went; None: there was none.
    ///
    /// # Errors
    /// When it cannot be read.
    fn template_sync(channel: ChannelRow) -> Option<TemplateSync>;
}
