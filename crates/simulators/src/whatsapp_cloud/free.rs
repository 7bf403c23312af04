//! The kinds of free-form messages and their limits.

use super::{
    error::GraphError,
    object::{Object, Place, impossible, invalid, missing},
};

/// The longest text and caption.
const TEXT: usize = 4096;
const CAPTION: usize = 1024;

/// What a check found out that decides about later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Meta will fail to fetch or use the file: the code of the webhook.
    pub(crate) fails: Option<u32>,
    /// A voice message: it may be `played`.
    pub(crate) voice: bool,
    /// Nothing but `sent` follows.
    pub(crate) sent_only: bool,
}

/// Checks the object of a kind of message; None: there is no such kind here.
pub(crate) fn check(
    kind: &str,
    message: &Object<'_, '_>,
    media: &dyn Fn(&str) -> bool,
) -> Option<Result<Found, GraphError>> {
    Some(match kind {
        "text" => text(message),
        "image" | "video" => file(message, kind, &["caption"], media),
        "audio" => file(message, kind, &["voice"], media),
        "document" => file(message, kind, &["caption", "filename"], media),
        "sticker" => file(message, kind, &[], media),
        "location" => location(message),
        "contacts" => contacts(message),
        "reaction" => reaction(message),
        "interactive" => super::interactive::check(message, media),
        _ => return None,
    })
}

fn file(
    message: &Object<'_, '_>,
    kind: &str,
    beside: &[&str],
    media: &dyn Fn(&str) -> bool,
) -> Result<Found, GraphError> {
    let object = message.need_object(kind)?;
    let found = media_object(&object, kind, beside, media)?;
    Ok(Found { voice: object.flag("voice")?.unwrap_or(false), ..found })
}

fn text(message: &Object<'_, '_>) -> Result<Found, GraphError> {
    let text = message.need_object("text")?;
    text.only(&["body", "preview_url"])?;
    text.need_text("body", TEXT)?;
    text.flag("preview_url")?;
    Ok(Found::default())
}

/// The endings of files that Meta takes for each kind. Others fail when Meta fetches them; an unknown ending proves nothing.
const ENDINGS: [(&str, &[&str]); 6] = [
    ("image", &["jpg", "jpeg", "png"]),
    ("video", &["mp4", "3gp", "3gpp"]),
    ("gif", &["mp4"]),
    ("audio", &["aac", "amr", "mp3", "m4a", "mp4", "ogg", "opus"]),
    ("document", &["txt", "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx"]),
    ("sticker", &["webp"]),
];

/// Endings that say what a file is.
const TELLING: [&str; 14] =
    ["svg", "gif", "bmp", "tif", "tiff", "html", "htm", "php", "zip", "exe", "mov", "avi", "wav", "heic"];

/// Checks an object with a file: `id` or `link`, and the named fields beside it.
pub(crate) fn media_object(
    object: &Object<'_, '_>,
    kind: &str,
    beside: &[&str],
    known: &dyn Fn(&str) -> bool,
) -> Result<Found, GraphError> {
    let mut names = vec!["id", "link"];
    names.extend(beside);
    object.only(&names)?;
    object.short_text("caption", CAPTION)?;
    object.short_text("filename", 240)?;
    object.flag("voice")?;
    let place = object.place;
    match (object.text("id")?, object.text("link")?) {
        (Some(_), Some(_)) => Err(invalid(format!("Only one of {place}['id'] and {place}['link'] is allowed."))),
        (None, None) => Err(missing(&Place::Name(&place, "id"))),
        (Some(id), None) if known(id) => Ok(Found::default()),
        (Some(_), None) => Err(impossible(format!(
            "Param {place}['id'] is not a valid WhatsApp Business account media attachment ID."
        ))),
        (None, Some(link)) => {
            let uri: Option<http::Uri> = link.parse().ok();
            let Some(uri) =
                uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
            else {
                return Err(invalid(format!("Param {place}['link'] is not a valid URI.")));
            };
            let ending = uri
                .path()
                .rsplit('/')
                .next()
                .and_then(|name| name.rsplit_once('.'))
                .map(|(_, ending)| ending.to_ascii_lowercase());
            let taken = |ending: &str| ENDINGS.iter().any(|(of, endings)| *of == kind && endings.contains(&ending));
            let telling = |ending: &str| {
                TELLING.contains(&ending) || ENDINGS.iter().any(|(_, endings)| endings.contains(&ending))
            };
            let wrong = ending.is_some_and(|ending| telling(&ending) && !taken(&ending));
            Ok(Found { fails: wrong.then_some(131_053), ..Found::default() })
        }
    }
}

fn location(message: &Object<'_, '_>) -> Result<Found, GraphError> {
    let location = message.need_object("location")?;
    location.only(&["latitude", "longitude", "name", "address"])?;
    for (name, most) in [("latitude", 90.0), ("longitude", 180.0)] {
        let value = location.need(name)?;
        // Numbers and their texts are both taken.
        let degrees = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        if degrees.is_none_or(|degrees: f64| degrees.abs() > most) {
            return Err(impossible(format!("Param location['{name}'] must lie between -{most} and {most}.")));
        }
    }
    let name = location.text("name")?;
    if location.text("address")?.is_some() && name.is_none() {
        return Err(missing(&Place::Name(&location.place, "name")));
    }
    Ok(Found::default())
}

fn contacts(message: &Object<'_, '_>) -> Result<Found, GraphError> {
    message.need("contacts")?;
    let list = message.list("contacts")?;
    if list.items.is_empty() {
        return Err(missing(&list.place));
    }
    for contact in list.objects() {
        let contact = contact?;
        contact.only(&["name", "phones", "emails", "addresses", "org", "urls", "birthday"])?;
        let name = contact.need_object("name")?;
        let parts = ["first_name", "last_name", "middle_name", "suffix", "prefix"];
        name.only(&["formatted_name", "first_name", "last_name", "middle_name", "suffix", "prefix"])?;
        name.need_text("formatted_name", 1000)?;
        if parts.iter().all(|part| name.get(part).is_none()) {
            return Err(missing(&Place::Name(&name.place, "first_name")));
        }
        let lists: [(&str, &[&str]); 4] = [
            ("phones", &["phone", "type", "wa_id"]),
            ("emails", &["email", "type"]),
            ("addresses", &["street", "city", "state", "zip", "country", "country_code", "type"]),
            ("urls", &["url", "type"]),
        ];
        for (of, names) in lists {
            for item in contact.list(of)?.objects() {
                item?.only(names)?;
            }
        }
        if contact.text("birthday")?.is_some_and(|birthday| birthday.len() != 10) {
            return Err(impossible("birthday must be YYYY-MM-DD"));
        }
    }
    Ok(Found::default())
}

fn reaction(message: &Object<'_, '_>) -> Result<Found, GraphError> {
    let reaction = message.need_object("reaction")?;
    reaction.only(&["message_id", "emoji"])?;
    let target = reaction.need_text("message_id", 128)?;
    if !target.starts_with("wamid.") {
        return Err(impossible("Param reaction['message_id'] is not a message id."));
    }
    let emoji = reaction.text("emoji")?.ok_or_else(|| missing(&Place::Name(&reaction.place, "emoji")))?;
    // The longest family of one emoji; letters are none.
    if emoji.chars().count() > 12 || emoji.chars().any(char::is_alphanumeric) {
        return Err(impossible("Param reaction['emoji'] is not an emoji."));
    }
    Ok(Found { sent_only: true, ..Found::default() })
}
