//! The settings: what they are, where they come from, and what is wrong with them.
//!
//! Four layers, the later over the earlier: the default file `config/herald.toml` built into the binary (it is also the
//! reference documentation), the operator's file, the environment, flags. [`load`] merges them and keeps where each
//! value came from.

mod duration;
mod error;
mod layers;
mod sections;
mod show;
mod warnings;

pub use error::{ConfigError, Problem};
pub use layers::{DEFAULT_FILE, Flag, Sources, load};
pub use sections::data::Data;
pub use sections::events::Events;
pub use sections::files::Files;
pub use sections::lanes::{DefaultRates, Lanes};
pub use sections::limits::Limits;
pub use sections::listen::{Listen, Tls};
pub use sections::log::{Format, Log};
pub use sections::node::{Node, Role};
pub use sections::retention::Retention;
pub use sections::shutdown::Shutdown;
pub use sections::store::Store;
pub use sections::templates::Templates;
pub use sections::webhooks::Webhooks;
pub use show::Setting;

/// Every setting of a node, typed and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Files on disk.
    pub data: Data,
    /// Addresses and TLS.
    pub listen: Listen,
    /// What a client may ask of us.
    pub limits: Limits,
    /// How messages go out.
    pub lanes: Lanes,
    /// Files behind links.
    pub files: Files,
    /// How events are handed over.
    pub webhooks: Webhooks,
    /// Polling queues.
    pub events: Events,
    /// The database.
    pub store: Store,
    /// What this node does.
    pub node: Node,
    /// WhatsApp templates.
    pub templates: Templates,
    /// The log.
    pub log: Log,
    /// What is deleted when.
    pub retention: Retention,
    /// How a stop goes.
    pub shutdown: Shutdown,
}

/// What [`load`] gives: the settings, their origins, and what looks odd about them.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Every setting with its value as text (secrets redacted) and its origin, in the order of the default file.
    pub settings: Vec<Setting>,
    /// Sentences about settings that are legal but probably not meant. Log them once there is a log.
    pub warnings: Vec<String>,
}

impl Config {
    /// The settings of the built-in file alone, for tests and tools.
    #[expect(clippy::expect_used, reason = "the built-in file is a constant; a test reads it")]
    pub fn defaults() -> Self {
        layers::merge(&Sources::default()).and_then(|merged| merged.config()).expect("the built-in file is valid")
    }
}

#[cfg(test)]
mod tests;
