use super::*;
use proptest::prelude::*;

fn attributes() -> BTreeMap<String, String> {
    [("city", "Haifa"), ("City", "Akko"), ("first name", "Dana"), ("empty", ""), ("name", "never"), ("עיר", "חיפה")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

fn filled(text: &str, customer_name: Option<&str>) -> Result<String, Missing> {
    let attributes = attributes();
    let values = Values {
        customer_name,
        customer_identifier: "972550000002",
        attributes: &attributes,
        department_name: "Orders",
    };
    fill(text, &values).map(Cow::into_owned)
}

#[test]
fn values_are_put_in() {
    for (text, wanted) in [
        ("Hi ${customer.name}!", "Hi Noa Levi!"),
        ("${customer.name}${department.name}", "Noa LeviOrders"),
        ("${customer.identifier}", "972550000002"),
        ("to ${customer.city}", "to Haifa"),
        ("to ${customer.City}", "to Akko"),
        // Not written exactly so anywhere: the first in order.
        ("to ${customer.CITY}", "to Akko"),
        ("${customer.first name}, ${customer.עיר}", "Dana, חיפה"),
        ("${Customer.Name} ${ customer.name } ${CUSTOMER.IDENTIFIER}", "Noa Levi Noa Levi 972550000002"),
        ("${customer.name|there}", "Noa Levi"),
        ("${customer.name|}", "Noa Levi"),
        ("${customer.street|your street}", "your street"),
        ("${customer.street|}.", "."),
        ("${customer.street| a | b }", " a | b "),
        ("${customer.empty|none}", "none"),
        ("${customer.street|a\nb}", "a\nb"),
        ("שלום ${customer.name} 👋", "שלום Noa Levi 👋"),
        // The first } ends it, and a fallback is not read.
        ("${customer.name|${department.name}}", "Noa Levi}"),
        ("${customer.street|${department.name}}", "${department.name}"),
    ] {
        assert_eq!(filled(text, Some("Noa Levi")).as_deref(), Ok(wanted), "{text}");
    }
    for name in [None, Some(""), Some(" ")] {
        assert_eq!(filled("Hi ${customer.name|there}", name).as_deref(), Ok("Hi there"));
        assert_eq!(filled("Hi${customer.name|}", name).as_deref(), Ok("Hi"));
    }
}

#[test]
fn what_is_no_variable_stays() {
    for text in [
        "",
        "$",
        "$$",
        "{}",
        "}",
        "${",
        "a ${",
        "${}",
        "${|}",
        "${ }",
        "${|a}",
        "$5",
        "${5.00}",
        "${5}",
        "${a b}",
        "${a\nb}",
        "${customer.name",
        "${customer.name|there",
        "${customer.\nname}",
        "{{1}}",
        "$ {customer.name}",
        "${.name}",
        "${-a}",
        "${customer.${",
        "${a${b",
        "$}{",
    ] {
        assert_eq!(filled(text, Some("Noa")).as_deref(), Ok(text), "{text}");
    }
    // What stays does not hide what follows.
    assert_eq!(filled("${5} ${ ${customer.name}", Some("Noa")).as_deref(), Ok("${5} ${ Noa"));
    assert_eq!(filled("${a ${customer.name}", Some("Noa")).as_deref(), Ok("${a Noa"));
}

#[test]
fn two_dollars_are_the_characters_themselves() {
    for (text, wanted) in [
        ("$${customer.name}", "${customer.name}"),
        ("$${", "${"),
        ("$$${customer.name}", "$${customer.name}"),
        ("$${$${", "${${"),
        ("$${customer.name} ${customer.name}", "${customer.name} Noa"),
        ("${customer.name}$${x}", "Noa${x}"),
        ("$ ${customer.name}", "$ Noa"),
        ("${customer.currency|$}${customer.name}", "$Noa"),
        ("$$", "$$"),
    ] {
        assert_eq!(filled(text, Some("Noa")).as_deref(), Ok(wanted), "{text}");
    }
}

#[test]
fn what_is_missing_is_named() {
    for (text, name, position) in [
        ("${customer.name}", "customer.name", 1),
        ("Hi ${customer.name}", "customer.name", 4),
        ("שלום ${ Customer.Name }", "Customer.Name", 6),
        ("${department.name} ${customer.street}", "customer.street", 20),
        ("${customer.empty}", "customer.empty", 1),
        ("${customer.}", "customer.", 1),
        ("${customer.a.b}", "customer.a.b", 1),
        ("${order.id}", "order.id", 1),
        ("${total}", "total", 1),
        ("${order.id|1}", "order.id", 1),
        ("${department.phone}", "department.phone", 1),
        ("$${a} ${b} ${c}", "b", 7),
    ] {
        assert_eq!(filled(text, None), Err(Missing { name: name.to_owned(), position }), "{text}");
    }
    let long = format!("${{{}}}", "a".repeat(4_000));
    assert_eq!(filled(&long, None).unwrap_err().name.len(), LONGEST_NAME);
}

#[test]
fn sentences_say_what_to_do() {
    let sentence = |text: &str| filled(text, None).unwrap_err().to_string();
    assert_eq!(
        sentence("Hi ${customer.name}"),
        "The variable ${customer.name} at character 4 has no value for this customer. Give one in customer (name or \
         attributes) of the request or keep it with the contact, or give a fallback: ${customer.name|...}."
    );
    assert_eq!(
        sentence("${order.id}"),
        "There is no variable ${order.id} (character 1). There are ${customer.name}, ${customer.identifier}, \
         ${customer.<attribute>} and ${department.name}. To send these characters themselves, write $${order.id}."
    );
}

#[test]
fn many_beginnings_without_an_end_are_read_quickly() {
    // The longest text of any protocol, all of it beginnings: one pass, not one for each.
    let text = "${a|".repeat(100_000);
    let started = std::time::Instant::now();
    assert_eq!(filled(&text, None).as_deref(), Ok(text.as_str()));
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

/// Texts that are made of what matters here.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("$"),
        Just("{"),
        Just("}"),
        Just("|"),
        Just("${"),
        Just("$${"),
        Just("${customer.name}"),
        Just("${customer.name|"),
        Just("${customer.x}"),
        Just("customer.name"),
        Just(" "),
        Just("\n"),
        Just("a"),
        Just("ש"),
    ];
    prop_oneof![proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()), any::<String>()]
}

proptest! {
    #[test]
    fn an_escaped_text_comes_back(text in text()) {
        let escaped = text.replace("${", "$${");
        prop_assert_eq!(filled(&escaped, None), Ok(text));
    }

    #[test]
    fn without_variables_nothing_is_copied(text in "[^$]{0,40}|[^{]{0,40}") {
        prop_assert!(!has_variables(&text));
        let attributes = BTreeMap::new();
        let values =
            Values { customer_name: None, customer_identifier: "1", attributes: &attributes, department_name: "d" };
        prop_assert!(matches!(fill(&text, &values), Ok(Cow::Borrowed(same)) if same == text));
    }

    #[test]
    fn any_text_is_read_and_what_is_missing_is_where_it_is_said(text in text(), name in proptest::option::of(text())) {
        match filled(&text, name.as_deref()) {
            Ok(same) if !has_variables(&text) => prop_assert_eq!(same, text),
            Ok(_) => {}
            Err(Missing { position, .. }) => {
                let found = text.chars().skip(position - 1).take(2).collect::<String>();
                prop_assert_eq!(found, "${");
            }
        }
    }

    #[test]
    fn values_are_not_read_again(name in text(), before in "[a-z ]{0,9}", after in "[a-z ]{0,9}") {
        prop_assume!(!name.trim().is_empty());
        let text = format!("{before}${{customer.name}}{after}");
        prop_assert_eq!(filled(&text, Some(&name)), Ok(format!("{before}{name}{after}")));
    }
}
