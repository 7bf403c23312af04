//! Templates by command, against the simulated Graph API: written, handed in, reviewed, paused, matched, deleted.

use crate::support::{CUSTOMER, WhatsAppWorld, template, until};
use serde_json::{Value, json};
use std::{process::Output, time::Duration};

const TEXT: &str = "Hi {{1}}, order {{2}} is on its way.";

/// What a command printed as JSON.
#[track_caller]
fn answer(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

fn error(output: &Output) -> (Option<i32>, Value) {
    let told: Value = serde_json::from_slice(&output.stderr).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code(), told["error"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_file_to_a_match_and_what_meta_says_meanwhile() {
    let world = WhatsAppWorld::new(vec![]).await;
    let run = |arguments: &[&str]| world.herald.command(&[&["template"], arguments, &["--json"]].concat());
    let good = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        answer(&output)
    };
    let listed = good(&["list"]);
    assert_eq!((&listed["items"][0]["name"], &listed["lastSync"]["error"]), (&json!("mark"), &Value::Null));

    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, value: &Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, value.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut order = template("order_update", "UTILITY", TEXT);
    let file = write("template.json", &order);
    assert_eq!(good(&["create", "--file", &file])["status"], "DRAFT");
    order["name"] = json!("Order Update");
    let (code, told) = error(&run(&["create", "--file", &write("wrong.json", &order)]));
    assert_eq!((code, told["code"].as_str()), (Some(4), Some("template_invalid")), "{told}");

    let matched = |text: &str| run(&["match", "--to", CUSTOMER, text, "--customer-name", "Dana"]);
    let text = "Hi ${customer.name}, order A-7 is on its way.";
    let none = matched(text);
    assert_eq!((none.status.code(), &answer(&none)["template"]), (Some(1), &Value::Null));
    assert_eq!(error(&none).1["code"], "template_not_matched");

    let id = good(&["submit", "order_update"])["id"].as_str().unwrap().to_owned();
    good(&["sync"]);
    assert_eq!(good(&["show", "order_update"])["status"], "APPROVED");
    let found = answer(&matched(text));
    assert_eq!(found["template"]["name"], "order_update");
    assert_eq!(found["template"]["parameters"], json!([{"name": "1", "value": "Dana"}, {"name": "2", "value": "A-7"}]));
    let shown = world.herald.command(&["template", "match", "--to", CUSTOMER, text, "--customer-name", "Dana"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("order_update (en_US, UTILITY)") && shown.contains("{{2}} = A-7"), "{shown}");

    // By callback: nobody asks for a comparison.
    assert!(world.graph.set_template_status(&id, "PAUSED", None));
    until("the pause to be known", || async { (good(&["show", "order_update"])["status"] == "PAUSED").then_some(()) })
        .await;
    assert_eq!(matched(text).status.code(), Some(1));
    let (code, told) = error(&run(&["unpause", "mark"]));
    assert_eq!((code, told["code"].as_str()), (Some(4), Some("template_state")), "{told}");
    world.graph.advance(Duration::from_secs(600));
    good(&["unpause", "order_update"]);
    until("the template to go again", || async {
        good(&["sync"]);
        matched(text).status.success().then_some(())
    })
    .await;

    let change = template("order_update", "UTILITY", "Hi {{1}}, your order {{2}} is on its way.");
    let change = write("change.json", &json!({"components": change["components"]}));
    world.graph.advance(Duration::from_secs(2 * 86_400));
    good(&["edit", "order_update", "--file", &change]);
    until("the change to be known", || async {
        good(&["sync"]);
        matched("Hi Dana, your order A-7 is on its way.").status.success().then_some(())
    })
    .await;
    good(&["delete", "order_update"]);
    let gone = good(&["show", "order_update", "--language", "en_US"]);
    let kinds: Vec<_> = gone["history"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap()).collect();
    assert!(gone["status"] == "DELETED" && kinds.contains(&"components"), "{gone}");
    assert_eq!(error(&run(&["show", "order_update"])).0, Some(2));
    // Meta keeps its name for 30 days.
    let (code, told) = error(&run(&["create", "--file", &file, "--submit"]));
    assert_eq!((code, told["code"].as_str()), (Some(4), Some("template_refused")), "{told}");
    assert!(told["message"].as_str().unwrap().contains("30 days"), "{told}");
}
