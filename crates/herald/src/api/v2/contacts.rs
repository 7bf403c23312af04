//! Contacts: whom a department knows, and what a text can say of them.

use crate::{
    api::{
        body::{Json, Query, id},
        codes::Code,
        page::{Page, PageQuery},
        problem::{Problem, ProblemBody},
        rights::{Caller, needs},
    },
    node::app::App,
    store::{ContactCard, ContactFilter, ContactIdentifier, NamedBy},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use herald_rules::{identifier, ids::ContactId, protocol::Protocol, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Attributes of one contact.
const MOST_ATTRIBUTES: usize = 50;
/// Characters of an attribute's name.
const LONGEST_KEY: usize = 64;
/// Characters of an attribute.
const LONGEST_VALUE: usize = 1_000;
/// How many contacts one page of a filtered list looks at: some 50 ms of a reader's time.
const LOOK_AT: usize = 10_000;

/// A person as a department knows them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Contact)]
pub struct ContactView {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: ContactId,
    /// What they are called: `${customer.name}`.
    #[schema(example = "Dana Reyes")]
    name: Option<String>,
    /// Who said the name: `profile` is the customer's own, `api` is yours and is never overwritten by a profile.
    named_by: Option<NamedBy>,
    /// Whatever else you keep of them: `${customer.<attribute>}`.
    #[schema(example = json!({"city": "Haifa"}))]
    attributes: BTreeMap<String, String>,
    /// Where they can be reached.
    identifiers: Vec<ContactIdentifierView>,
    /// When it was made: at the first message of theirs, or by you.
    #[schema(value_type = String, format = "date-time")]
    created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = "date-time")]
    updated_at: Timestamp,
}

/// Where a contact can be reached.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactIdentifier)]
pub struct ContactIdentifierView {
    /// The protocol.
    #[schema(value_type = String, example = "WhatsApp")]
    protocol: Protocol,
    /// A phone number, an Apple id, or the provider's id of a person who hides their number.
    #[schema(example = "972550000002")]
    identifier: String,
}

impl From<ContactCard> for ContactView {
    fn from(card: ContactCard) -> Self {
        let ContactCard { contact, named_by, identifiers, created_at, updated_at, .. } = card;
        let identifiers = identifiers
            .into_iter()
            .map(|ContactIdentifier { protocol, identifier }| ContactIdentifierView { protocol, identifier });
        Self {
            id: contact.id,
            name: contact.name,
            named_by,
            attributes: contact.attributes,
            identifiers: identifiers.collect(),
            created_at,
            updated_at,
        }
    }
}

/// Which contacts to list. All conditions hold together.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContactsQuery {
    /// Only whoever has this identifier.
    #[param(example = "972550000002")]
    identifier: Option<String>,
    /// The identifier's protocol; absent: of any.
    #[param(example = "WhatsApp")]
    protocol: Option<String>,
    /// Only those whose name begins so, in whatever case.
    #[param(example = "dana")]
    name: Option<String>,
    /// At most so many: 1 to 500, else 100.
    limit: Option<usize>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// What you keep of a person. It replaces what was kept before.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContactRequest {
    /// 1 to 100 characters; absent or null: none, until their profile gives one.
    #[serde(default)]
    #[schema(example = "Dana Reyes")]
    name: Option<String>,
    /// At most 50. A name of an attribute has 1 to 64 letters, digits, `_`, `.` and `-`; its text at most 1,000 characters.
    #[serde(default)]
    #[schema(example = json!({"city": "Haifa"}))]
    attributes: BTreeMap<String, String>,
}

/// List contacts, oldest first
///
/// A page looks at no more than 10,000 contacts. With a name that few of them have, a page may be short or even empty while
/// `nextCursor` says that there is more: go on until it is null.
#[utoipa::path(
    get,
    path = "/api/v2/contacts",
    operation_id = "listContacts",
    tag = "contacts",
    security(("bearer" = ["messages"])),
    params(ContactsQuery, ("department" = Option<String>, Query, description = "For the administrator: which department")),
    responses(
        (status = 200, description = "Oldest first", body = Page<ContactView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = ProblemBody<'static>),
    )
)]
pub async fn list(
    app: State<App>,
    caller: Caller<needs::Messages>,
    query: Query<ContactsQuery>,
) -> Result<axum::Json<Page<ContactView>>, Problem> {
    let ContactsQuery { identifier, protocol, name, limit, cursor } = query.0;
    let protocol = protocol.as_deref().map(|text| super::messages::word::<Protocol>(text, "protocol")).transpose()?;
    let page = PageQuery { limit, cursor };
    let filter = ContactFilter {
        department: caller.department.row,
        identifiers: identifier.map(|text| meant(protocol, &text)),
        name,
        after: page.after()?,
        limit: page.limit(),
        look_at: LOOK_AT,
    };
    let found = app.store.contacts(filter).await?;
    let items = found.contacts.into_iter().map(Into::into).collect();
    Ok(axum::Json(Page { items, next_cursor: found.next.map(|row| row.to_string()) }))
}

/// Show a contact
#[utoipa::path(
    get,
    path = "/api/v2/contacts/{id}",
    operation_id = "getContact",
    tag = "contacts",
    security(("bearer" = ["messages"])),
    params(
        ("id" = String, Path, format = "uuid"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    responses(
        (status = 200, description = "The contact", body = ContactView),
        (status = 404, description = "`contact_not_found`", body = ProblemBody<'static>),
    )
)]
pub async fn get(
    app: State<App>,
    caller: Caller<needs::Messages>,
    path: Path<String>,
) -> Result<axum::Json<ContactView>, Problem> {
    let found = app.store.contact(caller.department.row, id(&path, not_found)?).await?;
    found.map(|card| axum::Json(card.into())).ok_or_else(not_found)
}

/// Set the contact behind an identifier
///
/// Makes it where there is none, else replaces its name and its attributes. Texts with `${customer.name}` and
/// `${customer.<attribute>}` are filled from it when they are accepted.
#[utoipa::path(
    put,
    path = "/api/v2/contacts/{protocol}/{identifier}",
    operation_id = "setContact",
    tag = "contacts",
    security(("bearer" = ["send"])),
    params(
        ("protocol" = String, Path, example = "WhatsApp"),
        ("identifier" = String, Path, example = "972550000002", description = "The customer's"),
        ("department" = Option<String>, Query, description = "For the administrator: which department"),
    ),
    request_body = ContactRequest,
    responses(
        (status = 200, description = "Replaced", body = ContactView),
        (status = 201, description = "Made", body = ContactView),
        (status = 400, description = "`invalid_value`, `unknown_protocol`, `not_a_number` and others", body = ProblemBody<'static>),
    )
)]
pub async fn set(
    app: State<App>,
    caller: Caller<needs::Send>,
    path: Path<(String, String)>,
    body: Json<ContactRequest>,
) -> Result<(StatusCode, axum::Json<ContactView>), Problem> {
    let (protocol, identifier) = path.0;
    let department = caller.department.row;
    let protocol: Protocol = protocol.parse().map_err(|_| {
        Problem::new(Code::UnknownProtocol, "There is no such protocol. Use WhatsApp, SMS or AppleBusinessChat.")
    })?;
    let identifier = match identifier::parse_customer(protocol, &identifier) {
        Ok(identifier) => identifier,
        // Someone who hides their number is known by the provider's id of them, since they wrote.
        Err(error) => match app.store.contact_by_identifier(department, protocol, identifier.trim()).await? {
            Some(_) => identifier.trim().to_owned(),
            None => return Err(Problem::of_identifier(error, "/identifier")),
        },
    };
    let name = body.0.name.map(|name| super::name(&name, "/name")).transpose()?;
    check(&body.0.attributes)?;
    let place = ContactIdentifier { protocol, identifier };
    let (card, new) = app.store.set_contact(department, place, name, body.0.attributes, Timestamp::now()).await?;
    Ok((if new { StatusCode::CREATED } else { StatusCode::OK }, axum::Json(card.into())))
}

fn check(attributes: &BTreeMap<String, String>) -> Result<(), Problem> {
    let wrong = |detail: String, pointer: String| Err(Problem::new(Code::InvalidValue, detail).at(pointer));
    if attributes.len() > MOST_ATTRIBUTES {
        let detail = format!("There are {} attributes; a contact has at most {MOST_ATTRIBUTES}.", attributes.len());
        return wrong(detail, "/attributes".to_owned());
    }
    for (key, value) in attributes {
        if key.is_empty()
            || key.len() > LONGEST_KEY
            || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        {
            let detail = "The name of an attribute has 1 to 64 letters (a to z), digits, `_`, `.` and `-`.";
            return wrong(detail.to_owned(), "/attributes".to_owned());
        }
        let pointer = format!("/attributes/{key}");
        let length = value.chars().count();
        if length > LONGEST_VALUE {
            return wrong(format!("The attribute has {length} characters; {LONGEST_VALUE} is the most."), pointer);
        }
        if value.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            let detail = "The attribute holds a control character, which no phone shows. Take it out.";
            return wrong(detail.to_owned(), pointer);
        }
    }
    Ok(())
}

/// The identifiers that a text can stand for: what cannot be read is taken as it is.
pub(super) fn meant(protocol: Option<Protocol>, text: &str) -> Vec<ContactIdentifier> {
    let protocols = protocol.as_ref().map_or(&Protocol::ALL[..], std::slice::from_ref);
    let one = |protocol: &Protocol| ContactIdentifier {
        protocol: *protocol,
        identifier: identifier::parse_customer(*protocol, text).unwrap_or_else(|_| text.trim().to_owned()),
    };
    protocols.iter().map(one).collect()
}

fn not_found() -> Problem {
    Problem::new(
        Code::ContactNotFound,
        "This department has no contact of this id. GET /api/v2/contacts?identifier= finds one by its identifier.",
    )
}
