//! The one table from Meta's codes to our reasons and to what is done about them. It serves answers and the `errors[]` of
//! failed statuses alike.

use crate::contract::Throttled::{self, Account, Identifier, Pair};
use herald_rules::reason::Reason::{self, *};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What a code in an answer means for the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is refused for good.
    Refuse,
    /// It may pass later.
    Retry {
        /// Seconds that must pass first; 0: the reason's schedule alone decides.
        not_before: u64,
        /// So many tries in all; 0: as many as the reason's schedule has.
        tries: u32,
    },
    /// It may pass later, and the named limit is to be slowed down.
    SlowDown(Throttled, Wait),
    /// The sender sends nothing for so many seconds; None: until somebody acts.
    Stop(Throttled, Option<u64>),
}

/// How long a throttled limit rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// As the reason's schedule says.
    Schedule,
    /// So many seconds.
    Seconds(u64),
    /// 4^X seconds, X the number of failed tries before this one: 1, 4, 16, 64, ...
    PowersOfFour,
    /// What `X-Business-Use-Case-Usage` says, else 15 minutes.
    Reported,
}

/// What is known about a code.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The code, or the first of a range.
    pub first: i64,
    /// The same, or the last of a range.
    pub last: i64,
    /// Our reason.
    pub reason: Reason,
    /// What is done.
    pub effect: Effect,
    /// What is to be done about it, where the reason's own sentence does not say so.
    pub advice: &'static str,
}

const LATER: Effect = Effect::Retry { not_before: 0, tries: 0 };
/// Until the credentials or settings change: nothing heals by waiting.
const STOP_ACCOUNT: Effect = Effect::Stop(Account, None);
const STOP_NUMBER: Effect = Effect::Stop(Identifier, None);
/// What is put right at Meta, without a change here: looked at again every hour.
const HOURLY: Option<u64> = Some(HOUR);

const fn row(code: i64, reason: Reason, effect: Effect) -> Row {
    Row { first: code, last: code, reason, effect, advice: "" }
}

const fn advised(code: i64, reason: Reason, effect: Effect, advice: &'static str) -> Row {
    Row { first: code, last: code, reason, effect, advice }
}

const fn range(first: i64, last: i64, reason: Reason, effect: Effect) -> Row {
    Row { first, last, reason, effect, advice: "" }
}

/// All codes of Meta's list (November 2026) that a business can meet. The first row that fits counts.
pub const TABLE: &[Row] = &[
    // The account and the app.
    row(0, ProviderAuthFailed, STOP_ACCOUNT),
    row(1, ProviderError, Effect::Retry { not_before: 0, tries: 3 }),
    row(2, ProviderUnavailable, LATER),
    row(3, PermissionMissing, STOP_ACCOUNT),
    row(4, ProviderThrottled, Effect::SlowDown(Account, Wait::Reported)),
    row(10, PermissionMissing, STOP_ACCOUNT),
    advised(
        33,
        SenderNotReady,
        STOP_NUMBER,
        "Meta does not know the number's id. Check phone_numbers in the settings.",
    ),
    row(100, ContentRefused, Effect::Refuse),
    row(190, ProviderAuthFailed, STOP_ACCOUNT),
    range(200, 299, PermissionMissing, STOP_ACCOUNT),
    row(368, AccountRestricted, STOP_ACCOUNT),
    row(613, ProviderThrottled, Effect::SlowDown(Account, Wait::Seconds(MINUTE))),
    row(80007, ProviderThrottled, Effect::SlowDown(Account, Wait::Reported)),
    // Sending.
    row(130429, ProviderThrottled, Effect::SlowDown(Identifier, Wait::Schedule)),
    // Another channel may carry it; this one never.
    row(130472, MarketingLimit, Effect::Refuse),
    row(130497, CountryNotAllowed, Effect::Refuse),
    row(131000, ProviderError, Effect::Retry { not_before: 0, tries: 5 }),
    row(131005, PermissionMissing, STOP_ACCOUNT),
    row(131008, ContentRefused, Effect::Refuse),
    row(131009, ContentRefused, Effect::Refuse),
    row(131016, ProviderUnavailable, LATER),
    advised(131021, RecipientNotReachable, Effect::Refuse, "The customer's number is the sender's own."),
    row(131026, RecipientNotReachable, Effect::Refuse),
    advised(
        131030,
        SenderNotReady,
        Effect::Refuse,
        "The sender is a test number: add the customer to its list of at most five recipients.",
    ),
    row(131031, AccountRestricted, STOP_ACCOUNT),
    advised(131037, SenderNotReady, Effect::Stop(Identifier, HOURLY), "The number's display name is not approved yet."),
    row(131042, PaymentProblem, Effect::Stop(Account, HOURLY)),
    row(131044, PaymentProblem, Effect::Stop(Account, HOURLY)),
    advised(131045, SenderNotReady, Effect::Stop(Identifier, HOURLY), "Register the number again."),
    row(131047, WindowClosed, Effect::Refuse),
    // Meta names no wait; a day is what it advises for its other limits.
    row(131048, QualityLimit, Effect::Stop(Identifier, Some(DAY))),
    row(131049, MarketingLimit, Effect::Refuse),
    row(131050, MarketingStopped, Effect::Refuse),
    row(131051, ContentRefused, Effect::Refuse),
    row(131052, FileRefused, Effect::Refuse),
    row(131053, FileRefused, Effect::Refuse),
    advised(
        131055,
        ContentRefused,
        Effect::Refuse,
        "Only marketing templates go by the Marketing Messages API. Was the template's category changed? Sync the templates.",
    ),
    row(131056, PairLimit, Effect::SlowDown(Pair, Wait::PowersOfFour)),
    row(131057, ProviderUnavailable, LATER),
    advised(
        131062,
        RecipientNotReachable,
        Effect::Refuse,
        "This message needs the customer's phone number, not Meta's id of the person.",
    ),
    advised(
        131063,
        PermissionMissing,
        Effect::Refuse,
        "Meta wants this account's marketing by the Marketing Messages API: set marketing_messages_api.",
    ),
    row(131064, QualityLimit, Effect::Retry { not_before: DAY, tries: 0 }),
    // Templates.
    row(132000, TemplateParameterInvalid, Effect::Refuse),
    row(132001, TemplateNotFound, Effect::Refuse),
    row(132005, ContentRefused, Effect::Refuse),
    row(132007, ContentRefused, Effect::Refuse),
    row(132008, TemplateParameterInvalid, Effect::Refuse),
    row(132012, TemplateParameterInvalid, Effect::Refuse),
    row(132015, TemplatePaused, Effect::Retry { not_before: HOUR, tries: 0 }),
    row(132016, TemplatePaused, Effect::Refuse),
    row(132018, TemplateParameterInvalid, Effect::Refuse),
    advised(132068, TemplatePaused, Effect::Refuse, "The flow behind the message's button is blocked."),
    row(132069, ProviderThrottled, Effect::Retry { not_before: HOUR, tries: 0 }),
    // Registration of the number.
    advised(
        133000,
        SenderNotReady,
        Effect::Stop(Identifier, HOURLY),
        "The number is half deregistered: deregister it again, then register it.",
    ),
    row(133004, ProviderUnavailable, LATER),
    advised(133005, SenderNotReady, STOP_NUMBER, "The number's two-step PIN is wrong."),
    advised(133006, SenderNotReady, Effect::Stop(Identifier, HOURLY), "Verify the number first."),
    advised(133008, SenderNotReady, Effect::Stop(Identifier, HOURLY), "The PIN was entered wrongly too often."),
    advised(133009, SenderNotReady, Effect::Stop(Identifier, Some(5 * MINUTE)), "The PIN was entered too fast."),
    advised(133010, SenderNotReady, Effect::Stop(Identifier, HOURLY), "Register the number."),
    advised(133015, SenderNotReady, Effect::Stop(Identifier, Some(5 * MINUTE)), "The number was deleted a moment ago."),
    advised(
        133016,
        SenderNotReady,
        Effect::Stop(Identifier, Some(3 * DAY)),
        "The number was registered or deregistered ten times within 72 hours.",
    ),
    advised(134011, PermissionMissing, Effect::Refuse, "The business has not accepted Meta's payments terms."),
    advised(
        134100,
        ContentRefused,
        Effect::Refuse,
        "The template is not a marketing template at Meta. Sync the templates.",
    ),
    // Meta's two systems agree about a new template after some ten minutes. That is no sign of a provider that is down.
    row(134101, ProviderError, Effect::Retry { not_before: 10 * MINUTE, tries: 0 }),
    row(134102, TemplateNotFound, Effect::Refuse),
    // Also said of messages that Meta drops while it tries a new business out; going on blindly makes that worse.
    row(135000, Unspecified, Effect::Refuse),
    row(137000, IdentityChanged, Effect::Refuse),
    // Calls, flows and block lists: none of them is sending, so what they say is kept and nothing else is done.
    range(138000, 139999, Unspecified, Effect::Refuse),
    // A subcode: a number in maintenance.
    row(2494100, ProviderUnavailable, LATER),
];

/// Looks a code up.
pub fn find(code: i64) -> Option<&'static Row> {
    TABLE.iter().find(|row| (row.first..=row.last).contains(&code))
}

/// Looks an error up: a few subcodes say more than their code.
pub fn find_error(code: i64, subcode: Option<i64>) -> Option<&'static Row> {
    match (code, subcode) {
        // "Object with this id does not exist" is 100 with subcode 33.
        (_, Some(2_494_100)) => find(2_494_100),
        (100, Some(33)) => find(33),
        _ => find(code),
    }
}
