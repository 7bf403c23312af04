//! All codes on one page: where the `type` of a problem leads, and what the reasons of statuses mean.

use crate::api::codes::Code;
use herald_rules::reason::Reason;
use std::fmt::Write;

/// The page. Nothing in it comes from outside: codes, titles and sentences are constants.
pub(super) fn html() -> String {
    let mut html = String::with_capacity(24 * 1024);
    html.push_str(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Herald: codes</title>\
         <link rel=\"stylesheet\" href=\"/docs/page.css\"></head><body><header><h1>Codes</h1>\
         <p><a href=\"/docs\">Herald API</a></p></header><nav></nav><main>\
         <h2>Refusals</h2><p>Every refusal is <code>application/problem+json</code> with one of these as \
         <code>code</code>; <code>message</code> says what to do.</p>\
         <table><thead><tr><th>Code</th><th>Status</th><th>What it means</th></tr></thead><tbody>",
    );
    for code in Code::ALL {
        let (name, status, title) = (code.as_str(), code.status().as_u16(), code.title());
        // Writing into a String cannot fail.
        let _ = write!(html, "<tr id=\"{name}\"><td><code>{name}</code></td><td>{status}</td><td>{title}</td></tr>");
    }
    html.push_str(
        "</tbody></table><h2>Reasons of statuses</h2><p>What a message's status and its events have as \
         <code>reason</code>.</p><table><thead><tr><th>Code</th><th>Retry helps</th><th>What it means</th></tr></thead>\
         <tbody>",
    );
    for reason in Reason::ALL {
        let (code, sentence) = (reason.code(), reason.sentence());
        let helps = if reason.retry_helps() { "yes" } else { "no" };
        let _ = write!(
            html,
            "<tr id=\"reason-{code}\"><td><code>{code}</code></td><td>{helps}</td><td>{sentence}</td></tr>"
        );
    }
    html.push_str("</tbody></table></main></body></html>\n");
    html
}
