use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

const T0: Timestamp = Timestamp(1_795_348_800_123_456);
const BODY: &str = r#"[{"key":"d8b6b24f-9178-4c41-a77b-df7a65a1d1b5","changes":[]}]"#;
const API_SECRET: &str = "an api secret";
const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn attempt(body: &str) -> Attempt<'_> {
    Attempt {
        department: "D8B6B24F-9178-4C41-A77B-DF7A65A1D1B5".parse().unwrap(),
        delivery: "0193539e-6b80-7000-8000-000000000001".parse().unwrap(),
        attempt: 2,
        at: T0,
        body,
    }
}

fn secret(text: &str) -> EndpointSecret {
    EndpointSecret::parse(text).unwrap()
}

fn map(headers: &[(&'static str, String)]) -> HashMap<&'static str, String> {
    headers.iter().cloned().collect()
}

/// The example of the Standard Webhooks specification.
#[test]
fn standard_webhooks_vector() {
    let headers = HashMap::from([
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]);
    let body = br#"{"test": 2432232314}"#;
    let now = Timestamp(1_614_265_330_000_000);
    assert_eq!(
        secret(OLD).sign(headers["webhook-id"], 1_614_265_330, r#"{"test": 2432232314}"#),
        headers["webhook-signature"]
    );
    let verify =
        |body: &[u8], now| verify_standard(&secret(OLD), |name| headers.get(name).copied(), body, now, TOLERANCE);
    assert_eq!(verify(body, now), Ok(()));
    assert_eq!(verify(body, now + TOLERANCE), Ok(()));
    assert_eq!(verify(body, now - TOLERANCE), Ok(()));
    let beyond = TOLERANCE + Duration::from_micros(1);
    assert_eq!(verify(body, now + beyond), Err(SignatureError::OutOfTime(TOLERANCE)));
    assert_eq!(verify(body, now - beyond), Err(SignatureError::OutOfTime(TOLERANCE)));
    assert_eq!(verify(b"{}", now), Err(SignatureError::Mismatch("webhook-signature")));
    assert_eq!(verify(b"\xff", now), Err(SignatureError::Mismatch("webhook-signature")));
}

/// RFC 2202, test case 2, and two values that are widely published for checking an implementation.
#[test]
fn hmac_sha1_vectors() {
    let what = b"what do ya want for nothing?";
    assert_eq!(sha1_signature("Jefe", what), "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    let fox = b"The quick brown fox jumps over the lazy dog";
    assert_eq!(sha1_signature("key", fox), "sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9");
    assert_eq!(sha1_signature("", b""), "sha1=fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

#[test]
fn names_and_values_as_they_go_out() {
    let headers = headers(&attempt(BODY), Some(API_SECRET), &[secret(OLD)]);
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "X-Glassix-Api-Key",
            "X-Glassix-Request-Count",
            "X-Hub-Signature",
            "X-Glassix-Auth-Date",
            "X-Glassix-Auth-Signature",
            "X-Glassix-Auth",
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature"
        ]
    );
    let headers = map(&headers);
    assert_eq!(headers["X-Glassix-Api-Key"], "d8b6b24f-9178-4c41-a77b-df7a65a1d1b5", "in lower case");
    assert_eq!(headers["X-Glassix-Request-Count"], "2");
    assert_eq!(headers["X-Glassix-Auth-Date"], "2026-11-22T12:00:00.123456Z");
    assert_eq!(headers["X-Glassix-Auth"], sha1_signature(API_SECRET, b"2026-11-22T12:00:00.123456Z"));
    assert_eq!(headers["X-Glassix-Auth"], headers["X-Glassix-Auth-Signature"]);
    assert_eq!(headers["X-Hub-Signature"], sha1_signature(API_SECRET, BODY.as_bytes()));
    assert_eq!(headers["webhook-timestamp"], "1795348800");
    assert_eq!(headers["webhook-id"], "0193539e-6b80-7000-8000-000000000001");
}

#[test]
fn a_family_without_secret_is_left_out() {
    assert_eq!(headers(&attempt(BODY), None, &[]).len(), 2);
    assert_eq!(headers(&attempt(BODY), Some(API_SECRET), &[]).len(), 6);
    assert_eq!(headers(&attempt(BODY), None, &[secret(OLD)]).len(), 5);
}

/// While a secret is changed both the old and the new one are good, and a third is not.
#[test]
fn rotation_overlaps() {
    let new = EndpointSecret::write(&[7; 32]);
    let third = EndpointSecret::write(&[8; 32]);
    let headers = map(&headers(&attempt(BODY), None, &[secret(&new), secret(OLD)]));
    assert_eq!(headers["webhook-signature"].split(' ').count(), 2);
    let verify = |text: &str| {
        verify_standard(&secret(text), |name| headers.get(name).map(String::as_str), BODY.as_bytes(), T0, TOLERANCE)
    };
    assert_eq!((verify(OLD), verify(&new)), (Ok(()), Ok(())));
    assert_eq!(verify(&third), Err(SignatureError::Mismatch("webhook-signature")));
}

#[test]
fn v1_2_is_verified_part_by_part() {
    let good = map(&headers(&attempt(BODY), Some(API_SECRET), &[]));
    let verify = |headers: &HashMap<&str, String>, secret: &str, body: &str, now| {
        verify_v1_2(secret, |name| headers.get(name).map(String::as_str), body.as_bytes(), now, TOLERANCE)
    };
    assert_eq!(verify(&good, API_SECRET, BODY, T0), Ok(()));
    assert_eq!(verify(&good, "another", BODY, T0), Err(SignatureError::Mismatch(X_GLASSIX_AUTH_SIGNATURE)));
    assert_eq!(verify(&good, API_SECRET, "[]", T0), Err(SignatureError::Mismatch(X_HUB_SIGNATURE)));
    let late = T0 + Duration::from_secs(301);
    assert_eq!(verify(&good, API_SECRET, BODY, late), Err(SignatureError::OutOfTime(TOLERANCE)));

    let with = |name, value: Option<&str>| {
        let mut headers = good.clone();
        match value {
            Some(value) => headers.insert(name, value.to_owned()),
            None => headers.remove(name),
        };
        headers
    };
    let upper = good[X_HUB_SIGNATURE].to_ascii_uppercase();
    assert_eq!(verify(&with(X_HUB_SIGNATURE, Some(&upper)), API_SECRET, BODY, T0), Ok(()), "hex of any case");
    assert_eq!(verify(&with(X_GLASSIX_AUTH_SIGNATURE, None), API_SECRET, BODY, T0), Ok(()), "the other name is enough");
    for name in [X_HUB_SIGNATURE, X_GLASSIX_AUTH_DATE] {
        assert_eq!(verify(&with(name, None), API_SECRET, BODY, T0), Err(SignatureError::Missing(name)));
    }
    let moved = with(X_GLASSIX_AUTH_DATE, Some("2026-11-22T12:00:01Z"));
    assert_eq!(verify(&moved, API_SECRET, BODY, T0), Err(SignatureError::Mismatch(X_GLASSIX_AUTH_SIGNATURE)));
}

#[test]
fn secrets_are_checked_and_never_printed() {
    for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_***", "whsk_AAAA"] {
        assert_eq!(EndpointSecret::parse(wrong).unwrap_err(), SignatureError::BadSecret, "{wrong}");
    }
    assert!(!format!("{:?}", secret(OLD)).contains("MfKQ"));
    assert!(EndpointSecret::parse(&EndpointSecret::write(&[0; 32])).is_ok());
}

proptest! {
    #[test]
    fn what_is_signed_verifies(body in any::<String>(), api_secret in any::<String>(), random in any::<[u8; 32]>(), flip in any::<usize>()) {
        let text = EndpointSecret::write(&random);
        let headers = map(&headers(&attempt(&body), Some(&api_secret), &[secret(&text)]));
        let header = |name| headers.get(name).map(String::as_str);
        prop_assert_eq!(verify_v1_2(&api_secret, header, body.as_bytes(), T0, TOLERANCE), Ok(()));
        prop_assert_eq!(verify_standard(&secret(&text), header, body.as_bytes(), T0, TOLERANCE), Ok(()));

        let mut changed = body.clone().into_bytes();
        if !changed.is_empty() {
            let at = flip % changed.len();
            changed[at] ^= 1;
            prop_assert!(verify_v1_2(&api_secret, header, &changed, T0, TOLERANCE).is_err());
            prop_assert!(verify_standard(&secret(&text), header, &changed, T0, TOLERANCE).is_err());
        }
    }

    /// Whatever a stranger sends, the check answers.
    #[test]
    fn any_headers_are_judged(date in "\\PC{0,40}", id in "\\PC{0,40}", time in "-?[0-9]{0,20}", value in "\\PC{0,80}") {
        let header = |name| Some(match name {
            X_GLASSIX_AUTH_DATE => date.as_str(),
            HEADER_WEBHOOK_ID => id.as_str(),
            HEADER_WEBHOOK_TIMESTAMP => time.as_str(),
            _ => value.as_str(),
        });
        prop_assert!(verify_v1_2(API_SECRET, header, b"[]", T0, TOLERANCE).is_err());
        prop_assert!(verify_standard(&secret(OLD), header, b"[]", T0, TOLERANCE).is_err());
    }
}
