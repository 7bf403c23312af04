//! What a log line may show of numbers, texts, links and secrets: enough to recognise, too little to use.

use url::Url;

/// A phone number or Apple id with its middle hidden: `9725*****001`, `urn:mbid:AQAA***`.
///
/// Country and last digits let an operator find a case that a customer reports. Short ones show less: of a number of
/// eight digits nothing may be left to guess.
pub fn number(identifier: &str) -> String {
    if let Some(id) = identifier.strip_prefix("urn:mbid:") {
        return format!("urn:mbid:{}", secret(id, 4, 16));
    }
    let length = identifier.chars().count();
    let (front, back) = match length {
        0..=7 => (0, 0),
        8..=10 => (2, 2),
        _ => (4, 3),
    };
    // At most 15 digits in a number: more stars would only print somebody's mistake at length.
    let stars = (length - front - back).min(15);
    let mut masked: String = identifier.chars().take(front).collect();
    masked.extend(std::iter::repeat_n('*', stars));
    masked.extend(identifier.chars().skip(length - back));
    masked
}

/// A text as its length: `<23 characters>`.
pub fn text(text: &str) -> String {
    match text.chars().count() {
        1 => "<1 character>".to_owned(),
        length => format!("<{length} characters>"),
    }
}

/// A token or secret by its first three characters, if it is long enough to spare them: `abc***`.
pub fn token(token: &str) -> String {
    secret(token, 3, 12)
}

/// The first `front` characters and `***`; of anything shorter than `least` only the stars.
fn secret(text: &str, front: usize, least: usize) -> String {
    if text.chars().nth(least - 1).is_none() {
        return "***".to_owned();
    }
    let mut masked: String = text.chars().take(front).collect();
    masked.push_str("***");
    masked
}

/// A link without query, fragment, user and password. Segments of its path with 20 characters and more are cut like
/// tokens, as the webhook links of many services are secrets in their path. What is no link with a host is `***`.
pub fn url(link: &str) -> String {
    let Ok(url) = Url::parse(link) else { return "***".to_owned() };
    let Some(host) = url.host_str() else { return "***".to_owned() };
    let mut masked = format!("{}://{host}", url.scheme());
    if let Some(port) = url.port() {
        masked.push_str(&format!(":{port}"));
    }
    for segment in url.path().split('/').skip(1) {
        masked.push('/');
        if segment.len() < 20 { masked.push_str(segment) } else { masked.push_str(&token(segment)) }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_and_ids() {
        for (given, masked) in [
            ("972550000001", "9725*****001"),
            ("15550100200", "1555****200"),
            ("1555010020", "15******20"),
            ("12345", "*****"),
            ("", ""),
            ("urn:mbid:AQAAYb3kcd81ma0s", "urn:mbid:AQAA***"),
            ("urn:mbid:AQ", "urn:mbid:***"),
        ] {
            assert_eq!(number(given), masked);
        }
    }

    #[test]
    fn texts_tokens_and_links() {
        assert_eq!(text("Dear Mrs. Levi, welcome"), "<23 characters>");
        assert_eq!(text("ש"), "<1 character>");
        assert_eq!(token("abcdefghijkl"), "abc***");
        assert_eq!(token("abcdefghijk"), "***");
        for (given, masked) in [
            ("https://user:word@hooks.example:8443/in/box?key=secret#part", "https://hooks.example:8443/in/box"),
            ("https://hooks.example", "https://hooks.example/"),
            ("https://hooks.example/services/T0/XXXXXXXXXXXXXXXXXXXXXXXX", "https://hooks.example/services/T0/XXX***"),
            ("https://[::1]:9/a", "https://[::1]:9/a"),
            ("not a link?key=secret", "***"),
            ("data:text/plain,secret", "***"),
        ] {
            assert_eq!(url(given), masked);
        }
    }

    proptest! {
        /// At least five digits of a number stay hidden (four of eight), and none of a shorter one shows.
        #[test]
        fn numbers_stay_hidden(digits in "[0-9]{1,15}") {
            let masked = number(&digits);
            let hidden = masked.matches('*').count();
            prop_assert_eq!(masked.chars().count(), digits.len());
            prop_assert!(hidden == digits.len() || hidden >= 4);
        }

        #[test]
        fn secrets_in_links_never_show(secret in "[A-Z]{6,30}", host in "[a-z]{1,10}") {
            let masked = url(&format!("https://{secret}:{secret}@{host}.example/x?{secret}={secret}#{secret}"));
            prop_assert_eq!(masked, format!("https://{host}.example/x"));
        }

        #[test]
        fn any_text_is_masked(given in any::<String>()) {
            for masked in [number(&given), text(&given), token(&given), url(&given)] {
                prop_assert!(given.chars().count() < 12 || masked != given || given.contains("***"));
            }
        }
    }
}
