//! What is sent of a template: a value for everything in it that takes one, from the text, the files and what is given
//! beside them.

use super::{
    buttons, location,
    message::{HeaderValue, Parameter, TemplateMessage},
    model::{Header, MediaKind, ParameterFormat, Template},
    pattern::parameters,
};
use crate::reason::{Cause, Reason};
use url::Url;

/// What a message gives beside the values of the body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// Links to files; a media header takes exactly one.
    pub files: &'a [String],
    /// One for each button, or for each button that takes a value, in their order.
    pub button_parameters: &'a [Option<String>],
    /// The value of the header's parameter; of a place: latitude, longitude, name, address, with commas between.
    pub header_parameter: Option<&'a str>,
    /// The text, which may hold the links that buttons open.
    pub text: &'a str,
    /// The template was named.
    pub explicit: bool,
}

/// Fills a template. `header` and `body` are the values that the text gave, or [`super::explicit_values`].
pub fn compose(
    template: &Template,
    header: Option<String>,
    body: Vec<Parameter>,
    given: &Given<'_>,
) -> Result<TemplateMessage, Cause> {
    if let Some(part) = template.unsupported.first() {
        let detail = format!(
            "The template {} has a part that cannot be filled from a message ({part}). Send another template.",
            template.name
        );
        return Err(Cause::with_detail(Reason::TemplateParameterInvalid, detail));
    }
    let names = parameters(&template.body, template.format);
    if names.len() != body.len() {
        let detail =
            format!("The template {} takes {} values, and {} were given.", template.name, names.len(), body.len());
        return Err(Cause::with_detail(Reason::TemplateParameterInvalid, detail));
    }
    let header = header_value(template, header, given)?;
    let buttons = buttons::values(template, &body, given)?;
    Ok(TemplateMessage {
        name: template.name.clone(),
        language: template.language.clone(),
        category: template.category,
        explicit: given.explicit,
        more_than_text: template.header.is_some() || template.footer.is_some() || !template.buttons.is_empty(),
        header,
        body,
        buttons,
    })
}

fn header_value(
    template: &Template,
    captured: Option<String>,
    given: &Given<'_>,
) -> Result<Option<HeaderValue>, Cause> {
    let given_value = || given.header_parameter.map(str::to_owned);
    match &template.header {
        None | Some(Header::Product) => Ok(None),
        Some(Header::Text(text)) => {
            let Some(name) = parameters(text, template.format).first().copied() else { return Ok(None) };
            let Some(text) = given_value().or(captured) else {
                let detail = format!(
                    "The header of the template {} needs a value for {{{{{name}}}}}. Give it as headerParameter, or give \
                     the header's text on a line above the body.",
                    template.name
                );
                return Err(Cause::with_detail(Reason::TemplateParameterInvalid, detail));
            };
            let name = (template.format == ParameterFormat::Named).then(|| name.to_owned());
            Ok(Some(HeaderValue::Text { parameter: Parameter { name, text } }))
        }
        Some(Header::Media(kind)) => match given.files {
            [link] => {
                let filename = if *kind == MediaKind::Document { filename(link) } else { None };
                Ok(Some(HeaderValue::Media { kind: *kind, link: link.clone(), filename }))
            }
            files => {
                let what = match kind {
                    MediaKind::Image => "a picture (JPEG or PNG)",
                    MediaKind::Video => "a video (MP4 or 3GP)",
                    MediaKind::Document => "a document (PDF)",
                    MediaKind::Gif => "a GIF (as MP4)",
                };
                let detail = format!(
                    "The header of the template {} is {what}: give exactly one link in files. There are {}.",
                    template.name,
                    files.len()
                );
                Err(Cause::with_detail(Reason::HeaderMediaRequired, detail))
            }
        },
        Some(Header::Location) => {
            let place = given.header_parameter.map(str::to_owned).or(captured);
            place.as_deref().and_then(location::read).map(Some).ok_or_else(|| {
                let detail = format!(
                    "The header of the template {} is a place. Give headerParameter as latitude, longitude, name, \
                     address: 52.5163, 13.3777, Showroom, Pariser Platz 1.",
                    template.name
                );
                Cause::with_detail(Reason::TemplateParameterInvalid, detail)
            })
        }
    }
}

/// What the customer sees of a document: the last part of the link's path.
fn filename(link: &str) -> Option<String> {
    let link = Url::parse(link).ok()?;
    let last = link.path_segments()?.rfind(|segment| !segment.is_empty())?.as_bytes().to_vec();
    let mut decoded = Vec::with_capacity(last.len());
    let mut rest = last.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let hexadecimal = after.get(..2).filter(|_| *first == b'%').and_then(|digits| hex::decode(digits).ok());
        match hexadecimal {
            Some(byte) => {
                decoded.extend(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    // An encoded slash or line end must not get into a file's name on a phone.
    let name: String = String::from_utf8_lossy(&decoded)
        .chars()
        .filter(|character| !character.is_control() && !matches!(character, '/' | '\\'))
        .collect();
    Some(name).filter(|name| !name.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_called_as_its_link_ends() {
        let table = [
            ("https://cdn.example/a/Invoice%201009.pdf?x=1#y", Some("Invoice 1009.pdf")),
            ("https://cdn.example/%D7%97%D7%A9%D7%91%D7%95%D7%9F.pdf", Some("חשבון.pdf")),
            ("https://cdn.example/a%2F..%2Fb%0A.pdf", Some("a..b.pdf")),
            ("https://cdn.example/100%.pdf", Some("100%.pdf")),
            ("https://cdn.example/folder/", Some("folder")),
            ("https://cdn.example/", None),
            ("nonsense", None),
            ("https://cdn.example/%ff%zz", Some("\u{fffd}%zz")),
        ];
        for (link, expected) in table {
            assert_eq!(filename(link).as_deref(), expected, "{link}");
        }
    }
}
