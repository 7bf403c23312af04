//! Interactive messages: buttons, lists, links, and what else has an `action`.

use super::{
    error::GraphError,
    free::{Found, media_object},
    object::{List, Object, Place, impossible, invalid, missing},
};

/// The longest header, footer, body, and the body of a list.
const HEADER: usize = 60;
const FOOTER: usize = 60;
const BODY: usize = 1024;
const LIST_BODY: usize = 4096;

pub(crate) fn check(message: &Object<'_, '_>, media: &dyn Fn(&str) -> bool) -> Result<Found, GraphError> {
    let interactive = message.need_object("interactive")?;
    interactive.only(&["type", "header", "body", "footer", "action"])?;
    let kind = interactive.need_text("type", 40)?;
    let longest = if kind == "list" { LIST_BODY } else { BODY };
    if kind != "product" && kind != "catalog_message" || interactive.get("body").is_some() {
        let body = interactive.need_object("body")?;
        body.only(&["text"])?;
        body.need_text("text", longest)?;
    }
    if let Some(footer) = interactive.object("footer")? {
        footer.only(&["text"])?;
        footer.need_text("text", FOOTER)?;
    }
    let found = match interactive.object("header")? {
        Some(object) => header(&object, kind, media)?,
        None if kind == "product_list" => return Err(missing(&Place::Name(&interactive.place, "header"))),
        None => Found::default(),
    };
    let action = interactive.need_object("action")?;
    match kind {
        "button" => buttons(&action)?,
        "list" => list(&action)?,
        "cta_url" => link(&action)?,
        "location_request_message" => named(&action, "send_location")?,
        "call_permission_request" => named(&action, "call_permission_request")?,
        "flow" => flow(&action)?,
        "carousel" => cards(&action, media)?,
        "product" => {
            action.only(&["catalog_id", "product_retailer_id"])?;
            action.need_text("catalog_id", 200)?;
            action.need_text("product_retailer_id", 200)?;
        }
        "product_list" => products(&action)?,
        "catalog_message" => named(&action, "catalog_message")?,
        other => {
            return Err(invalid(format!(
                "Param interactive['type'] must be one of {{BUTTON, LIST, CTA_URL, LOCATION_REQUEST_MESSAGE, FLOW, PRODUCT, \
                 PRODUCT_LIST, CATALOG_MESSAGE, CAROUSEL, CALL_PERMISSION_REQUEST}} - got \"{other}\"."
            )));
        }
    }
    Ok(found)
}

fn header(header: &Object<'_, '_>, of: &str, media: &dyn Fn(&str) -> bool) -> Result<Found, GraphError> {
    let kind = header.need_text("type", 40)?;
    if kind != "text" && matches!(of, "list" | "product_list") {
        return Err(invalid(format!("The header of a {of} message must be a text.")));
    }
    header.only(&["type", kind])?;
    match kind {
        "text" => header.need_text("text", HEADER).map(|_| Found::default()),
        "image" | "video" => media_object(&header.need_object(kind)?, kind, &[], media),
        "document" => media_object(&header.need_object(kind)?, kind, &["filename"], media),
        _ => Err(invalid(format!("Param {}['type'] must be one of {{TEXT, IMAGE, VIDEO, DOCUMENT}}.", header.place))),
    }
}

/// A list with so many items.
fn between(list: &List<'_, '_>, least: usize, most: usize) -> Result<(), GraphError> {
    if (least..=most).contains(&list.items.len()) {
        return Ok(());
    }
    Err(impossible(format!("Param {} must have between {least} and {most} items.", list.place)))
}

fn buttons(action: &Object<'_, '_>) -> Result<(), GraphError> {
    action.only(&["buttons"])?;
    action.need("buttons")?;
    let list = action.list("buttons")?;
    between(&list, 1, 3)?;
    let (mut ids, mut titles): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for button in list.objects() {
        let button = button?;
        button.only(&["type", "reply"])?;
        if button.need_text("type", 40)? != "reply" {
            return Err(invalid(format!("Param {}['type'] must be one of {{REPLY}}.", button.place)));
        }
        let reply = button.need_object("reply")?;
        reply.only(&["id", "title"])?;
        let (id, title) = (reply.need_text("id", 256)?, reply.need_text("title", 20)?);
        if id.trim() != id {
            return Err(impossible(format!("Param {}['id'] must not begin or end with blanks.", reply.place)));
        }
        if ids.contains(&id) || titles.contains(&title) {
            return Err(impossible("Duplicated button ids or titles."));
        }
        ids.push(id);
        titles.push(title);
    }
    Ok(())
}

fn list(action: &Object<'_, '_>) -> Result<(), GraphError> {
    action.only(&["button", "sections"])?;
    action.need_text("button", 20)?;
    action.need("sections")?;
    let sections = action.list("sections")?;
    between(&sections, 1, 10)?;
    let mut ids: Vec<&str> = Vec::new();
    for section in sections.objects() {
        let section = section?;
        section.only(&["title", "rows"])?;
        if sections.items.len() > 1 {
            section.need_text("title", 24)?;
        } else {
            section.short_text("title", 24)?;
        }
        section.need("rows")?;
        let rows = section.list("rows")?;
        between(&rows, 1, 10)?;
        for row in rows.objects() {
            let row = row?;
            row.only(&["id", "title", "description"])?;
            let id = row.need_text("id", 200)?;
            row.need_text("title", 24)?;
            row.short_text("description", 72)?;
            if ids.contains(&id) {
                return Err(impossible("Duplicated row ids."));
            }
            ids.push(id);
        }
    }
    if ids.len() > 10 {
        return Err(impossible("A list has at most 10 rows in all sections together."));
    }
    Ok(())
}

fn link(action: &Object<'_, '_>) -> Result<(), GraphError> {
    named_with(action, "cta_url", &["name", "parameters"])?;
    let parameters = action.need_object("parameters")?;
    parameters.only(&["display_text", "url"])?;
    parameters.need_text("display_text", 20)?;
    let url = parameters.need_text("url", 2000)?;
    let uri: Option<http::Uri> = url.parse().ok();
    if uri.is_none_or(|uri| !matches!(uri.scheme_str(), Some("http" | "https"))) {
        return Err(invalid(format!("Param {}['url'] is not a valid URI.", parameters.place)));
    }
    Ok(())
}

fn named(action: &Object<'_, '_>, name: &str) -> Result<(), GraphError> {
    named_with(action, name, &["name", "parameters"])
}

fn named_with(action: &Object<'_, '_>, name: &str, names: &[&str]) -> Result<(), GraphError> {
    action.only(names)?;
    if action.need_text("name", 40)? != name {
        return Err(invalid(format!("Param {}['name'] must be {name}.", action.place)));
    }
    Ok(())
}

fn flow(action: &Object<'_, '_>) -> Result<(), GraphError> {
    named(action, "flow")?;
    let parameters = action.need_object("parameters")?;
    parameters.only(&[
        "flow_message_version",
        "flow_id",
        "flow_name",
        "flow_cta",
        "flow_token",
        "mode",
        "flow_action",
        "flow_action_payload",
    ])?;
    if parameters.need_text("flow_message_version", 4)? != "3" {
        return Err(impossible("flow_message_version must be 3."));
    }
    if parameters.text("flow_id")?.is_some() == parameters.text("flow_name")?.is_some() {
        return Err(missing(&Place::Name(&parameters.place, "flow_id")));
    }
    parameters.need_text("flow_cta", 30).map(drop)
}

fn products(action: &Object<'_, '_>) -> Result<(), GraphError> {
    action.only(&["catalog_id", "sections"])?;
    action.need_text("catalog_id", 200)?;
    let sections = action.list("sections")?;
    between(&sections, 1, 10)?;
    let mut products = 0;
    for section in sections.objects() {
        let section = section?;
        section.only(&["title", "product_items"])?;
        section.short_text("title", 24)?;
        products += section.list("product_items")?.items.len();
    }
    if !(1..=30).contains(&products) {
        return Err(impossible("A product list has between 1 and 30 products."));
    }
    Ok(())
}

fn cards(action: &Object<'_, '_>, media: &dyn Fn(&str) -> bool) -> Result<(), GraphError> {
    action.only(&["cards"])?;
    let cards = action.list("cards")?;
    between(&cards, 2, 10)?;
    for card in cards.objects() {
        let card = card?;
        card.only(&["card_index", "type", "header", "body", "action"])?;
        card.need("card_index")?;
        header(&card.need_object("header")?, "carousel", media)?;
        link(&card.need_object("action")?)?;
    }
    Ok(())
}
