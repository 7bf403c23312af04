//! Files at Meta: what customers sent, and what is to be sent by id.

use super::{
    WhatsappCloud, answer,
    graph::json,
    problem::said,
    read::{text, text_at},
};
use crate::http::{Address, Answer, Call};
use bytes::Bytes;
use herald_rules::{
    ids::MessageId,
    reason::{Cause, Reason},
};
use http::{HeaderValue, Method, StatusCode};
use serde_json::Value;
use std::time::Duration;

/// For a whole file of up to 100 MB.
const FILE_TIMEOUT: Duration = Duration::from_secs(120);

/// What Meta knows about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaInfo {
    /// Meta's id.
    pub id: String,
    /// Where it is for the next five minutes, with the token.
    pub url: String,
    /// What it is.
    pub mime_type: String,
    /// Its checksum, as Meta writes it.
    pub sha256: Option<String>,
    /// Its size in bytes.
    pub file_size: Option<u64>,
}

impl WhatsappCloud {
    /// What Meta knows about a file.
    ///
    /// # Errors
    /// What Meta said.
    pub async fn media(&self, id: &str) -> Result<MediaInfo, Cause> {
        read(&self.inner.graph.get(&[id], &[]).await?)
    }

    /// Fetches a file of at most so many bytes.
    ///
    /// # Errors
    /// `file_too_large`, or what Meta said.
    pub async fn download(&self, id: &str, most: usize) -> Result<Bytes, Cause> {
        let mut answer = self.fetch(id, most).await?;
        if answer.status == StatusCode::NOT_FOUND {
            // The address had run out on the way.
            answer = self.fetch(id, most).await?;
        }
        answer::cause(Ok(answer)).map(|answer| answer.body)
    }

    async fn fetch(&self, id: &str, most: usize) -> Result<Answer, Cause> {
        let info = self.media(id).await?;
        let too_large = || Cause::with_detail(Reason::FileTooLarge, format!("At most {most} bytes are fetched."));
        if info.file_size.is_some_and(|size| size > u64::try_from(most).unwrap_or(u64::MAX)) {
            return Err(too_large());
        }
        let graph = &self.inner.graph;
        let address = Address::parse(&info.url).ok().filter(|address| graph.may_fetch(address)).ok_or_else(|| {
            Cause::with_detail(Reason::FileUnreachable, "Meta gave an address that the token must not go to.")
        })?;
        let call = Call {
            method: Method::GET,
            address: &address,
            authorization: Some(&graph.authorization),
            json: None,
            timeout: FILE_TIMEOUT,
        };
        match graph.client.call_up_to(call, most).await {
            Err(error) if error.is_too_long() => Err(too_large()),
            Err(error) => answer::cause(Err(error)),
            Ok(answer) => Ok(answer),
        }
    }

    /// Hands a file in, to be sent by its id for 30 days.
    ///
    /// # Errors
    /// What Meta said.
    pub async fn upload(&self, from: &str, bytes: &[u8], mime: &str) -> Result<String, Cause> {
        let number = self.number(from)?;
        let graph = &self.inner.graph;
        let address = graph.address(&[&number.id, "media"], &[]);
        let wrong = || Cause::with_detail(Reason::FileTypeNotAllowed, "The file's type is not a MIME type.");
        if mime.is_empty() || !mime.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"') {
            return Err(wrong());
        }
        // Its random bits make it improbable that the file holds it.
        let boundary = format!("herald-{}", MessageId::new());
        let content_type =
            HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}")).map_err(|_| wrong())?;
        let call = Call {
            method: Method::POST,
            address: &address,
            authorization: Some(&graph.authorization),
            json: None,
            timeout: FILE_TIMEOUT,
        };
        let body = form(&boundary, bytes, mime);
        let answer = answer::cause(graph.client.call_with(call, content_type, body).await)?;
        let id = text_at(&json(&answer)?, "/id");
        id.ok_or_else(|| said(Reason::ProviderError, None, Some("taken without an id")))
    }
}

/// `multipart/form-data` (RFC 7578) with Meta's three fields.
fn form(boundary: &str, bytes: &[u8], mime: &str) -> Bytes {
    let mut body = Vec::with_capacity(bytes.len() + 512);
    for (name, value) in [("messaging_product", "whatsapp"), ("type", mime)] {
        let field = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(field.as_bytes());
    }
    let file = "Content-Disposition: form-data; name=\"file\"; filename=\"file\"";
    body.extend_from_slice(format!("--{boundary}\r\n{file}\r\nContent-Type: {mime}\r\n\r\n").as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body.into()
}

fn read(said: &Value) -> Result<MediaInfo, Cause> {
    let incomplete = || Cause::with_detail(Reason::ProviderError, "Meta's answer has no address for the file.");
    Ok(MediaInfo {
        id: text_at(said, "/id").unwrap_or_default(),
        url: text_at(said, "/url").ok_or_else(incomplete)?,
        mime_type: text_at(said, "/mime_type").unwrap_or_else(|| "application/octet-stream".to_owned()),
        sha256: text_at(said, "/sha256"),
        // A number or a text.
        file_size: said.get("file_size").and_then(text).and_then(|size| size.parse().ok()),
    })
}
