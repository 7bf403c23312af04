//! What goes wrong with templates, in the one form of all refusals: broken rules, and Meta's own words with a way out.

use crate::{
    api::{
        codes::Code,
        problem::{FieldProblem, Problem},
    },
    template::{manage::ManageError, sync::SyncError},
};
use herald_rules::{
    reason::{Cause, Reason},
    template::validate::Violation,
};

/// Why a comparison was not made.
pub(super) fn unsynced(error: SyncError) -> Problem {
    refused(error.into())
}

/// Why a template was not made, changed or deleted.
pub(super) fn refused(error: ManageError) -> Problem {
    match error {
        ManageError::Invalid(violations) => broken(violations),
        ManageError::Missing => Problem::new(
            Code::TemplateNotFound,
            "The channel has no template of this name in this language. GET /api/v2/channels/{id}/templates lists those it \
             has; POST /api/v2/channels/{id}/templates/sync looks at Meta for new ones.",
        ),
        ManageError::Exists(status) if status == "DRAFT" => Problem::new(
            Code::TemplateExists,
            "There is a draft of this name in this language. Change it with PATCH, hand it in with POST .../submit, or delete it.",
        ),
        ManageError::Exists(status) => Problem::new(
            Code::TemplateExists,
            format!(
                "There is a template of this name in this language; it is {status}. Change it with PATCH, or choose another name."
            ),
        ),
        ManageError::State(sentence) => Problem::new(Code::TemplateState, sentence),
        ManageError::ChangedMeanwhile => {
            Problem::new(Code::Conflict, "Somebody changed the template in the same moment. Look at it, and try again.")
        }
        ManageError::NoAccount => Problem::new(
            Code::ChannelNotConnected,
            "The channel has no WhatsApp account that can be asked: it needs an identifier, settings and credentials that can be \
             used.",
        ),
        ManageError::Provider(cause) => of_meta(&cause),
        ManageError::Store(error) => error.into(),
    }
}

fn broken(violations: Vec<Violation>) -> Problem {
    let Some(first) = violations.first() else {
        return Problem::new(Code::TemplateInvalid, "The template breaks a rule of Meta's.");
    };
    let detail = match violations.len() {
        1 => first.sentence.clone(),
        several => format!("{} And {} more, in errors.", first.sentence, several - 1),
    };
    let pointer = first.pointer.clone();
    let errors = violations.into_iter().map(|violation| FieldProblem {
        pointer: violation.pointer,
        detail: violation.sentence,
        code: Some(violation.code),
    });
    Problem::new(Code::TemplateInvalid, detail).at(pointer).with_errors(errors.collect())
}

/// Meta's refusal in Meta's words.
fn of_meta(cause: &Cause) -> Problem {
    let passes = matches!(
        cause.reason,
        Reason::ProviderUnavailable
            | Reason::ProviderTimeout
            | Reason::ProviderError
            | Reason::ProviderThrottled
            | Reason::ProviderAuthFailed
    );
    let code = if passes { Code::ProviderTrouble } else { Code::TemplateRefused };
    let mut detail = match (&cause.detail, passes) {
        (Some(sentence), _) => sentence.clone(),
        (None, true) => cause.reason.sentence().to_owned(),
        (None, false) => "Meta refused it.".to_owned(),
    };
    if let Some(text) = &cause.provider_text {
        let number = cause.provider_code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        detail.push_str(&format!(" Meta says: \"{text}\"{number}."));
    }
    let way_out = way_out(cause);
    if !way_out.is_empty() {
        detail.push(' ');
        detail.push_str(way_out);
    }
    Problem::new(code, detail).with_provider(cause)
}

/// What to do about it.
fn way_out(cause: &Cause) -> &'static str {
    match (cause.reason, cause.provider_code.as_deref()) {
        (_, Some("100/2388024")) => "Choose another name or language, or change the one that is there.",
        (_, Some("100/2388023")) => "Choose another name, or wait until the 30 days are over.",
        (_, Some("100/2388019")) => {
            "Delete templates that nobody sends any more, or have the business verified: then Meta allows 6,000."
        }
        (_, Some("100/2388293")) => "Say more, or use fewer variables.",
        (_, Some("100/2388299")) => "Put a word before the first variable and after the last.",
        (_, Some("100/2388040" | "100/2388047" | "100/2388072" | "100/2388073")) => "Correct it, and hand it in again.",
        // The sentence of the reason says it.
        (Reason::ProviderAuthFailed, _) => "",
        (Reason::ProviderThrottled, _) => "Try again in some minutes.",
        (Reason::ProviderTimeout | Reason::ProviderUnavailable | Reason::ProviderError, _) => {
            "It may have been done: POST /api/v2/channels/{id}/templates/sync looks. Then try again."
        }
        _ => "Correct the template, and try again.",
    }
}
