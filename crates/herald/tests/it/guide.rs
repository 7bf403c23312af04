//! The guides and the README do what they say: their shell blocks are run, one after the other in one shell, against
//! `herald demo`, and what they print is compared with what the page shows.
//!
//! `UPDATE_GUIDES=1 cargo test -p herald --test it guide` writes what was printed into the pages instead.

mod alike;
mod page;
mod shell;

use page::{Page, Run};
use shell::{Demo, Outcome};
use std::path::{Path, PathBuf};

#[tokio::test(flavor = "multi_thread")]
async fn send_a_non_ticket_message() {
    holds("docs/guides/send-a-non-ticket-message.md", Page::strict).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_templates() {
    holds("docs/guides/whatsapp-templates.md", Page::strict).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn variables() {
    holds("docs/guides/variables.md", Page::strict).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme() {
    holds("README.md", Page::lenient).await;
}

/// What the demo prints to be pasted can be pasted.
#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_the_demo() {
    let mut demo = Demo::start().await;
    let lines: Vec<_> = demo.paste().await.iter().map(|line| Run { script: line.clone(), ..Run::default() }).collect();
    assert!(lines.len() >= 8, "{lines:?}");
    let outcomes = demo.run(&lines);
    let printed = |at: usize| serde_json::from_str::<serde_json::Value>(&outcomes[at].printed).unwrap();
    assert_eq!(outcomes.len(), lines.len());
    assert_eq!(printed(2)["status"], "Pending");
    assert_eq!(printed(3)["history"][0]["status"], "Pending");
    assert_eq!(printed(4)["items"][0]["text"], "Hello from curl");
    for (at, expected) in [(5, "appointment_reminder"), (6, "Can you leave it at the door?"), (7, "Delivered")] {
        assert!(outcomes[at].printed.contains(expected), "{}", outcomes[at].printed);
    }
}

async fn holds(name: &str, read: fn(&str) -> Page) {
    let path = root().join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let page = read(&text);
    assert!(!page.runs.is_empty(), "{name} has no block to run");
    let mut demo = Demo::start().await;
    // Its stories are told: from here on it sends nothing by itself.
    demo.paste().await;
    let outcomes = demo.run(&page.runs);
    if std::env::var_os("UPDATE_GUIDES").is_some() {
        std::fs::write(&path, page.with(&text, &outcomes)).unwrap();
        return;
    }
    for (run, outcome) in page.runs.iter().zip(&outcomes) {
        compare(name, run, outcome);
    }
    assert_eq!(outcomes.len(), page.runs.len());
}

fn compare(name: &str, run: &Run, Outcome { printed, .. }: &Outcome) {
    let Some(expected) = &run.expected else { return };
    let alike = match expected.language.as_str() {
        "json" => alike::json(&expected.text, printed),
        _ => alike::text(&expected.text, printed),
    };
    if let Err(problem) = alike {
        let (line, script, shown) = (run.line, &run.script, &expected.text);
        panic!(
            "{name}, line {line}: {problem}\n--- the block\n{script}\n--- the page shows\n{shown}\n--- it printed\n{printed}"
        );
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
