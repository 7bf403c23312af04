//! One message of each kind, and what becomes of it, line by line as its statuses arrive by webhook.

use super::{heading, stage::Stage};
use crate::cli::{Failure, Kind, Output, show, webhook::Received};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a status may take: the slowest of these takes a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// A message, and what should become of it.
struct Story {
    title: &'static str,
    body: Value,
    /// The statuses that come by webhook; none where the send is refused.
    expected: &'static [&'static str],
    remark: &'static str,
}

fn stories() -> Vec<Story> {
    vec![
        Story {
            title: "WhatsApp, to a customer who reads it",
            body: json!({"protocolType": "WhatsApp", "from": "972550000001", "to": "972550100001",
                         "text": "Your order 1234 is on its way.", "metadata": {"order": 1234}}),
            expected: &["Accepted", "Delivered", "Read"],
            remark: "",
        },
        Story {
            title: "SMS with an attachment: SMS carries none, and that is said, not silently done",
            body: json!({"protocolType": "SMS", "from": "972550000001", "to": "972550100001",
                         "text": "Your invoice: https://shop.example/i/1234", "files": ["https://shop.example/invoice.pdf"]}),
            expected: &["Accepted", "Delivered"],
            remark: "SMS knows no \"read\": Delivered is the end.",
        },
        Story {
            title: "Apple Messages for Business",
            body: json!({"protocolType": "AppleBusinessChat", "from": "herald-demo", "to": "urn:mbid:AQAAY00001",
                         "text": "Your table is ready."}),
            expected: &["Accepted"],
            remark: "Apple reports nothing further: Accepted is the end.",
        },
        Story {
            title: "A channel on which non-ticket messages are off",
            body: json!({"protocolType": "WhatsApp", "from": "972550000009", "to": "972550100001", "text": "Hello"}),
            expected: &[],
            remark: "",
        },
        Story {
            title: "A number that cannot be reached (a magic one: it ends in 00002)",
            body: json!({"protocolType": "SMS", "from": "972550000001", "to": "972550100002", "text": "Hello"}),
            expected: &["Rejected"],
            remark: "",
        },
        Story {
            title: "A message that the provider takes and then loses (it ends in 00003)",
            body: json!({"protocolType": "WhatsApp", "from": "972550000001", "to": "972550100003", "text": "Hello"}),
            expected: &["Accepted", "Failed"],
            remark: "",
        },
    ]
}

/// Tells them all; false if one did not go as it should.
pub(super) async fn tell_all(stage: &mut Stage, output: &Output) -> Result<bool, Failure> {
    let mut well = true;
    for (at, story) in stories().iter().enumerate() {
        let text = |name: &str| story.body[name].as_str().unwrap_or_default();
        let title = format!("{}. {}", at + 1, story.title);
        if !output.json() {
            let route = format!("{} -> {}", text("from"), text("to"));
            output.raw(&format!("{}\n   {route}  \"{}\"", heading(&title), text("text")))?;
        }
        let told = if story.expected.is_empty() {
            refused(stage, output, story).await?
        } else {
            sent(stage, output, story).await?
        };
        well &= told.as_expected;
        if output.json() {
            output.line(&json!({"story": told.json}), |_| String::new())?;
        } else {
            let wrong = if told.as_expected { "" } else { "   THIS IS NOT WHAT SHOULD HAVE HAPPENED\n" };
            let remark = if story.remark.is_empty() { String::new() } else { format!("   {}\n", story.remark) };
            output.raw(&format!("{remark}{wrong}"))?;
        }
    }
    Ok(well)
}

struct Told {
    as_expected: bool,
    json: Value,
}

async fn refused(stage: &Stage, output: &Output, story: &Story) -> Result<Told, Failure> {
    let answer: Result<Value, _> = stage.member.post("/api/v1.2/protocols/send", &story.body).await;
    let (status, code, message) = match answer {
        Err(failure) if failure.kind == Kind::Refused => (failure.status, failure.code, failure.sentence),
        Err(failure) => return Err(failure),
        Ok(answer) => (Some(200), String::new(), format!("It was accepted: {}", show::text(&answer["status"]))),
    };
    if !output.json() {
        output.raw(&format!("   HTTP {}  {code}\n   {message}", status.unwrap_or_default()))?;
    }
    let as_expected = status == Some(403) && code == "non_ticket_not_enabled";
    Ok(Told {
        as_expected,
        json: json!({"title": story.title, "request": story.body, "refused": {"status": status, "code": code, "message": message}}),
    })
}

async fn sent(stage: &mut Stage, output: &Output, story: &Story) -> Result<Told, Failure> {
    let answer: Value = stage.member.post("/api/v1.2/protocols/send", &story.body).await?;
    let id = show::text(&answer["providerMessageId"]);
    stage.first.get_or_insert_with(|| id.clone());
    let say = |line: String| if output.json() { Ok(()) } else { output.raw(&format!("   {line}")) };
    let (pending, accepted_at) = (show::status("Pending", 9), &answer["dateTime"]);
    say(format!("{}  {pending}             on disk; providerMessageId {id}", show::clock(accepted_at)))?;
    let warnings = answer["warnings"].as_array().cloned().unwrap_or_default();
    for warning in &warnings {
        say(format!(
            "               warning    {}: {}",
            show::text(&warning["code"]),
            show::text(&warning["message"])
        ))?;
    }
    let (mut statuses, mut events) = (Vec::new(), Vec::new());
    let mut genuine = true;
    while statuses.len() < story.expected.len() {
        let received = tokio::time::timeout(PATIENCE, stage.receiver.received.recv()).await;
        let Ok(Some(received)) = received else { break };
        genuine &= received.is_genuine();
        for event in received.events.iter().filter(|event| message(event)["providerMessageId"] == id.as_str()) {
            say(step(accepted_at, &received, event))?;
            statuses.push(show::text(&message(event)["status"]));
            events.push(event.clone());
        }
    }
    let attached = story.body["files"].is_array() && story.body["protocolType"] == "SMS";
    let warned = attached == warnings.iter().any(|warning| warning["code"] == "attachments_dropped");
    let as_expected = genuine && warned && statuses == story.expected;
    Ok(Told {
        as_expected,
        json: json!({"title": story.title, "request": story.body, "answer": answer, "events": events}),
    })
}

fn message(event: &Value) -> &Value {
    &event["changes"][0]["message"]
}

/// One status, as it arrived.
fn step(accepted_at: &Value, received: &Received, event: &Value) -> String {
    let status = show::status(message(event)["status"].as_str().unwrap_or_default(), 9);
    let passed = show::passed(accepted_at, &event["dateTime"]);
    let signed = if received.is_genuine() { "by webhook, both signatures good" } else { "SIGNATURE WRONG" };
    let mut line = format!("{}  {status}  {passed:<9}  {signed}", show::clock(&event["dateTime"]));
    let reason = &message(event)["reason"];
    if !reason.is_null() {
        line.push_str(&format!("\n                              {}", show::reason(reason)));
    }
    line
}
