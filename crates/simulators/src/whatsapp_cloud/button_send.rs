//! The buttons of a template message, checked against those of its template.

use super::{
    error::GraphError,
    needs::{Button, Needs},
    object::{Object, impossible},
    template_send::{format, issue, missing_of, value},
};

/// The longest code of a one-time password or coupon.
const CODE: usize = 15;
/// The longest payload of a quick reply.
const PAYLOAD: usize = 256;
/// The longest address of a link.
const ADDRESS: usize = 2000;

/// Checks a button component, and returns which button it is about.
pub(super) fn button(component: &Object<'_, '_>, needs: &Needs) -> Result<usize, GraphError> {
    component.only(&["type", "sub_type", "index", "parameters"])?;
    let sub_type = component.need_text("sub_type", 40)?;
    let index = component.need_text("index", 2)?;
    let number = index.parse::<usize>().ok().filter(|number| *number < 10 && index.len() == 1);
    let number =
        number.ok_or_else(|| impossible(format!("Param {}['index'] must be between 0 and 9", component.place)))?;
    let Some(button) = needs.buttons.get(number) else {
        return Err(impossible(format!("buttons: there is no button at index {number}")));
    };
    if button.sub_type() != sub_type {
        let expected = button.sub_type();
        return Err(impossible(format!("buttons: Button at index {number} is of type {expected}, not {sub_type}")));
    }
    let parameters = component.list("parameters")?;
    let takes = match button {
        Button::PhoneNumber | Button::Url(false) => 0,
        Button::VoiceCall | Button::Other(_) => return Ok(number),
        _ => 1,
    };
    if parameters.items.len() != takes {
        if takes == 1 && parameters.items.is_empty() {
            return Err(missing_of(format!("buttons: Button at index {number} requires a parameter")));
        }
        return Err(issue(format!("buttons: Button at index {number} takes {takes} parameters")));
    }
    let Some(parameter) = parameters.objects().next() else { return Ok(number) };
    button_value(&parameter?, button)?;
    Ok(number)
}

fn button_value(parameter: &Object<'_, '_>, button: &Button) -> Result<(), GraphError> {
    let kind = parameter.need_text("type", 40)?;
    let expected = match button {
        Button::QuickReply => "payload",
        Button::Url(_) | Button::OneTimePassword => "text",
        Button::CopyCode => "coupon_code",
        _ => "action",
    };
    if kind != expected {
        return Err(format("buttons", expected, kind));
    }
    parameter.only(&["type", expected])?;
    match button {
        Button::QuickReply => parameter.need_text("payload", PAYLOAD).map(drop),
        Button::Url(_) => value(parameter, "text").and_then(|text| {
            if text.chars().count() > ADDRESS {
                Err(impossible("the link is longer than 2000 characters"))
            } else {
                Ok(())
            }
        }),
        Button::OneTimePassword => value(parameter, "text").and_then(code),
        Button::CopyCode => {
            let text = value(parameter, "coupon_code")?;
            if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(impossible("coupon_code has letters and digits only"));
            }
            code(text)
        }
        _ => {
            let action = parameter.need_object("action")?;
            action.only(&["flow_token", "flow_action_data", "thumbnail_product_retailer_id", "sections"])
        }
    }
}

fn code(text: &str) -> Result<(), GraphError> {
    if text.chars().count() > CODE {
        return Err(impossible(format!("the code is longer than {CODE} characters")));
    }
    Ok(())
}
