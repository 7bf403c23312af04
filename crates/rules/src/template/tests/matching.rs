//! What people send, and which template it is.

use super::samples::{body, index};
use crate::template::{ButtonKind, Found, Index, Match, Named, Template, TemplateStatus, render};

fn matched(index: &Index, text: &str) -> Match {
    match index.find(text) {
        Found::Match(found) => found,
        other => panic!("{text:?} is {other:?}"),
    }
}

fn values(found: &Match) -> Vec<&str> {
    found.body.iter().map(|value| value.text.as_str()).collect()
}

#[test]
fn the_guides_example() {
    let template = "Hi {{1}}, This one was a doozy, {{2}}! We do know that you enjoy our events, {{3}}, and we'll hope to see \
                    you next time. All the best, {{4}}!";
    let text = "Hi ${customer.name}, This one was a doozy, wasn't it! We do know that you enjoy our events, \
                ${customer.name}, and we'll hope to see you next time. All the best, happy Friday!";
    let index = index([body(1, "doozy", template), body(2, "other", "Hi {{1}}, all the best!")]);
    let found = matched(&index, text);
    assert_eq!(found.template.name, "doozy");
    assert_eq!(values(&found), ["${customer.name}", "wasn't it", "${customer.name}", "happy Friday"]);
    assert!(!found.normalised);
    assert_eq!(render(&found.template, None, &found.body), text);
    // As a text processor makes it.
    let curly = text.replace('\'', "’").replace(", This", ",\u{a0}This");
    let found = matched(&index, &curly);
    assert_eq!(values(&found), ["${customer.name}", "wasn’t it", "${customer.name}", "happy Friday"]);
    assert!(found.normalised);
}

/// Template body, text, values, whether only after normalising; no values: no match.
type Row = (&'static str, &'static str, Option<&'static [&'static str]>, bool);

#[test]
fn texts_as_they_come() {
    let table: &[Row] = &[
        // Right to left, with and without marks of direction.
        ("שלום {{1}}, ההזמנה {{2}} מוכנה.", "שלום דנה, ההזמנה A-1009 מוכנה.", Some(&["דנה", "A-1009"]), false),
        (
            "שלום {{1}}, ההזמנה {{2}} מוכנה.",
            "\u{200f}שלום דנה, ההזמנה \u{200e}A-1009\u{200e} מוכנה.",
            Some(&["דנה", "\u{200e}A-1009\u{200e}"]),
            true,
        ),
        ("مرحبا {{1}}، طلبك جاهز.", "مرحبا ليلى، طلبك جاهز.", Some(&["ليلى"]), false),
        ("مرحبا {{1}}، طلبك جاهز.", "مرحبا \u{2068}ليلى\u{2069}، طلبك جاهز.", Some(&["\u{2068}ليلى\u{2069}"]), false),
        // Emoji: joined ones stay whole, and selectors make no difference.
        ("Well done {{1}} 🎉🎉 See you!", "Well done 👩‍👩‍👧 🎉🎉 See you!", Some(&["👩‍👩‍👧"]), false),
        ("We ❤️ {{1}}!", "We ❤ you 1️⃣!", Some(&["you 1️⃣"]), true),
        ("We ❤ {{1}}!", "We ❤️ you!", Some(&["you"]), true),
        ("{{1}}👩‍👧", "x👩", None, false),
        // Line ends and blanks.
        ("Hi {{1}},\n\nyour code is {{2}}.", "Hi Dana,\r\n\r\nyour code is 7.", Some(&["Dana", "7"]), true),
        ("Hi {{1}},\nbye", "Hi Dana,  \nbye\n", Some(&["Dana"]), true),
        ("Hi {{1}}\nbye", "Hi Dana  \nbye", Some(&["Dana  "]), false),
        ("Hi {{1}}, bye", "  Hi  Dana  Lee,\tbye ", Some(&["Dana  Lee"]), true),
        ("Hi {{1}}, bye", "Hi\u{a0}Dana\u{202f}Lee,\u{2003}bye", Some(&["Dana\u{202f}Lee"]), true),
        ("Hi\u{a0}{{1}}, bye", "Hi Dana, bye", Some(&["Dana"]), true),
        // Quotes, dashes, ellipsis.
        ("It's {{1}} - \"really\"...", "It’s ‘true’ – “really”…", Some(&["‘true’"]), true),
        ("It’s {{1}} — “really”…", "It's true - \"really\"...", Some(&["true"]), true),
        ("Wait {{1}}.", "Wait for it…", None, true),
        // Unicode's two forms of an accent.
        ("Café {{1}} déjà", "Cafe\u{301} Zoe\u{308} de\u{301}ja\u{300}", Some(&["Zoe\u{308}"]), true),
        ("Cafe\u{301} {{1}}", "Café Zoë", Some(&["Zoë"]), true),
        ("{{1}}\u{3099}\u{3099}か", "\u{300}\u{3099}\u{3099}か", Some(&["\u{300}"]), false),
        ("a x={{1}}", "a x=\u{338}", Some(&["\u{338}"]), false),
        ("U{{1}}", "U\u{300}", Some(&["\u{300}"]), false),
        // Punctuation right beside parameters, and parameters side by side.
        ("({{1}})[{{2}}]:{{3}}!", "(a)[b]:c!", Some(&["a", "b", "c"]), false),
        ("Order#{{1}}{{2}} ok", "Order#AB ok", Some(&["A", "B"]), false),
        ("{{1}}", "anything at all", Some(&["anything at all"]), false),
        ("Pay {{1}}€ now", "Pay 5€ now", Some(&["5"]), false),
        (
            "您好{{1}}，您的订单{{2}}已发货，请注意查收",
            "您好王小明，您的订单A7已发货，请注意查收",
            Some(&["王小明", "A7"]),
            false,
        ),
        ("{{1}}さん、こんにちは", "田中さん、こんにちは", Some(&["田中"]), false),
        ("สวัสดี {{1}} ขอบคุณ", "สวัสดี มานี ขอบคุณ", Some(&["มานี"]), false),
        // Repeated ones.
        ("{{1}}, hello {{1}}, it is {{2}}", "Dana, hello Dana, it is on", Some(&["Dana", "on"]), false),
        ("{{1}}, hello {{1}}, it is {{2}}", "Dana, hello Lee, it is on", None, false),
        ("{{1}} and {{1}}.", "a and b and a and b.", Some(&["a and b"]), false),
        // Numbers need not come in order.
        ("{{2}} for {{1}}", "tea for two", Some(&["two", "tea"]), false),
        // Almost.
        ("Hi {{1}}, bye", "Hi , bye", None, false),
        ("Hi {{1}}, bye", "Hi Dana, by", None, false),
        ("Hi {{1}}, bye", "hi Dana, bye", None, false),
        ("Hi {{1}}, bye", "", None, false),
        ("Hi {{1}}, bye", "   \n", None, false),
    ];
    for (template, text, expected, normalised) in table {
        let index = index([body(1, "t", template)]);
        match (index.find(text), expected) {
            (Found::Match(found), Some(expected)) => {
                assert_eq!(values(&found), *expected, "{template} | {text}");
                assert_eq!(found.normalised, *normalised, "{template} | {text}");
            }
            (Found::None, None) => {}
            (other, _) => panic!("{template} | {text}: {other:?}"),
        }
    }
}

#[test]
fn named_parameters_keep_their_names() {
    let index = index([body(1, "visit", "Hello {{first_name}}, see you {{visit_time}}, {{first_name}}.").named()]);
    let found = matched(&index, "Hello Dana, see you Tuesday 10:00, Dana.");
    let pairs: Vec<_> = found.body.iter().map(|value| (value.name.as_deref().unwrap(), value.text.as_str())).collect();
    assert_eq!(pairs, [("first_name", "Dana"), ("visit_time", "Tuesday 10:00")]);
}

fn full() -> Template {
    body(1, "full", "Hi {{1}}, your order is {{2}}")
        .with_header("Order {{1}}")
        .with_footer("Example Shop")
        .with_button("Help", ButtonKind::QuickReply)
        .with_button("Track", ButtonKind::Url { url: "https://shop.example/t/{{1}}".to_owned() })
        .with_button("Call us", ButtonKind::PhoneNumber { phone_number: "+15550100200".to_owned() })
}

#[test]
fn header_footer_and_buttons_may_stand_around_the_body() {
    let index = index([full()]);
    let table = [
        ("Hi Dana, your order is here", None, "here"),
        ("Order A-1\nHi Dana, your order is here", Some("A-1"), "here"),
        ("Order A-1\r\n\r\nHi Dana, your order is here", Some("A-1"), "here"),
        ("Hi Dana, your order is here\nExample Shop", None, "here"),
        ("Hi Dana, your order is here\n\nExample Shop\n", None, "here"),
        ("Order A-1\n\nHi Dana, your order is here\n\nExample Shop", Some("A-1"), "here"),
        ("Order A-1\nHi Dana, your order is here\nExample Shop\nHelp\nTrack\nCall us", Some("A-1"), "here"),
        ("Hi Dana, your order is here\n[Help]\nTrack: https://shop.example/t/A-1\nCall us: +15550100200", None, "here"),
        ("Hi Dana, your order is here\nhttps://shop.example/t/A-1", None, "here"),
        ("Hi Dana, your order is here\nTrack\nhttps://shop.example/t/${customer.order|none yet}", None, "here"),
        // Not a button of it: it belongs to the value, and checking the value will say so.
        ("Hi Dana, your order is here\nhttps://other.example/", None, "here\nhttps://other.example/"),
        // The header's words in the body are the body's.
        ("Hi Order A-1, your order is here", None, "here"),
    ];
    for (text, header, last) in table {
        let found = matched(&index, text);
        assert_eq!(found.header.as_deref(), header, "{text}");
        assert_eq!(values(&found).last(), Some(&last), "{text}");
    }
    let characters = |text| matched(&index, text).literal_characters;
    assert_eq!(characters("Hi Dana, your order is here"), "Hi , your order is ".len());
    assert_eq!(
        characters("Order A-1\nHi Dana, your order is here\nExample Shop"),
        "Order Hi , your order is Example Shop".len()
    );
}

#[test]
fn the_most_fixed_characters_win_then_the_language_then_the_newest() {
    let name = |index: &Index, text| matched(index, text).template.name.clone();
    let specific = "Hi {{1}}, your order {{2}} is ready.";
    let text = "Hi Dana, your order A-1 is ready.";
    let index = index([
        body(9, "loose", "Hi {{1}}, your {{2}}."),
        body(1, "tight", specific),
        body(8, "looser", "Hi {{1}}."),
        body(7, "loosest", "{{1}}"),
    ]);
    assert_eq!(name(&index, text), "tight");
    assert_eq!(name(&index, "Hi Dana, your table is ready."), "loose");
    assert_eq!(name(&index, "Hello"), "loosest");

    let build = |templates: Vec<Template>| super::samples::index(templates);
    let by_language = build(vec![
        body(5, "a", specific).in_language("de"),
        body(1, "b", specific),
        body(4, "c", specific).in_language("en_GB"),
    ]);
    assert_eq!(name(&by_language, text), "b");
    let by_base = build(vec![body(5, "a", specific).in_language("de"), body(4, "c", specific).in_language("en_GB")]);
    assert_eq!(name(&by_base, text), "c");
    // By number, not as text: 10 is newer than 9.
    let by_age = build(vec![body(9, "old", specific), body(10, "new", specific), body(8, "older", specific)]);
    assert_eq!(name(&by_age, text), "new");
    // The same when the bodies differ but fix as much.
    let alike =
        build(vec![body(9, "old", "Hi {{1}}, your order {{2}}"), body(10, "new", "Hi {{1}}r order {{2}}ready.")]);
    assert_eq!(matched(&alike, text).template.name, "new");
    // Exact before normalised, whatever is fixed.
    let exact = build(vec![body(1, "exact", "It's {{1}}"), body(2, "curly", "It’s very {{1}}")]);
    assert_eq!(name(&exact, "It's very late"), "exact");
    assert_eq!(name(&exact, "It’s very late"), "curly");
}

#[test]
fn a_real_tie_is_reported() {
    let mut same = body(0, "first", "Hi {{1}}, bye");
    same.id = "draft".to_owned();
    let mut other = same.clone();
    other.name = "second".to_owned();
    let different = Template { name: "third".to_owned(), body: "Hi Dan{{1}}, by{{2}}".to_owned(), ..same.clone() };
    let names = |index: &Index, text| match index.find(text) {
        Found::Tie(all) => all.iter().map(|template| template.name.clone()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(names(&index([same.clone(), other.clone()]), "Hi Lee, bye"), ["first", "second"]);
    let shorter = Template { body: "Hi{{1}}a, bye".to_owned(), ..different };
    let mut all = names(&index([same, other, shorter]), "Hi Dana, bye");
    all.sort();
    assert_eq!(all, ["first", "second", "third"]);
}

#[test]
fn only_what_may_be_sent_is_matched_and_all_is_found_by_name() {
    let paused = Template { status: TemplateStatus::Paused, ..body(1, "paused", "Hi {{1}}, one") };
    let carousel = Template { unsupported: vec!["CAROUSEL".to_owned()], ..body(2, "carousel", "Hi {{1}}, two") };
    let empty = body(3, "empty", "");
    let spanish = body(4, "both", "Hola {{1}}").in_language("es");
    let index = index([
        paused,
        carousel,
        empty,
        spanish,
        body(5, "both", "Hi {{1}}, three"),
        body(6, "foreign", "Hallo {{1}}").in_language("de"),
        body(7, "foreign", "Bonjour {{1}}").in_language("fr"),
        body(8, "single", "Ciao {{1}}").in_language("it"),
    ]);
    for text in ["Hi Dana, one", "Hi Dana, two", ""] {
        assert_eq!(index.find(text), Found::None, "{text}");
    }
    for (text, name) in [("Hi Dana, one", Some("paused")), ("Hi Dana, two", None), ("Hi Dana, three", None)] {
        let held = match index.find_held(text) {
            Found::Match(found) => Some(found.template.name.clone()),
            _ => None,
        };
        assert_eq!(held.as_deref(), name, "{text}");
    }
    assert_eq!((index.len(), index.is_empty(), index.templates().len()), (8, false, 8));
    let found = |name, language| match index.by_name(name, language) {
        Named::Found(template) => template.id.clone(),
        Named::NotApproved(template) => format!("{} {}", template.id, template.status),
        Named::SeveralLanguages(all) => {
            all.iter().map(|template| template.language.as_str()).collect::<Vec<_>>().join(" ")
        }
        Named::Unknown => "unknown".to_owned(),
    };
    assert_eq!(found("paused", None), "1 PAUSED");
    assert_eq!(found("carousel", None), "2");
    assert_eq!(found("both", None), "5");
    assert_eq!(found("both", Some("es")), "4");
    assert_eq!(found("both", Some("EN-us")), "5");
    assert_eq!(found("both", Some("nl")), "unknown");
    assert_eq!(found("foreign", None), "de fr");
    assert_eq!(found("single", None), "8");
    assert_eq!(found("nobody", None), "unknown");
}

#[test]
fn an_index_goes_between_threads() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    shared(&index([]));
    assert_eq!(index([]).find("x"), Found::None);
}

#[test]
fn a_near_miss_says_where() {
    let index = index([
        body(1, "doozy", "Hi {{1}}, This one was a doozy, {{2}}! All the best, {{3}}!"),
        body(2, "ready", "Hi {{1}}, your order {{2}} is ready.\nSee you!"),
        full(),
    ]);
    let table = [
        ("Hi Dana, This one was a doosy, yes! All the best, us!", "doozy", 28, "zy, ", "sy, yes! All the best, u"),
        ("Hi Dana, your ordre 7 is ready.\nSee you!", "ready", 18, "er ", "re 7 is ready.\nSee you!"),
        // Counted in the text as it is, not as it is compared.
        (
            "  Hi  Dana,\r\nyour order 7 is ready.\r\nSee you?",
            "ready",
            12,
            " your order ",
            "\r\nyour order 7 is ready.",
        ),
        ("Hi Dana, your order 7 is ready.", "ready", 32, "\nSee you!", ""),
        ("Order A-1\nHi Dana, your ordar is here\nExample Shop", "full", 28, "er is ", "ar is here\nExample Shop"),
    ];
    for (text, name, position, expected, found) in table {
        assert_eq!(index.find(text), Found::None, "{text}");
        let near = index.nearest(text).unwrap();
        let got = (near.template.name.as_str(), near.position, near.expected.as_str(), near.found.as_str());
        assert_eq!(got, (name, position, expected, found), "{text}");
    }
    let sentence = index.nearest("Hi Dana, This one was a doosy, yes! All the best, us!").unwrap().sentence();
    let expected = "The nearest template is doozy (en_US). The first difference is at character 28 of the text: the \
                    template has \"zy, \", the text has \"sy, yes! All the best, u\".";
    assert_eq!(sentence, expected);
    assert_eq!(super::samples::index([]).nearest("Hi"), None);
    assert_eq!(index.nearest("???"), None);
}

/// Texts and templates made to be slow: each has a bound that is counted and not timed, so that this ends at all says
/// enough; without the bounds it would not within a day.
#[test]
fn what_is_made_to_be_slow_is_not() {
    let twice = |letters: usize| (0..2).flat_map(|_| 1..=letters).map(|n| format!("{{{{{n}}}}}a")).collect::<String>();
    let index = index((1..=12).map(|n| body(n as u64, &format!("t{n}"), &(twice(n) + "b {{40}} end"))));
    let all_one = "a".repeat(4_000);
    for text in [format!("{all_one}b x en"), format!("{all_one}b x end"), "a ".repeat(2_000), "\u{301}".repeat(4_000)] {
        let _ = index.find(&text);
        let _ = index.nearest(&text);
    }
    // Pairs of words that are in every template, two thousand times.
    let index =
        super::samples::index((0..300).map(|n| body(n, &format!("t{n}"), &format!("to be {{{{1}}}} to be {n} or"))));
    assert_eq!(index.find(&"to be ".repeat(650)), Found::None);
    assert_eq!(matched(&index, &format!("{}7 or", "to be ".repeat(650))).template.name, "t7");
}
