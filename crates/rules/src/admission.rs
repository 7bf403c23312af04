//! Whether a message may go now: opt-outs, the 24-hour window, where marketing is allowed.
//!
//! Judged at dispatch, when it is certain who stands where; what is decided here costs no call to the provider.

use crate::{
    identifier,
    message::Message,
    reason::{Cause, Reason},
    template::{Category, TemplateMessage},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Meta's clock decides when the window closes: free text stops a minute early (Meta's documentation of customer service windows).
const EARLY: Duration = Duration::from_secs(60);

/// What a customer does not want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suppressed {
    /// Anything.
    All,
    /// Marketing templates.
    Marketing,
}

impl Suppressed {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Marketing => "marketing",
        }
    }
}

impl std::str::FromStr for Suppressed {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::All, Self::Marketing].into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

/// How a customer can be reached from an identifier of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Until when free text may be sent; None: the customer has not written.
    pub window_until: Option<Timestamp>,
    /// What they do not want.
    pub suppressed: Option<Suppressed>,
}

impl Reach {
    /// Whether free text may be sent.
    pub fn window_is_open(&self, now: Timestamp) -> bool {
        self.window_until.is_some_and(|until| until > now + EARLY)
    }
}

/// What holds for the channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Free text goes only within the window.
    pub needs_window: bool,
    /// Marketing templates may go to numbers in the United States.
    pub marketing_in_the_united_states: bool,
}

/// What is to be done with a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Admission {
    /// It goes as its text and files.
    Free,
    /// It goes as this template.
    Template(TemplateMessage),
    /// It may go only as a template, and is none so far: see whether one fits by now.
    NeedsTemplate,
    /// It ends here.
    Refused(Cause),
}

/// Judges a message at `now`.
pub fn judge(message: &Message, reach: &Reach, terms: Terms, now: Timestamp) -> Admission {
    if let Some(cause) = &message.refused {
        return Admission::Refused(cause.clone());
    }
    if reach.suppressed == Some(Suppressed::All) {
        return Admission::Refused(Reason::RecipientOptedOut.into());
    }
    let open = !terms.needs_window || reach.window_is_open(now);
    let Some(template) = &message.template else {
        return if open { Admission::Free } else { Admission::NeedsTemplate };
    };
    // However it goes: marketing is what it is.
    if template.category == Category::Marketing && reach.suppressed == Some(Suppressed::Marketing) {
        return Admission::Refused(Reason::MarketingStopped.into());
    }
    // Inside the window a text that is all there is to its template goes as it is: the customer sees the same, and no
    // limit on templates counts it.
    if open && !template.explicit && !template.more_than_text {
        return Admission::Free;
    }
    match template_refused(template, message, reach, terms) {
        Some(reason) => Admission::Refused(reason.into()),
        None => Admission::Template(template.clone()),
    }
}

/// Why a template may not go to this customer.
pub fn template_refused(template: &TemplateMessage, message: &Message, reach: &Reach, terms: Terms) -> Option<Reason> {
    if template.category != Category::Marketing {
        return None;
    }
    if reach.suppressed == Some(Suppressed::Marketing) {
        return Some(Reason::MarketingStopped);
    }
    // Meta does not deliver them there since 2025-04-01.
    let forbidden = !terms.marketing_in_the_united_states && identifier::is_in_the_united_states(&message.to);
    forbidden.then_some(Reason::MarketingNotAllowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::MessageId, message::Priority, protocol::Protocol};

    const NOW: Timestamp = Timestamp(1_795_348_800_000_000);
    const WHATSAPP: Terms = Terms { needs_window: true, marketing_in_the_united_states: false };

    fn message(template: Option<TemplateMessage>) -> Message {
        Message {
            id: MessageId::new(),
            protocol: Protocol::WhatsApp,
            from: "15550100200".into(),
            to: "16505550142".into(),
            text: "Hi".into(),
            files: vec![],
            parts: 1,
            template,
            refused: None,
            metadata: None,
            priority: Priority::Transactional,
            accepted_at: NOW,
            send_at: None,
            expires_at: None,
        }
    }

    fn template(category: Category) -> TemplateMessage {
        TemplateMessage {
            name: "hi".into(),
            language: "en".into(),
            category,
            explicit: false,
            more_than_text: true,
            header: None,
            body: vec![],
            buttons: vec![],
        }
    }

    fn window(left: u64) -> Reach {
        Reach { window_until: Some(NOW + Duration::from_secs(left)), suppressed: None }
    }

    #[test]
    fn free_text_needs_the_window() {
        let free = message(None);
        assert_eq!(judge(&free, &Reach::default(), WHATSAPP, NOW), Admission::NeedsTemplate);
        assert_eq!(judge(&free, &window(61), WHATSAPP, NOW), Admission::Free);
        assert_eq!(judge(&free, &window(60), WHATSAPP, NOW), Admission::NeedsTemplate);
        assert_eq!(judge(&free, &Reach::default(), Terms::default(), NOW), Admission::Free);
    }

    #[test]
    fn a_template_goes_as_one_where_it_is_more_than_its_text() {
        let utility = template(Category::Utility);
        let plain = TemplateMessage { more_than_text: false, ..utility.clone() };
        let named = TemplateMessage { explicit: true, ..plain.clone() };
        let sent = |template: &TemplateMessage, reach| judge(&message(Some(template.clone())), &reach, WHATSAPP, NOW);
        assert_eq!(sent(&utility, Reach::default()), Admission::Template(utility.clone()));
        assert_eq!(sent(&utility, window(3600)), Admission::Template(utility.clone()));
        assert_eq!(sent(&plain, window(3600)), Admission::Free);
        assert_eq!(sent(&plain, Reach::default()), Admission::Template(plain.clone()));
        assert_eq!(sent(&named, window(3600)), Admission::Template(named.clone()));
    }

    #[test]
    fn opt_outs_and_marketing() {
        let refused = |reason: Reason| Admission::Refused(reason.into());
        let stopped = |kind| Reach { suppressed: Some(kind), ..window(3600) };
        let marketing = message(Some(template(Category::Marketing)));
        let utility = message(Some(template(Category::Utility)));
        let anywhere = Terms { marketing_in_the_united_states: true, ..WHATSAPP };
        assert_eq!(judge(&utility, &stopped(Suppressed::All), WHATSAPP, NOW), refused(Reason::RecipientOptedOut));
        assert_eq!(
            judge(&marketing, &stopped(Suppressed::Marketing), anywhere, NOW),
            refused(Reason::MarketingStopped)
        );
        assert!(matches!(judge(&utility, &stopped(Suppressed::Marketing), WHATSAPP, NOW), Admission::Template(_)));
        assert_eq!(judge(&marketing, &Reach::default(), WHATSAPP, NOW), refused(Reason::MarketingNotAllowed));
        let plain = TemplateMessage { more_than_text: false, ..template(Category::Marketing) };
        let as_text = judge(&message(Some(plain)), &stopped(Suppressed::Marketing), anywhere, NOW);
        assert_eq!(as_text, refused(Reason::MarketingStopped), "also where it would go as its text");
        let german = Message { to: "4930555010".into(), ..marketing };
        assert!(matches!(judge(&german, &Reach::default(), WHATSAPP, NOW), Admission::Template(_)));
    }

    #[test]
    fn what_was_plain_at_accept_ends_here() {
        let cause = Cause::with_detail(Reason::VariableMissing, "customer.name has no value.");
        let message = Message { refused: Some(cause.clone()), ..message(None) };
        assert_eq!(judge(&message, &window(3600), WHATSAPP, NOW), Admission::Refused(cause));
    }
}
