//! Meta's limits of free-form messages (Cloud API reference, November 2026). What breaks one is refused here, with a sentence that
//! names it, and not by a call.

use super::{
    free_form::{FreeForm, Media},
    interactive::{Action, Header, Interactive, ReplyButton, Section},
};
use std::collections::HashSet;

/// Which limit it breaks, in a sentence. Never quotes the text.
pub fn check(content: &FreeForm) -> Result<(), String> {
    match content {
        FreeForm::Text(text) => between("The text", &text.body, 1, 4_096),
        FreeForm::Image(media) | FreeForm::Video(media) | FreeForm::Document(media) => file(media),
        FreeForm::Audio(media) | FreeForm::Sticker(media) => {
            file(media)?;
            refuse(media.caption.is_some(), "Audio and stickers carry no text.")
        }
        FreeForm::Location(place) => refuse(
            !((-90.0..=90.0).contains(&place.latitude) && (-180.0..=180.0).contains(&place.longitude)),
            "A place has a latitude of -90 to 90 and a longitude of -180 to 180 degrees.",
        ),
        FreeForm::Contacts(contacts) => {
            refuse(contacts.as_array().is_none_or(Vec::is_empty), "Contacts are a list with at least one person.")
        }
        FreeForm::Reaction(reaction) => refuse(reaction.message_id.is_empty(), "A reaction names a message."),
        FreeForm::Interactive(interactive) => press(interactive),
    }
}

fn file(media: &Media) -> Result<(), String> {
    refuse(media.id.is_some() == media.link.is_some(), "A file is named by its id or by its link.")?;
    between("The text beside a file", media.caption.as_deref().unwrap_or_default(), 0, 1_024)
}

fn press(interactive: &Interactive) -> Result<(), String> {
    let is_list = matches!(interactive.action, Action::List { .. });
    match &interactive.header {
        Some(Header::Text(text)) => between("The header", text, 1, 60)?,
        Some(_) if is_list => return Err("The header of a list is a text.".to_owned()),
        Some(Header::Image(media) | Header::Video(media) | Header::Document(media)) => file(media)?,
        None => (),
    }
    between("The text", &interactive.body, 1, if is_list { 4_096 } else { 1_024 })?;
    if let Some(footer) = &interactive.footer {
        between("The footer", footer, 1, 60)?;
    }
    match &interactive.action {
        Action::Buttons(buttons) => check_buttons(buttons),
        Action::List { button, sections } => {
            between("The list's button", button, 1, 20)?;
            check_sections(sections)
        }
        Action::OpenLink { display_text, url } => {
            between("The button", display_text, 1, 20)?;
            let is_link = url.starts_with("https://") || url.starts_with("http://");
            refuse(!is_link, "The button's link begins with https:// or http://.")
        }
        Action::AskLocation => Ok(()),
    }
}

fn check_buttons(buttons: &[ReplyButton]) -> Result<(), String> {
    refuse(!(1..=3).contains(&buttons.len()), "There are one to three buttons.")?;
    let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
    for button in buttons {
        between("A button's id", &button.id, 1, 256)?;
        between("A button", &button.title, 1, 20)?;
        refuse(button.id.trim() != button.id, "A button's id has no blanks around it.")?;
        refuse(!(ids.insert(&button.id) && titles.insert(&button.title)), "No two buttons have one id or one title.")?;
    }
    Ok(())
}

fn check_sections(sections: &[Section]) -> Result<(), String> {
    let rows: usize = sections.iter().map(|section| section.rows.len()).sum();
    refuse(!(1..=10).contains(&sections.len()), "A list has one to ten sections.")?;
    refuse(!(1..=10).contains(&rows), "A list has one to ten rows in all.")?;
    let untitled = sections.iter().any(|section| section.title.as_deref().is_none_or(str::is_empty));
    refuse(sections.len() > 1 && untitled, "Each of several sections has a title.")?;
    let mut ids = HashSet::new();
    for section in sections {
        between("A section's title", section.title.as_deref().unwrap_or_default(), 0, 24)?;
        for row in &section.rows {
            between("A row's id", &row.id, 1, 200)?;
            between("A row", &row.title, 1, 24)?;
            between("A row's description", row.description.as_deref().unwrap_or_default(), 0, 72)?;
            refuse(!ids.insert(&row.id), "No two rows have one id.")?;
        }
    }
    Ok(())
}

fn between(what: &str, text: &str, least: usize, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if (least..=most).contains(&length) {
        return Ok(());
    }
    Err(format!("{what} has {length} characters; {least} to {most} are allowed."))
}

fn refuse(wrong: bool, sentence: &str) -> Result<(), String> {
    if wrong { Err(sentence.to_owned()) } else { Ok(()) }
}
