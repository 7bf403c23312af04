//! The requests: made once a connection, with only recipient and order number written anew for each message.

use herald_rules::protocol::Protocol;
use serde_json::json;

/// German mobile numbers: eleven digits after the country's, of which eight run.
const RECIPIENT: &str = "4915100000000";
/// The running digits.
const RUNNING: usize = 8;
/// 120 characters with the order number, as a shop's notification has.
const TEXT: &str = "Hello Dana, your order 00000000 has left our warehouse and will arrive on Tuesday between 10:00 and 13:00. Track: shop.example/t";

/// A whole request, ready to be sent again and again.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    recipient: usize,
    order: usize,
}

/// What is the same in all requests of a run.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) protocol: Protocol,
    pub(crate) from: String,
    pub(crate) token: String,
}

impl Request {
    pub(crate) fn new(host: &str, sender: &Sender) -> Self {
        let body =
            json!({"protocolType": sender.protocol, "from": sender.from, "to": RECIPIENT, "text": TEXT}).to_string();
        let head = head("POST", "/api/v1.2/protocols/send", host, &sender.token, body.len());
        let at = |needle: &str| head.len() + body.find(needle).unwrap_or(0);
        let recipient = at(RECIPIENT) + RECIPIENT.len() - RUNNING;
        let order = at("order 00000000") + "order ".len();
        Self { recipient, order, bytes: [head, body].concat().into_bytes() }
    }

    /// The request for the message of that number; numbers 100,000,000 apart have the same recipient.
    pub(crate) fn number(&mut self, number: u64) -> &[u8] {
        for at in [self.recipient, self.order] {
            let mut rest = number;
            for place in (at..at + RUNNING).rev() {
                if let Some(digit) = self.bytes.get_mut(place) {
                    *digit = b'0' + (rest % 10) as u8;
                }
                rest /= 10;
            }
        }
        &self.bytes
    }
}

/// The head of a JSON request.
pub(crate) fn head(method: &str, path: &str, host: &str, token: &str, length: usize) -> String {
    let authorization = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use herald_rules::identifier;
    use serde_json::Value;

    #[test]
    fn only_recipient_and_order_differ() {
        let sender = Sender { protocol: Protocol::SMS, from: "4930123456".into(), token: "secret".into() };
        let mut request = Request::new("localhost", &sender);
        assert!(request.number(0).starts_with(b"POST /api/v1.2/protocols/send HTTP/1.1\r\nHost: localhost\r\n"));
        for (number, digits) in [(0, "00000000"), (7, "00000007"), (12_345_678, "12345678"), (123_456_789, "23456789")]
        {
            let bytes = request.number(number);
            let text = std::str::from_utf8(bytes).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
            let body: Value = serde_json::from_str(body).unwrap();
            let to = body["to"].as_str().unwrap();
            assert_eq!(to, format!("49151{digits}"));
            assert!(identifier::parse_customer(Protocol::SMS, to).is_ok(), "{to}");
            let text = body["text"].as_str().unwrap();
            assert!(text.contains(&format!("order {digits} has")) && (120..140).contains(&text.len()), "{text}");
        }
    }
}
