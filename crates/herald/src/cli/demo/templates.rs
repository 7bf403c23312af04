//! The approved templates of the demo's WhatsApp account, as Meta writes them.

use serde_json::{Value, json};

/// One of each kind: with a link of its own for each customer, with a picture, with many parameters, with named ones, and
/// with a code.
pub(super) fn all() -> Vec<Value> {
    vec![
        template(
            ("order_shipped", "UTILITY"),
            &json!([
                body("Hi {{1}}, your order {{2}} is on its way to you.", &["Dana", "1234"]),
                {"type": "FOOTER", "text": "Demo shop"},
                {"type": "BUTTONS", "buttons": [
                    {"type": "URL", "text": "Track it", "url": "https://shop.example/track/{{1}}",
                     "example": ["https://shop.example/track/1234"]},
                ]},
            ]),
        ),
        template(
            ("new_logo", "MARKETING"),
            &json!([
                {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1hZ2UvcG5n"]}},
                {"type": "BODY", "text": "Check out our new logo!"},
                {"type": "BUTTONS", "buttons": [
                    {"type": "QUICK_REPLY", "text": "I like it"}, {"type": "QUICK_REPLY", "text": "Bring back the old one"},
                ]},
            ]),
        ),
        template(
            ("event_follow_up", "MARKETING"),
            &json!([body(
                "Hi {{1}}, This one was a doozy, {{2}}! We do know that you enjoy our events, {{3}}, and we'll hope to see \
                 you next time. All the best, {{4}}!",
                &["Dana", "wasn't it", "Dana", "happy Friday"],
            )]),
        ),
        named(template(
            ("appointment_reminder", "UTILITY"),
            &json!([{
                "type": "BODY",
                "text": "Hello {{name}}, we look forward to seeing you on {{day}} at {{time}}. See you soon!",
                "example": {"body_text_named_params": [
                    {"param_name": "name", "example": "Dana"},
                    {"param_name": "day", "example": "Friday"},
                    {"param_name": "time", "example": "10:00"},
                ]},
            }]),
        )),
        template(
            ("login_code", "AUTHENTICATION"),
            &json!([
                {"type": "BODY", "text": "*{{1}}* is your verification code.", "add_security_recommendation": false,
                 "example": {"body_text": [["123456"]]}},
                {"type": "BUTTONS", "buttons": [
                    {"type": "URL", "text": "Copy code", "url": "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}",
                     "example": ["https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp123456"]},
                ]},
            ]),
        ),
    ]
}

fn template((name, category): (&str, &str), components: &Value) -> Value {
    json!({"name": name, "language": "en_US", "category": category, "components": components})
}

fn named(mut template: Value) -> Value {
    template["parameter_format"] = "NAMED".into();
    template
}

fn body(text: &str, samples: &[&str]) -> Value {
    json!({"type": "BODY", "text": text, "example": {"body_text": [samples]}})
}
