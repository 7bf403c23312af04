//! Files at Meta.

use super::setting::{Graph, OURS, PNID, example, fixture};
use herald_rules::reason::Reason;
use serde_json::{Value, json};

fn resolved(url: &str, size: Value) -> String {
    let mut answer = example("media_resolved");
    answer["url"] = json!(url);
    answer["file_size"] = size;
    answer.to_string()
}

#[tokio::test]
async fn what_meta_knows_of_a_file() {
    let graph = Graph::start().await;
    graph.tell(200, fixture("media_resolved"));
    let info = graph.adapter().media("1480912345678901").await.unwrap();
    assert_eq!(graph.last().line(), "GET /v23.0/1480912345678901");
    assert_eq!((info.id.as_str(), info.mime_type.as_str()), ("1480912345678901", "image/jpeg"));
    assert_eq!(info.file_size, Some(182_344));
    assert!(info.url.starts_with("https://lookaside.fbsbx.com/") && info.sha256.unwrap().starts_with("4e1a2c"));
    graph.tell(200, "{}");
    assert_eq!(graph.adapter().media("1").await.unwrap_err().reason, Reason::ProviderError);
}

#[tokio::test]
async fn a_file_is_fetched_with_the_token_and_without_the_proof() {
    let graph = Graph::start().await;
    let file = format!("{}/file?mid=1", graph.url());
    graph.tell(200, resolved(&file, json!(5))).tell(200, "bytes");
    let bytes = graph.adapter().download("1480912345678901", 5).await.unwrap();
    assert_eq!(bytes, "bytes");
    let asked = graph.last();
    assert_eq!((asked.line().as_str(), asked.query("appsecret_proof")), ("GET /file", None));
    assert_eq!(asked.headers["authorization"], "Bearer EAAGtoken");
}

#[tokio::test]
async fn an_address_that_ran_out_is_asked_for_once_more() {
    let graph = Graph::start().await;
    let (first, second) = (format!("{}/first", graph.url()), format!("{}/second", graph.url()));
    graph
        .tell(200, resolved(&first, json!("5")))
        .tell(404, "")
        .tell(200, resolved(&second, json!("5")))
        .tell(200, "bytes");
    assert_eq!(graph.adapter().download("1", 100).await.unwrap(), "bytes");
    assert_eq!(graph.last().line(), "GET /second");
    for _ in 0..2 {
        graph.tell(200, resolved(&first, json!(5))).tell(404, "");
    }
    let before = graph.asked().len();
    assert_eq!(graph.adapter().download("1", 100).await.unwrap_err().reason, Reason::Unspecified);
    assert_eq!(graph.asked().len() - before, 4);
}

#[tokio::test]
async fn what_is_too_large_is_not_fetched() {
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    let file = format!("{}/file", graph.url());
    graph.tell(200, resolved(&file, json!(6)));
    assert_eq!(adapter.download("1", 5).await.unwrap_err().reason, Reason::FileTooLarge);
    assert_eq!(graph.asked().len(), 1);
    // Nor where Meta's word about it was wrong.
    for size in [json!(1), json!(null)] {
        graph.tell(200, resolved(&file, size)).tell(200, "longer");
        assert_eq!(adapter.download("1", 5).await.unwrap_err().reason, Reason::FileTooLarge);
    }
}

/// It comes in many pieces, which must be put together again in their order.
#[tokio::test]
async fn a_large_file_is_fetched_whole_or_not_at_all() {
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    let file = format!("{}/file", graph.url());
    let whole: String = (0..600_000).map(|number| format!("{number:06}")).collect();
    graph.tell(200, resolved(&file, json!(null))).tell(200, whole.clone());
    assert!(adapter.download("1", whole.len()).await.unwrap() == whole);
    graph.tell(200, resolved(&file, json!(null))).tell(200, whole.clone());
    assert_eq!(adapter.download("1", whole.len() - 1).await.unwrap_err().reason, Reason::FileTooLarge);
}

#[tokio::test]
async fn the_token_goes_to_no_other_host_in_the_clear() {
    let (graph, other) = (Graph::start().await, Graph::start().await);
    for url in [format!("{}/file", other.url()), "ftp://a.example/1".to_owned(), "nonsense".to_owned()] {
        graph.tell(200, resolved(&url, json!(5)));
        let cause = graph.adapter().download("1", 100).await.unwrap_err();
        assert_eq!(cause.reason, Reason::FileUnreachable);
    }
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_file_is_handed_in() {
    let graph = Graph::start().await;
    graph.tell(200, fixture("uploaded"));
    let id = graph.adapter().upload(OURS, b"\x00PNG\r\n", "image/png").await.unwrap();
    assert_eq!(id, "1480912345678901");
    let asked = graph.last();
    assert_eq!(asked.line(), format!("POST /v23.0/{PNID}/media"));
    let content_type = asked.headers["content-type"].to_str().unwrap();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\nimage/png\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\
         Content-Type: image/png\r\n\r\n\0PNG\r\n\r\n--{boundary}--\r\n"
    );
    assert_eq!(asked.body, expected);
}

#[tokio::test]
async fn what_cannot_be_handed_in() {
    let graph = Graph::start().await;
    let adapter = graph.adapter();
    for mime in ["", "image/png\r\nX: y", "a\"b", "ü/x"] {
        assert_eq!(adapter.upload(OURS, b"x", mime).await.unwrap_err().reason, Reason::FileTypeNotAllowed);
    }
    assert_eq!(adapter.upload("1", b"x", "image/png").await.unwrap_err().reason, Reason::SenderNotReady);
    assert!(graph.asked().is_empty());
    graph.tell(200, "{}");
    assert_eq!(adapter.upload(OURS, b"x", "image/png").await.unwrap_err().reason, Reason::ProviderError);
}
