//! Files: up, and down again.

use crate::setting::{CUSTOMER, OURS, Setting};
use herald_channels::{
    contract::{Notice, Outcome},
    whatsapp_cloud::{FreeForm, free_form::Media},
};
use herald_rules::{inbound::InboundContent, reason::Reason};
use herald_simulators::whatsapp_cloud::CustomerMessage;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_file_goes_up_and_is_sent_by_its_id() {
    let setting = Setting::new().await;
    let bytes = b"\x89PNG\r\n\x1a\n\0binary--\r\n".as_slice();
    let id = setting.adapter.upload(OURS, bytes, "image/png").await.unwrap();
    let sent = setting.adapter.send_free_form(OURS, CUSTOMER, &FreeForm::Image(Media::id(&id)), None, "").await;
    assert!(matches!(sent, Outcome::Accepted { .. }), "{sent:?}");
    let info = setting.adapter.media(&id).await.unwrap();
    assert_eq!((info.mime_type.as_str(), info.file_size), ("image/png", Some(bytes.len() as u64)));
    assert_eq!(&setting.adapter.download(&id, 1000).await.unwrap()[..], bytes);
    assert_eq!(setting.adapter.download(&id, 5).await.unwrap_err().reason, Reason::FileTooLarge);
    // Every download asks for an address of its own, so that none has expired.
    setting.simulator.advance(Duration::from_secs(3600));
    assert!(setting.adapter.download(&id, 1000).await.is_ok());
    for mime_type in ["image/svg+xml", "text/html"] {
        assert_eq!(
            setting.adapter.upload(OURS, bytes, mime_type).await.unwrap_err().reason,
            Reason::FileRefused,
            "{mime_type}"
        );
    }
    let unknown = FreeForm::Image(Media::id("1"));
    let refused = setting.adapter.send_free_form(OURS, CUSTOMER, &unknown, None, "").await;
    assert!(
        matches!(&refused, Outcome::Refused(cause) if cause.provider_code.as_deref() == Some("131009")),
        "{refused:?}"
    );
    assert!(setting.adapter.media("1").await.is_err());
}

#[tokio::test]
async fn what_a_customer_sent_comes_down() {
    let setting = Setting::new().await;
    for kind in ["image", "video", "audio", "document", "sticker"] {
        let message = CustomerMessage::of(CUSTOMER, json!({"type": kind, (kind): {}}));
        let reference = setting.simulator.inbound(&message).unwrap();
        let told = setting
            .until(|told| {
                told.iter().any(|notice| matches!(notice, Notice::Inbound(inbound) if inbound.reference == reference))
            })
            .await;
        let Some(Notice::Inbound(inbound)) = told.last() else { panic!("{told:?}") };
        let InboundContent::Media { id, mime_type, sha256, .. } = &inbound.content else { panic!("{inbound:?}") };
        let bytes = setting.adapter.download(id, 1000).await.unwrap();
        assert!(!bytes.is_empty() && sha256.is_some(), "{kind}");
        assert_eq!(setting.adapter.media(id).await.unwrap().mime_type, *mime_type);
    }
    setting.simulator.advance(Duration::from_secs(8 * 24 * 3600));
    let told = setting.notices();
    let Some(Notice::Inbound(last)) = told.last() else { panic!() };
    let InboundContent::Media { id, .. } = &last.content else { panic!() };
    assert!(setting.adapter.download(id, 1000).await.is_err(), "a customer's file lives for seven days");
}
