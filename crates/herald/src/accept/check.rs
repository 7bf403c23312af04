//! Every check of a send, as a function of the directory, the request and the moment. No clock, no store.

use super::{
    answer::Warning,
    request::SendRequest,
    wire::{Links, Loose},
    wish::Wish,
};
use crate::{
    api::{codes::Code, problem::Problem},
    node::directory::{Channel, Department, Lane, Snapshot},
    store::LaneRow,
};
use herald_rules::{
    content, identifier,
    ids::MessageId,
    message::{Message, Priority},
    protocol::Protocol,
    time::Timestamp,
};
use std::{borrow::Cow, sync::Arc, time::Duration};

/// How far ahead a message may be scheduled.
const FURTHEST: Duration = Duration::from_secs(366 * 86_400);

/// A message that may be accepted.
#[derive(Debug)]
pub struct Checked {
    /// The lane it goes out over.
    pub lane: LaneRow,
    /// Its channel.
    pub channel: Arc<Channel>,
    /// The message.
    pub message: Message,
    /// What is left out of it.
    pub warnings: Vec<Warning>,
    /// What was asked for beside the text.
    pub wish: Wish,
}

impl Checked {
    /// The warnings as JSON.
    pub fn warnings_json(&self) -> Cow<'static, str> {
        if self.warnings.is_empty() {
            return Cow::Borrowed("[]");
        }
        // Two texts each: this cannot fail.
        serde_json::to_string(&self.warnings).map_or(Cow::Borrowed("[]"), Cow::Owned)
    }
}

/// Checks a send of this department.
///
/// The sender comes before the content: whoever may not use a channel does not learn its rules.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(
    snapshot: &Snapshot,
    department: &Department,
    request: SendRequest<'_>,
    now: Timestamp,
    id: MessageId,
) -> Result<Checked, Problem> {
    if request.to == Loose::List {
        return Err(one_recipient_only());
    }
    let protocol = protocol(&request.protocol_type)?;
    let (lane, channel) = sender(snapshot, department, protocol, &request.from)?;
    may_send(channel)?;
    let to = recipient(protocol, &request.to)?;
    let wish = wish(protocol, &request)?;
    let text = text(request.text)?;
    let files = files(request.files)?;
    // A template that is named brings its text along.
    let dropped = if wish.template.is_some() && text.trim().is_empty() && files.is_empty() {
        0
    } else {
        content::check(protocol, &text, &files).map_err(|error| Problem::of_content(&error))?.files_dropped
    };
    if let Some(metadata) = &request.metadata {
        content::check_metadata(metadata).map_err(|error| Problem::of_content(&error))?;
    }
    let (send_at, expires_at) = times(&request.send_at, &request.expires_at, now)?;
    let warnings = if dropped > 0 { vec![Warning::attachments_dropped(dropped)] } else { Vec::new() };
    let message = Message {
        id,
        protocol,
        from: lane.identifier.clone(),
        to,
        text,
        files: if dropped > 0 { Vec::new() } else { files },
        parts: 1,
        template: None,
        refused: None,
        metadata: request.metadata,
        priority: priority(&request.priority)?,
        accepted_at: now,
        send_at,
        expires_at,
    };
    Ok(Checked { lane: lane.row, channel: Arc::clone(channel), message, warnings, wish })
}

fn protocol(given: &Loose<'_>) -> Result<Protocol, Problem> {
    given.text().and_then(|text| text.parse().ok()).ok_or_else(|| {
        Problem::new(Code::UnknownProtocol, "protocolType must be WhatsApp, SMS or AppleBusinessChat.")
            .at("/protocolType")
    })
}

/// The lane of `from`, if it is this department's.
fn sender<'a>(
    snapshot: &'a Snapshot,
    department: &Department,
    protocol: Protocol,
    from: &Loose<'_>,
) -> Result<(&'a Lane, &'a Arc<Channel>), Problem> {
    let Some(from) = from.text().filter(|text| !text.trim().is_empty()) else {
        return Err(Problem::new(
            Code::FromRequired,
            format!(
                "from must be a text that names one of this department's {protocol} identifiers; there is {}.",
                from.kind()
            ),
        )
        .at("/from"));
    };
    // Most clients write it as it is stored. Whatever is wrong with it, it is not one of ours.
    let lane = snapshot.lane_of(protocol, from).or_else(|| {
        let own = identifier::parse_own(protocol, from).ok()?;
        snapshot.lane_of(protocol, &own)
    });
    // Another department's sender is answered in the same words as none: whose numbers there are is nobody's business.
    let lane = lane.filter(|lane| lane.department == department.row);
    let found = lane.and_then(|lane| Some((lane.as_ref(), snapshot.channel(lane.channel)?)));
    found.ok_or_else(|| {
        Problem::new(
            Code::FromNotFound,
            format!(
                "from is not an identifier of a {protocol} channel of this department. GET /api/v2/channels lists what \
                 there is."
            ),
        )
        .at("/from")
    })
}

fn may_send(channel: &Channel) -> Result<(), Problem> {
    if !channel.active {
        return Err(Problem::new(
            Code::ChannelInactive,
            format!(
                "The channel \"{}\" is switched off. Switch it on: herald channel enable {}, or PATCH \
                 /api/v2/channels/{} with {{\"active\": true}}.",
                channel.name, channel.id, channel.id
            ),
        ));
    }
    if !channel.non_ticket {
        return Err(Problem::new(
            Code::NonTicketNotEnabled,
            format!(
                "Non-ticket messages are off for the channel \"{}\", as they are for every new one. Switch them on: herald \
                 channel non-ticket {} on, or PATCH /api/v2/channels/{} with {{\"nonTicketMessages\": true}}.",
                channel.name, channel.id, channel.id
            ),
        ));
    }
    Ok(())
}

fn one_recipient_only() -> Problem {
    Problem::of_identifier(identifier::IdentifierError::OneRecipientOnly, "/to")
}

fn recipient(protocol: Protocol, to: &Loose<'_>) -> Result<String, Problem> {
    match to {
        Loose::List => Err(one_recipient_only()),
        Loose::Other(kind) => Err(wrong_type("/to", "a text", kind)),
        _ => identifier::parse_customer(protocol, to.text().unwrap_or_default())
            .map_err(|error| Problem::of_identifier(error, "/to")),
    }
}

fn wish(protocol: Protocol, request: &SendRequest<'_>) -> Result<Wish, Problem> {
    let wish = Wish::read(request)?;
    // Nothing is left out in silence: whoever names a template does not expect an SMS.
    match wish.of_a_template() {
        Some(field) if protocol != Protocol::WhatsApp => {
            let detail =
                format!("{field} is for WhatsApp; {protocol} has no templates. Leave it out, and give a text.");
            Err(Problem::new(Code::InvalidValue, detail).at(format!("/{field}")))
        }
        _ => Ok(wish),
    }
}

fn text(given: Loose<'_>) -> Result<String, Problem> {
    match given {
        Loose::Absent => Ok(String::new()),
        Loose::Text(text) => Ok(text.into_owned()),
        Loose::Number(_) | Loose::List | Loose::Other(_) => Err(wrong_type("/text", "a text", given.kind())),
    }
}

fn files(given: Links) -> Result<Vec<String>, Problem> {
    match given {
        Links::Given(files) => Ok(files),
        Links::Wrong(None, kind) => Err(wrong_type("/files", "a list of links", kind)),
        Links::Wrong(Some(at), kind) => Err(wrong_type(format!("/files/{at}"), "a link as a text", kind)),
    }
}

pub(super) fn wrong_type(pointer: impl Into<Cow<'static, str>>, wanted: &str, kind: &str) -> Problem {
    let pointer = pointer.into();
    let detail = format!("{} must be {wanted}; there is {kind}.", pointer.trim_start_matches('/'));
    Problem::new(Code::InvalidBody, detail).at(pointer)
}

type Times = (Option<Timestamp>, Option<Timestamp>);

fn times(send_at: &Loose<'_>, expires_at: &Loose<'_>, now: Timestamp) -> Result<Times, Problem> {
    let send_at = moment(send_at).map_err(|()| not_a_moment(Code::SendAtInvalid, "sendAt"))?;
    let expires_at = moment(expires_at).map_err(|()| not_a_moment(Code::ExpiresAtInvalid, "expiresAt"))?;
    if send_at.is_some_and(|at| at > now + FURTHEST) {
        let detail = "sendAt is more than a year ahead. Hand the message in nearer to its time.";
        return Err(Problem::new(Code::SendAtInvalid, detail).at("/sendAt"));
    }
    if expires_at.is_some_and(|at| at <= now) {
        let detail = "expiresAt has passed already, so the message could never be sent. Give a later moment, or none.";
        return Err(Problem::new(Code::AlreadyExpired, detail).at("/expiresAt"));
    }
    if let (Some(send_at), Some(expires_at)) = (send_at, expires_at)
        && expires_at <= send_at
    {
        let detail = "expiresAt is not after sendAt, so the message could never be sent. Give a later expiresAt.";
        return Err(Problem::new(Code::ExpiresAtInvalid, detail).at("/expiresAt"));
    }
    Ok((send_at, expires_at))
}

fn moment(given: &Loose<'_>) -> Result<Option<Timestamp>, ()> {
    match given {
        Loose::Absent => Ok(None),
        Loose::Text(text) if text.trim().is_empty() => Ok(None),
        Loose::Text(text) => text.trim().parse().map(Some).map_err(|_| ()),
        _ => Err(()),
    }
}

fn not_a_moment(code: Code, field: &'static str) -> Problem {
    let detail = format!(
        "{field} must be a moment with its offset from UTC (RFC 3339), such as 2030-01-31T08:00:00Z or \
         2030-01-31T10:00:00+02:00."
    );
    Problem::new(code, detail).at(format!("/{field}"))
}

fn priority(given: &Loose<'_>) -> Result<Priority, Problem> {
    match given {
        Loose::Absent => Ok(Priority::default()),
        Loose::Text(text) if text.trim().is_empty() => Ok(Priority::default()),
        _ => given.text().and_then(|text| text.parse().ok()).ok_or_else(|| {
            Problem::new(Code::UnknownPriority, "priority must be transactional or bulk.").at("/priority")
        }),
    }
}
