//! One message of each kind, and what becomes of it, line by line as its statuses arrive by webhook.

use super::{heading, stage::Stage};
use crate::cli::{Failure, Kind, Output, http::segment, show, webhook::Received};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a status may take: the slowest of these takes a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// A message, and what should become of it.
#[derive(Default)]
struct Story {
    title: &'static str,
    /// What the customer writes before.
    written: Option<&'static str>,
    body: Value,
    /// The statuses that come by webhook; none where the send is refused.
    expected: &'static [&'static str],
    /// The approved template that it goes as.
    template: Option<&'static str>,
    remark: &'static str,
}

fn stories() -> Vec<Story> {
    let mut stories = whatsapp();
    stories.extend([
        Story {
            title: "SMS with an attachment: SMS carries none, and that is said, not silently done",
            body: json!({"protocolType": "SMS", "from": "972550000001", "to": "972550100001",
                         "text": "Your invoice: https://shop.example/i/1234", "files": ["https://shop.example/invoice.pdf"]}),
            expected: &["Accepted", "Delivered"],
            remark: "SMS knows no \"read\": Delivered is the end.",
            ..Story::default()
        },
        Story {
            title: "Apple Messages for Business",
            body: json!({"protocolType": "AppleBusinessChat", "from": "herald-demo", "to": "urn:mbid:AQAAY00001",
                         "text": "Your table is ready."}),
            expected: &["Accepted"],
            remark: "Apple reports nothing further: Accepted is the end.",
            ..Story::default()
        },
        Story {
            title: "A channel on which non-ticket messages are off",
            body: json!({"protocolType": "WhatsApp", "from": "972550000009", "to": "972550100001", "text": "Hello"}),
            ..Story::default()
        },
        Story {
            title: "A number that cannot be reached (a magic one: it ends in 00002)",
            body: json!({"protocolType": "SMS", "from": "972550000001", "to": "972550100002", "text": "Hello"}),
            expected: &["Rejected"],
            ..Story::default()
        },
        Story {
            title: "A message that the provider takes and then loses (it ends in 00003)",
            body: json!({"protocolType": "WhatsApp", "from": "972550000001", "to": "972550100003",
                         "text": "Hi Noa, your order 1235 is on its way to you.", "buttonParameters": ["1235"]}),
            expected: &["Accepted", "Failed"],
            template: Some("order_shipped"),
            ..Story::default()
        },
    ]);
    stories
}

/// What only WhatsApp has: approved templates, and the 24 hours after a customer's message.
fn whatsapp() -> Vec<Story> {
    let body =
        |to: &str, text: &str| json!({"protocolType": "WhatsApp", "from": "972550000001", "to": to, "text": text});
    let mut first = body("972550100001", "Hi Dana, your order 1234 is on its way to you.");
    first["buttonParameters"] = json!(["1234"]);
    first["metadata"] = json!({"order": 1234});
    vec![
        Story {
            title: "WhatsApp: the text is found among the approved templates, and goes out as one",
            body: first,
            expected: &["Accepted", "Delivered", "Read"],
            template: Some("order_shipped"),
            ..Story::default()
        },
        Story {
            title: "The customer writes back: for 24 hours any text may be sent",
            written: Some("Thank you! Can you leave it at the door?"),
            body: body("972550100001", "Of course, Dana."),
            expected: &["Accepted", "Delivered", "Read"],
            ..Story::default()
        },
        Story {
            title: "A customer who has not written, and a text that is no template: Meta is not even asked",
            body: body("972550100021", "Hi Uri, your order 77 is on the way to you."),
            expected: &["Rejected"],
            ..Story::default()
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
            output.raw(&heading(&title))?;
        }
        if let Some(written) = story.written {
            let (customer, ours) = (text("to"), text("from"));
            stage.providers.write(customer, "Dana", written)?;
            let until = window_opened(stage, story).await?;
            if !output.json() {
                output.raw(&format!(
                    "   {customer} -> {ours}  \"{written}\"\n   {:>24}  until {}",
                    "window open",
                    show::time(&until)
                ))?;
            }
        }
        if !output.json() {
            output.raw(&format!("   {} -> {}  \"{}\"", text("from"), text("to"), text("text")))?;
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

/// Waits until what the customer wrote is known. Returns when the window closes.
async fn window_opened(stage: &Stage, story: &Story) -> Result<Value, Failure> {
    let opened = async {
        loop {
            let preview: Value = stage.member.post("/api/v2/messages/preview", &story.body).await?;
            if preview["window"]["open"] == true {
                return Ok(preview["window"]["until"].clone());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let late = || Failure::new(Kind::Failed, "What the customer wrote has not arrived.", "");
    tokio::time::timeout(PATIENCE, opened).await.map_err(|_| late())?
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
    let standing: Value = stage.member.get(&format!("/api/v2/messages/{}", segment(&id))).await?;
    if let Some(template) = values(&standing["template"]) {
        say(format!("               template   {template}"))?;
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
    let as_expected =
        genuine && warned && statuses == story.expected && standing["template"]["name"].as_str() == story.template;
    Ok(Told {
        as_expected,
        json: json!({"title": story.title, "request": story.body, "answer": answer, "template": standing["template"], "events": events}),
    })
}

fn message(event: &Value) -> &Value {
    &event["changes"][0]["message"]
}

/// A template with its values, on a line.
fn values(template: &Value) -> Option<String> {
    let mut line =
        format!("{} ({}, {})", template["name"].as_str()?, template["language"], template["category"]).replace('"', "");
    for parameter in template["parameters"].as_array().into_iter().flatten() {
        line.push_str(&format!("  {{{{{}}}}} = {}", show::text(&parameter["name"]), show::text(&parameter["value"])));
    }
    for button in template["buttons"].as_array().into_iter().flatten() {
        let number = button["index"].as_u64().unwrap_or_default() + 1;
        line.push_str(&format!("  button {number} = {}", show::text(&button["value"])));
    }
    Some(line)
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
