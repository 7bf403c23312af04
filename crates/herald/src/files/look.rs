//! One look at a link: HEAD, then the first kilobyte, redirects followed by hand.

use crate::net::{Clients, Forbidden};
use herald_channels::http::{CallError, Incoming};
use herald_rules::{
    file::{self, FileFacts, Seen, Wanted},
    reason::{Cause, Reason},
};
use http::{HeaderMap, HeaderValue, Method, header};
use reqwest::Url;
use std::time::Duration;

/// What is looked at: enough for every signature and for the beginning of a page.
const FIRST: usize = 1_024;
const FIRST_RANGE: HeaderValue = HeaderValue::from_static("bytes=0-1023");
/// Redirects that are followed. Meta's fetcher takes few as well, and a chain is nearly always a page to log in at.
const REDIRECTS: usize = 2;

/// A look that led to no verdict.
#[derive(Debug)]
pub(super) struct Trouble {
    /// What to say.
    pub(super) sentence: String,
    /// It may pass in a second.
    pub(super) passing: bool,
}

/// What one look came to.
pub(super) type Looked = Result<Result<FileFacts, Cause>, Trouble>;

/// A file's answer, as far as it was read.
struct Answer {
    status: u16,
    content_type: Option<String>,
    declared: Option<u64>,
    read: u64,
    ended: bool,
    first: Option<Vec<u8>>,
}

/// Looks once. Takes as long as it takes: the caller sets the time.
pub(super) async fn look(clients: &Clients, link: &str, wanted: Wanted, most: u64, total: Duration) -> Looked {
    let largest = wanted.largest(most);
    let mut size = None;
    // A server that hangs at HEAD has half the time left for GET.
    match follow(clients, Method::HEAD, link, false, total / 2).await {
        Ok(head) if head.status.is_success() => {
            let head = Answer::of_head(&head);
            // Only its size is believed: frameworks answer HEAD with types of their own.
            if head.declared.is_some_and(|declared| declared > largest) {
                return Ok(head.judged(wanted, most));
            }
            size = head.declared;
        }
        // Not allowed, not signed for, or broken off: many servers know only GET.
        Ok(_) | Err(Trouble { passing: true, .. }) => {}
        Err(trouble) => return Err(trouble),
    }
    let mut incoming = follow(clients, Method::GET, link, true, total).await?;
    let in_part = incoming.status == http::StatusCode::PARTIAL_CONTENT;
    let unknown = in_part && whole(&incoming.headers).or(size).is_none();
    // 416 is what an empty file has to say to a range.
    if unknown || incoming.status == http::StatusCode::RANGE_NOT_SATISFIABLE {
        incoming = follow(clients, Method::GET, link, false, total).await?;
    }
    let status = incoming.status;
    let answer = Answer::read(incoming, size, largest).await?;
    if status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429) {
        let sentence = format!("The server of the file answered with HTTP {}.", status.as_u16());
        return Err(Trouble { sentence, passing: true });
    }
    Ok(answer.judged(wanted, most))
}

/// Asks, and asks again where the answer points, two times at most. Each address is judged before it is called.
async fn follow(
    clients: &Clients,
    method: Method,
    link: &str,
    first_only: bool,
    total: Duration,
) -> Result<Incoming, Trouble> {
    let mut link = link.to_owned();
    for _ in 0..=REDIRECTS {
        let url =
            clients.guard().check_with_look_up(&link).await.map_err(|forbidden| Trouble::forbidden(&forbidden))?;
        let mut request = reqwest::Request::new(method.clone(), url.clone());
        *request.timeout_mut() = Some(total);
        if first_only {
            request.headers_mut().insert(header::RANGE, FIRST_RANGE);
        }
        let incoming = clients.of(&url).begin(request).await.map_err(|error| Trouble::call(&error))?;
        let next = matches!(incoming.status.as_u16(), 301 | 302 | 303 | 307 | 308)
            .then(|| incoming.headers.get(header::LOCATION)?.to_str().ok().and_then(|to| url.join(to).ok()))
            .flatten();
        match next {
            Some(next) => link = Url::into(next),
            None => return Ok(incoming),
        }
    }
    let sentence = format!("The link redirects more than {REDIRECTS} times. Give the link of the file itself.");
    Err(Trouble { sentence, passing: false })
}

impl Answer {
    fn of_head(head: &Incoming) -> Self {
        Self {
            status: head.status.as_u16(),
            content_type: content_type(&head.headers),
            declared: length(&head.headers),
            read: 0,
            ended: false,
            first: None,
        }
    }

    /// Reads the first kilobyte; where nobody says how large the file is, up to a byte more than may be sent.
    async fn read(mut incoming: Incoming, size: Option<u64>, largest: u64) -> Result<Self, Trouble> {
        let in_part = incoming.status == http::StatusCode::PARTIAL_CONTENT;
        let declared = if in_part { whole(&incoming.headers).or(size) } else { length(&incoming.headers) };
        let mut answer = Self {
            status: incoming.status.as_u16(),
            content_type: content_type(&incoming.headers),
            declared,
            read: 0,
            ended: false,
            first: None,
        };
        let mut first = Vec::new();
        // The body of a refusal is of no interest.
        let refused = !incoming.status.is_success();
        while !refused && answer.read <= largest && (declared.is_none() || first.len() < FIRST) {
            match incoming.chunk().await.map_err(|error| Trouble::call(&error))? {
                Some(chunk) => {
                    answer.read += chunk.len() as u64;
                    first.extend(chunk.iter().take(FIRST - first.len().min(FIRST)));
                }
                None => {
                    answer.ended = !in_part || declared == Some(answer.read);
                    break;
                }
            }
        }
        answer.first = Some(first);
        Ok(answer)
    }

    fn judged(&self, wanted: Wanted, most: u64) -> Result<FileFacts, Cause> {
        let seen = Seen {
            status: self.status,
            content_type: self.content_type.as_deref(),
            declared: self.declared,
            read: self.read,
            ended: self.ended,
            first: self.first.as_deref(),
        };
        file::judge(&seen, wanted, most)
    }
}

impl Trouble {
    pub(super) fn late() -> Self {
        Self { sentence: "The server of the file did not answer in time.".to_owned(), passing: true }
    }

    pub(super) fn cause(self) -> Cause {
        Cause::with_detail(Reason::FileUnreachable, self.sentence)
    }

    fn call(error: &CallError) -> Self {
        let sentence = match error {
            CallError::TimedOut => return Self::late(),
            CallError::NotSent(problem) => {
                // The causes name addresses and certificates, never the link.
                let problem: String = problem.chars().take(200).collect();
                format!("The server of the file cannot be connected to: {problem}.")
            }
            CallError::Lost(_) | CallError::Body { .. } => "The server of the file broke off its answer.".to_owned(),
        };
        Self { sentence, passing: true }
    }

    fn forbidden(forbidden: &Forbidden) -> Self {
        let (sentence, passing) = match forbidden {
            Forbidden::Unreadable(_) | Forbidden::Scheme => {
                ("The link leads to something that is no http or https address.", false)
            }
            Forbidden::Credentials => ("The link leads to one with a user name or password in it.", false),
            Forbidden::Address(_) => (
                "The link leads to an address that is not on the public internet, where neither Herald nor a provider \
                 may fetch it.",
                false,
            ),
            Forbidden::Port => {
                ("The link does not lead to https on port 443 or 8443. Files are fetched only from there.", false)
            }
            Forbidden::NoAddress(..) => ("The name of the file's server cannot be looked up.", true),
        };
        Self { sentence: sentence.to_owned(), passing }
    }
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    // Bytes that are no text make a type that nothing allows.
    headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// The whole file's size, of `Content-Range: bytes 0-1023/146515`.
fn whole(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_RANGE)?.to_str().ok()?.rsplit_once('/')?.1.trim().parse().ok()
}
