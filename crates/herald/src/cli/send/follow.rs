//! Shows each status of a message as it comes.

use super::super::{
    Failure, Kind, Output,
    http::{Api, segment},
    show,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Between two looks: quick enough for a person, and no load.
const EVERY: Duration = Duration::from_millis(200);

/// Until nothing more can come, or `patience` is over. With `must_arrive` a bad end fails the command.
pub(in super::super) async fn follow(
    api: &Api,
    output: &Output,
    id: &str,
    patience: Duration,
    must_arrive: bool,
) -> Result<(), Failure> {
    let (began, mut shown, mut waiting) = (Instant::now(), 0, Value::Null);
    loop {
        let story: Value = api.get(&format!("/api/v2/messages/{}", segment(id))).await?;
        let history = story["history"].as_array().cloned().unwrap_or_default();
        for step in history.iter().skip(shown) {
            let line = json!({"id": story["id"], "status": step["status"], "at": step["at"], "reason": step["reason"]});
            output.line(&line, |_| self::step(&history[0], step))?;
        }
        shown = history.len();
        // That it is on its way is no reason to wait.
        let waits = story["waiting"]["code"].as_str().is_some_and(|code| !["idle", "sending"].contains(&code));
        if waits && story["waiting"]["code"] != waiting["code"] {
            output.talk(&format!("              waits: {}", show::text(&story["waiting"]["sentence"])));
        }
        waiting = story["waiting"].clone();
        let status = story["status"].as_str().unwrap_or_default();
        if is_last(story["protocol"].as_str().unwrap_or_default(), status) {
            let bad = matches!(status, "Rejected" | "Failed");
            return if bad && must_arrive {
                Err(Failure::new(Kind::Failed, format!("The message is {status}."), ""))
            } else {
                Ok(())
            };
        }
        if began.elapsed() > patience {
            output.talk(&format!("More may come: herald messages watch {id}"));
            return Ok(());
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// One line of a history.
pub(in super::super) fn step(first: &Value, step: &Value) -> String {
    let mut line = format!(
        "{}  {}  {}",
        show::clock(&step["at"]),
        show::status(step["status"].as_str().unwrap_or_default(), 9),
        show::passed(&first["at"], &step["at"]),
    );
    if !step["reason"].is_null() {
        line.push_str(&format!("  {}", show::reason(&step["reason"])));
    }
    if step["reportedLate"] == true {
        line.push_str("  (reported after a later step)");
    }
    line.trim_end().to_owned()
}

/// Whether nothing more comes on this protocol, as far as providers report.
pub(in super::super) fn is_last(protocol: &str, status: &str) -> bool {
    let last = [("SMS", "Delivered"), ("AppleBusinessChat", "Accepted")];
    matches!(status, "Read" | "Rejected" | "Failed") || last.contains(&(protocol, status))
}
