//! WhatsApp end to end: a text goes out as the template that it is, and ends before any call where it is none.

use crate::support::{CUSTOMER, Website, WhatsAppWorld, template};
use herald_simulators::whatsapp_cloud::CustomerMessage;
use serde_json::{Value, json};

const DOOZY: &str = "Hi {{1}}, This one was a doozy, {{2}}! We do know that you enjoy our events, {{3}}, and we'll hope to \
                     see you next time. All the best, {{4}}!";

/// The guide's own example.
#[tokio::test(flavor = "multi_thread")]
async fn variables_are_captured_as_parameters_and_filled_for_each_recipient() {
    let world = WhatsAppWorld::new(vec![template("doozy", "UTILITY", DOOZY)]).await;
    let text = "Hi ${customer.name}, This one was a doozy, wasn't it! We do know that you enjoy our events, \
                ${customer.name}, and we'll hope to see you next time. All the best, happy Friday!";
    for (to, name) in [(CUSTOMER, "Dana"), ("4930555011", "Uri")] {
        let customer = json!({"customer": {"name": name}});
        let preview = world.preview(to, text, customer.clone()).await;
        assert_eq!(preview["template"]["name"], "doozy", "{preview}");
        assert_eq!(preview["window"], json!({"open": false, "until": null}));
        assert_eq!(preview["problem"], Value::Null);
        let id = world.sent(to, text, customer).await;
        let story = world.sales.story_until(&id, "Read").await;
        let values: Vec<_> = story["template"]["parameters"].as_array().unwrap().iter().map(|p| &p["value"]).collect();
        assert_eq!(values, [name, "wasn't it", name, "happy Friday"]);
        assert_eq!(story["text"].as_str().unwrap().matches(name).count(), 2);
    }
    for call in world.graph.calls() {
        assert_eq!((call.kind.as_str(), &call.body["template"]["name"]), ("template", &json!("doozy")));
        assert_eq!(call.body["template"]["components"][0]["parameters"].as_array().unwrap().len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_template_ends_before_any_call_and_names_the_nearest() {
    let world =
        WhatsAppWorld::new(vec![template("shipped", "UTILITY", "Your order {{1}} is on its way to you.")]).await;
    let id = world.sent(CUSTOMER, "Your order 17 is on the way to you.", json!({})).await;
    let story = world.sales.story_until(&id, "Rejected").await;
    assert_eq!(story["reason"]["code"], "template_not_matched");
    assert!(story["reason"]["detail"].as_str().unwrap().contains("shipped"), "{story}");
    assert!(world.graph.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_the_window_free_text_goes_as_it_is() {
    let world = WhatsAppWorld::new(vec![template("thanks", "UTILITY", "Thank you, {{1}}, for writing.")]).await;
    world.graph.inbound(&CustomerMessage::text(CUSTOMER, "Hello?")).unwrap();
    crate::support::until("the window to open", || async {
        let preview = world.preview(CUSTOMER, "Hello to you too", json!({})).await;
        (preview["window"]["open"] == true).then_some(())
    })
    .await;
    for (text, more, kind) in [
        ("Hello to you too", json!({}), "text"),
        // What is all there is to its template looks the same as text, and no limit on templates counts it.
        ("Thank you, Dana, for writing.", json!({}), "text"),
        ("", json!({"template": {"name": "thanks", "parameters": ["Dana"]}}), "template"),
    ] {
        let id = world.sent(CUSTOMER, text, more).await;
        world.sales.story_until(&id, "Read").await;
        let call = world.graph.calls().pop().unwrap();
        assert_eq!((call.kind.as_str(), call.echo.as_deref()), (kind, Some(id.as_str())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_several_files_goes_in_parts_and_is_as_far_as_its_last() {
    let world = WhatsAppWorld::new(vec![]).await;
    world.graph.inbound(&CustomerMessage::text(CUSTOMER, "Send me the papers")).unwrap();
    let website = Website::start().await;
    let files = json!({"files": [website.link("paper.pdf"), website.link("logo.png")]});
    crate::support::until("the window to open", || async {
        let preview = world.preview(CUSTOMER, "Here they are", files.clone()).await;
        (preview["window"]["open"] == true && preview["parts"] == 2).then_some(())
    })
    .await;
    let id = world.sent(CUSTOMER, "Here they are", files).await;
    let story = world.sales.story_until(&id, "Read").await;
    assert_eq!(story["parts"].as_array().unwrap().len(), 2, "{story}");
    let echoes: Vec<_> = world.graph.calls().into_iter().map(|call| call.echo.unwrap()).collect();
    assert_eq!(echoes, [id.clone(), format!("{id}/1")]);
    let changes: Vec<_> = story["history"].as_array().unwrap().iter().map(|step| step["status"].clone()).collect();
    assert_eq!(changes, ["Pending", "Accepted", "Delivered", "Read"], "one change for all parts");
}

#[tokio::test(flavor = "multi_thread")]
async fn marketing_does_not_go_to_the_united_states() {
    let world = WhatsAppWorld::new(vec![template("sale", "MARKETING", "Everything is cheaper today, {{1}}!")]).await;
    let id = world.sent("16505550142", "Everything is cheaper today, Dana!", json!({})).await;
    assert_eq!(world.sales.story_until(&id, "Rejected").await["reason"]["code"], "marketing_not_allowed");
    let id = world.sent(CUSTOMER, "Everything is cheaper today, Dana!", json!({})).await;
    world.sales.story_until(&id, "Read").await;
    assert_eq!(world.graph.calls().len(), 1);
    world.graph.prefer(None, CUSTOMER, false).unwrap();
    crate::support::until("the wish to be known", || async {
        let preview = world.preview(CUSTOMER, "Everything is cheaper today, Dana!", json!({})).await;
        (preview["problem"]["code"] == "marketing_stopped").then_some(())
    })
    .await;
    let id = world.sent(CUSTOMER, "Everything is cheaper today, Dana!", json!({})).await;
    assert_eq!(world.sales.story_until(&id, "Rejected").await["reason"]["code"], "marketing_stopped");
}

/// The guide's own example: an `.svg` is no picture for WhatsApp, a `.png` is.
#[tokio::test(flavor = "multi_thread")]
async fn the_picture_of_a_header_is_looked_at_before_it_is_sent() {
    let website = Website::start().await;
    let mut logo = template("logo", "UTILITY", "Check out our new logo!");
    let header = json!({"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1n"]}});
    logo["components"].as_array_mut().unwrap().insert(0, header);
    let world = WhatsAppWorld::new(vec![logo]).await;
    for (files, code, named) in [
        (vec!["logo.svg"], "file_type_not_allowed", "JPEG and PNG"),
        (vec!["page.html"], "file_is_web_page", "web page"),
        (vec!["gone.png"], "file_unreachable", "404"),
        (vec![], "header_media_required", "picture"),
    ] {
        let files: Vec<_> = files.into_iter().map(|name| website.link(name)).collect();
        let id = world.sent(CUSTOMER, "Check out our new logo!", json!({"files": files})).await;
        let story = world.sales.story_until(&id, "Rejected").await;
        assert_eq!(story["reason"]["code"], code, "{story}");
        assert!(story["reason"]["detail"].as_str().unwrap().contains(named), "{story}");
    }
    assert!(world.graph.calls().is_empty(), "no call for what cannot be sent");
    let files = json!({"files": [website.link("logo.png")]});
    let id = world.sent(CUSTOMER, "Check out our new logo!", files).await;
    world.sales.story_until(&id, "Read").await;
    let sent = &world.graph.calls()[0].body["template"]["components"][0]["parameters"][0];
    assert_eq!(sent["image"]["link"], website.link("logo.png"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_template_takes_is_never_left_out_in_silence() {
    let mut tracked = template("tracked", "UTILITY", "Your parcel {{1}} is on its way to you.");
    let buttons = json!({"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Stop"}]});
    tracked["components"].as_array_mut().unwrap().push(buttons);
    let world = WhatsAppWorld::new(vec![tracked]).await;
    let parcel = "Your parcel 17 is on its way to you.";
    for (text, values, code) in [
        (parcel, json!(["a", "b", "c"]), "template_parameter_invalid"),
        ("This is no template.", json!(["a"]), "template_not_matched"),
    ] {
        let id = world.sent(CUSTOMER, text, json!({"buttonParameters": values})).await;
        let story = world.sales.story_until(&id, "Rejected").await;
        assert_eq!(story["reason"]["code"], code, "{story}");
    }
    let id = world.sent(CUSTOMER, parcel, json!({"buttonParameters": ["stop:17"]})).await;
    let story = world.sales.story_until(&id, "Read").await;
    assert_eq!(story["template"]["buttons"][0]["value"], "stop:17");
}

/// Meta has no look-up: what became of a message whose answer was lost is told by the echo in its statuses.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_found_out_by_the_echo_and_nothing_goes_twice() {
    let world =
        WhatsAppWorld::new(vec![template("shipped", "UTILITY", "Your order {{1}} is on its way to you.")]).await;
    world.graph.change(|behaviour| behaviour.answers.dropped_after_share = 0.3).unwrap();
    let mut ids = Vec::new();
    for number in 0..60 {
        let text = format!("Your order {number} is on its way to you.");
        ids.push(world.sent(&format!("49305550{number:02}"), &text, json!({})).await);
    }
    let mut searched = 0;
    for id in &ids {
        let story = world.sales.story_until(id, "Read").await;
        let notes = story["notes"].as_array().unwrap();
        searched += usize::from(notes.iter().any(|note| note["kind"] == "checking"));
    }
    assert!(searched > 5, "answers were lost: {searched}");
    let summary = world.graph.summary();
    assert_eq!((summary.taken, summary.duplicates), (60, 0), "{summary:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_whose_template_is_paused_says_so() {
    let text = "Your order 17 is on its way to you.";
    let world =
        WhatsAppWorld::new(vec![template("shipped", "UTILITY", "Your order {{1}} is on its way to you.")]).await;
    let templates = world.graph.templates(None);
    let shipped = templates.iter().find(|template| template["name"] == "shipped").unwrap();
    assert!(world.graph.set_template_status(shipped["id"].as_str().unwrap(), "PAUSED", None));
    crate::support::until("the pause to be known", || async {
        let preview = world.preview(CUSTOMER, text, json!({})).await;
        (preview["problem"]["code"] == "template_paused").then_some(())
    })
    .await;
    let id = world.sent(CUSTOMER, text, json!({})).await;
    let story = world.sales.story_until(&id, "Rejected").await;
    assert_eq!(story["reason"]["code"], "template_paused");
    assert!(world.graph.calls().is_empty());
}
