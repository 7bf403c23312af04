//! A template message, checked against its template: names, counts, kinds, values, buttons, cards.

use super::{
    button_send::button,
    error::GraphError,
    free::media_object,
    needs::{Header, Needs},
    object::{List, Object, impossible, invalid, missing},
};
use std::fmt::Display;

/// The longest header value.
const HEADER: usize = 60;
/// The longest body beside other components, and alone.
const BODY: usize = 1024;
const BODY_ALONE: usize = 32_768;

/// What a check may ask.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// Whether a media id is known.
    pub(crate) media: &'a dyn Fn(&str) -> bool,
    /// Now, in milliseconds: offers end later.
    pub(crate) now_ms: i64,
}

fn count(part: impl Display, got: usize, expected: usize) -> GraphError {
    let of = format!(
        "{part}: number of localizable_params ({got}) does not match the expected number of params ({expected})"
    );
    GraphError::with(132_000, of)
}

pub(super) fn format(part: impl Display, expected: &str, got: &str) -> GraphError {
    let (expected, got) = (expected.to_ascii_uppercase(), got.to_ascii_uppercase());
    GraphError::with(132_012, format!("{part}: Format mismatch, expected {expected}, received {got}"))
}

pub(super) fn issue(problem: impl Display) -> GraphError {
    GraphError::with(132_018, problem.to_string())
}

/// Checks the components of a send against what the template needs.
pub(crate) fn check(components: &List<'_, '_>, needs: &Needs, facts: Facts<'_>) -> Result<(), GraphError> {
    let (mut header_seen, mut body_seen, mut cards_seen, mut offer_seen) = (false, false, false, false);
    let mut buttons = vec![false; needs.buttons.len()];
    let once = |seen: &mut bool, kind: &str| {
        if std::mem::replace(seen, true) { Err(issue(format!("{kind}: the component is there twice"))) } else { Ok(()) }
    };
    for component in components.objects() {
        let component = component?;
        match component.need_text("type", 40)? {
            "header" => {
                component.only(&["type", "parameters"])?;
                once(&mut header_seen, "header")?;
                header(&component.list("parameters")?, needs, facts)?;
            }
            "body" => {
                component.only(&["type", "parameters"])?;
                once(&mut body_seen, "body")?;
                body(&component.list("parameters")?, needs)?;
            }
            "button" => {
                let number = button(&component, needs)?;
                let seen = buttons.get_mut(number);
                seen.map_or(Ok(()), |seen| once(seen, &format!("button {number}")))?;
            }
            "limited_time_offer" => {
                once(&mut offer_seen, "limited_time_offer")?;
                offer(&component, needs, facts.now_ms)?;
            }
            "carousel" => {
                once(&mut cards_seen, "carousel")?;
                carousel(&component, needs, facts)?;
            }
            "footer" => return Err(count("footer", 1, 0)),
            other => {
                let place = component.place;
                return Err(invalid(format!(
                    "Param {place}['type'] must be one of {{HEADER, BODY, BUTTON, CAROUSEL, LIMITED_TIME_OFFER}} - got \"{other}\"."
                )));
            }
        }
    }
    if !header_seen {
        match &needs.header {
            Header::Nothing => {}
            Header::Text { .. } => return Err(count("header", 0, 1)),
            Header::Media(kind) => return Err(format("header", kind, "UNKNOWN")),
            Header::Location => return Err(format("header", "LOCATION", "UNKNOWN")),
            Header::Product => return Err(format("header", "PRODUCT", "UNKNOWN")),
        }
    }
    if !body_seen && !needs.body.is_empty() {
        return Err(count("body", 0, needs.body.len()));
    }
    if !cards_seen && !needs.cards.is_empty() {
        return Err(issue(format!("carousel: {} cards are required", needs.cards.len())));
    }
    if !offer_seen && needs.offer_ends {
        return Err(missing_of("limited_time_offer: expiration_time_ms is required"));
    }
    let without = needs.buttons.iter().zip(&buttons).position(|(button, seen)| button.needs_value() && !seen);
    match without {
        None => Ok(()),
        Some(number) => Err(missing_of(format!("buttons: Button at index {number} requires a parameter"))),
    }
}

pub(super) fn missing_of(problem: impl Into<String>) -> GraphError {
    GraphError::with(131_008, problem.into())
}

/// The value of a text parameter, which is not empty and keeps Meta's rules.
pub(super) fn value<'a>(parameter: &Object<'_, 'a>, name: &str) -> Result<&'a str, GraphError> {
    let text = parameter.text(name)?.filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| missing(&super::object::Place::Name(&parameter.place, name)))?;
    let unfit = |text: &str| text.contains(['\n', '\r', '\t']) || text.contains("     ");
    if unfit(text) {
        return Err(issue("Param text cannot have new-line/tab characters or more than 4 consecutive spaces"));
    }
    Ok(text)
}

fn header(parameters: &List<'_, '_>, needs: &Needs, facts: Facts<'_>) -> Result<(), GraphError> {
    let expected = usize::from(needs.header != Header::Nothing);
    if parameters.items.len() != expected {
        return Err(count("header", parameters.items.len(), expected));
    }
    let Some(parameter) = parameters.objects().next() else { return Ok(()) };
    let parameter = parameter?;
    let kind = parameter.need_text("type", 40)?;
    match &needs.header {
        Header::Nothing => Ok(()),
        Header::Text { variable, fixed } => {
            if kind != "text" {
                return Err(format("header", "TEXT", kind));
            }
            let text = text_parameter(&parameter, needs.named.then_some(std::slice::from_ref(variable)), "header")?.1;
            if fixed + text.chars().count() > HEADER {
                return Err(GraphError::with(132_005, format!("header text is longer than {HEADER} characters")));
            }
            Ok(())
        }
        Header::Media(expected) => {
            if kind != expected {
                return Err(format("header", expected, kind));
            }
            parameter.only(&["type", kind])?;
            media_object(&parameter.need_object(kind)?, kind, &["filename"], facts.media).map(drop)
        }
        Header::Location => {
            if kind != "location" {
                return Err(format("header", "LOCATION", kind));
            }
            let location = parameter.need_object("location")?;
            location.only(&["latitude", "longitude", "name", "address"])?;
            for name in ["latitude", "longitude"] {
                location.need(name)?;
            }
            for name in ["name", "address"] {
                location.need_text(name, 1000)?;
            }
            Ok(())
        }
        Header::Product => {
            if kind != "product" {
                return Err(format("header", "PRODUCT", kind));
            }
            let product = parameter.need_object("product")?;
            product.need_text("product_retailer_id", 200)?;
            product.need_text("catalog_id", 200).map(drop)
        }
    }
}

/// A parameter's name, where parameters have names, and its value. `names`: those that the template has; None: it is positional.
fn text_parameter<'a>(
    parameter: &Object<'_, 'a>,
    names: Option<&[String]>,
    part: &str,
) -> Result<(Option<&'a str>, &'a str), GraphError> {
    let name = parameter.text("parameter_name")?;
    match (names, name) {
        (None, None) => {}
        (None, Some(_)) => return Err(format(part, "POSITIONAL PARAMETERS", "NAMED PARAMETERS")),
        (Some(_), None) => {
            return Err(GraphError::with(132_012, format!("{part}: Parameter name is missing or empty")));
        }
        (Some(names), Some(name)) => {
            if !names.iter().any(|known| known == name) {
                return Err(GraphError::with(132_012, format!("{part}: there is no parameter named {name}")));
            }
        }
    }
    let text = match parameter.need_text("type", 40)? {
        "text" => {
            parameter.only(&["type", "text", "parameter_name"])?;
            value(parameter, "text")?
        }
        "currency" => {
            parameter.only(&["type", "currency", "parameter_name"])?;
            let Some(currency) = parameter.get("currency") else {
                return Err(missing(&super::object::Place::Name(&parameter.place, "currency")));
            };
            if !currency["amount_1000"].is_i64() || currency["code"].as_str().is_none_or(|code| code.len() != 3) {
                return Err(impossible("currency needs amount_1000 and a code of three letters"));
            }
            currency["fallback_value"].as_str().ok_or_else(|| missing_of("currency: fallback_value is required"))?
        }
        "date_time" => {
            parameter.only(&["type", "date_time", "parameter_name"])?;
            let fallback = parameter.get("date_time").and_then(|date| date["fallback_value"].as_str());
            fallback.ok_or_else(|| missing_of("date_time: fallback_value is required"))?
        }
        other => return Err(format(part, "TEXT", other)),
    };
    Ok((name, text))
}

fn body(parameters: &List<'_, '_>, needs: &Needs) -> Result<(), GraphError> {
    if parameters.items.len() != needs.body.len() {
        return Err(count("body", parameters.items.len(), needs.body.len()));
    }
    let names = needs.named.then_some(needs.body.as_slice());
    let mut rendered = needs.body_text.clone();
    let mut seen: Vec<&str> = Vec::new();
    for (number, parameter) in parameters.objects().enumerate() {
        let parameter = parameter?;
        let (name, text) = text_parameter(&parameter, names, "body")?;
        let variable = match name {
            Some(name) if seen.contains(&name) => return Err(issue(format!("body: {name} is there twice"))),
            Some(name) => name,
            None => needs.body.get(number).map_or("", String::as_str),
        };
        seen.extend(name);
        rendered = rendered.replace(&format!("{{{{{variable}}}}}"), text);
    }
    let most = if needs.more_than_body { BODY } else { BODY_ALONE };
    if rendered.chars().count() > most {
        return Err(GraphError::with(132_005, format!("body text is longer than {most} characters")));
    }
    Ok(())
}

fn offer(component: &Object<'_, '_>, needs: &Needs, now_ms: i64) -> Result<(), GraphError> {
    component.only(&["type", "parameters"])?;
    let parameters = component.list("parameters")?;
    let expected = usize::from(needs.offer_ends);
    if parameters.items.len() != expected {
        return Err(count("limited_time_offer", parameters.items.len(), expected));
    }
    let Some(parameter) = parameters.objects().next() else { return Ok(()) };
    let parameter = parameter?;
    if parameter.need_text("type", 40)? != "limited_time_offer" {
        return Err(invalid("limited_time_offer: the parameter's type is limited_time_offer"));
    }
    let ends = parameter.need_object("limited_time_offer")?.need("expiration_time_ms")?.as_i64();
    if ends.is_none_or(|ends| ends <= now_ms) {
        return Err(impossible("expiration_time_ms must be a moment in the future, in milliseconds"));
    }
    Ok(())
}

fn carousel(component: &Object<'_, '_>, needs: &Needs, facts: Facts<'_>) -> Result<(), GraphError> {
    component.only(&["type", "cards"])?;
    let cards = component.list("cards")?;
    if cards.items.len() != needs.cards.len() {
        return Err(issue(format!("carousel: {} cards are required, not {}", needs.cards.len(), cards.items.len())));
    }
    let mut seen = vec![false; needs.cards.len()];
    for card in cards.objects() {
        let card = card?;
        card.only(&["card_index", "components"])?;
        let index = card.need("card_index")?.as_u64().and_then(|index| usize::try_from(index).ok());
        let place = index.and_then(|index| seen.get_mut(index).map(|seen| (index, seen)));
        let Some((index, seen)) = place else {
            return Err(impossible(format!("there is no card of {}['card_index']", card.place)));
        };
        if std::mem::replace(seen, true) {
            return Err(issue(format!("carousel: card {index} is there twice")));
        }
        if let Some(needs) = needs.cards.get(index) {
            check(&card.list("components")?, needs, facts)?;
        }
    }
    Ok(())
}
