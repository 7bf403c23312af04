//! What customers send, and their files.

use super::{
    super::setting::{CUSTOMER, OURS, PNID},
    Both,
};
use herald_channels::contract::Notice;
use herald_rules::{inbound::InboundContent, reason::Reason};
use herald_simulators::whatsapp_cloud::CustomerMessage;
use serde_json::json;

#[tokio::test]
async fn what_customers_send() {
    let both = Both::new().await;
    for kind in ["image", "video", "audio", "document", "sticker"] {
        both.simulator.inbound(&CustomerMessage::of(CUSTOMER, json!({"type": kind, (kind): {}}))).unwrap();
    }
    both.simulator.inbound(&CustomerMessage::text(CUSTOMER, "Grüße 😀 a/b")).unwrap();
    let inbound = |notice: &Notice| match notice {
        Notice::Inbound(inbound) => Some((**inbound).clone()),
        _ => None,
    };
    for written in both.notices_when(inbound, 6).await {
        assert_eq!((written.from.as_str(), written.to.as_str()), (CUSTOMER, OURS));
        assert_eq!(written.name.as_deref(), Some("Dana Reyes"));
        match written.content {
            InboundContent::Media { id, mime_type, .. } => {
                let info = both.adapter.media(&id).await.unwrap();
                assert_eq!(info.mime_type, mime_type);
                let bytes = both.adapter.download(&id, 1_000).await.unwrap();
                assert_eq!(bytes.len() as u64, info.file_size.unwrap());
                let small = both.adapter.download(&id, 3).await.unwrap_err();
                assert_eq!(small.reason, Reason::FileTooLarge);
            }
            content => assert_eq!(content, InboundContent::Text { text: "Grüße 😀 a/b".to_owned() }),
        }
    }
    both.simulator.prefer(Some(PNID), CUSTOMER, false).unwrap();
    let stopped = |notice: &Notice| match notice {
        Notice::Marketing { customer, identifier, wanted, .. } => Some((customer.clone(), identifier.clone(), *wanted)),
        _ => None,
    };
    assert_eq!(both.notices_when(stopped, 1).await, [(CUSTOMER.to_owned(), Some(OURS.to_owned()), false)]);
}
