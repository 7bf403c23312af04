//! The check of a file's link before a message is sent: is it a file, of a type and size that the provider takes?
//!
//! What is allowed is decided in `herald_rules::file`. Here a link is looked at ([`look`]), by few at once ([`turns`]), and the
//! verdict is kept: a campaign with one link for a million customers makes one check. Neither links nor what is said about
//! them go to the log: a link may carry its own key.

mod look;
mod settings;
#[cfg(test)]
mod tests;
mod turns;

pub use settings::Settings;

use crate::{
    net::{Clients, Guard},
    observe::metrics::{FileVerdict, Metrics},
};
use herald_channels::http::{Client, Limits};
use herald_rules::{
    file::{FileFacts, Wanted},
    reason::{Cause, Reason},
};
use look::Trouble;
use quick_cache::sync::{Cache, EntryAction, EntryResult};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};
use turns::Turns;

/// Tries before a server is called unreachable.
const TRIES: u32 = 2;

/// The check of files behind links. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    clients: Clients,
    turns: Turns,
    known: Cache<Key, Known>,
    metrics: Arc<Metrics>,
}

/// A link and what it is for. Links are long and may carry secrets: a hash of them is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key([u8; 32], Wanted);

/// A verdict, and how long it holds.
#[derive(Clone, Debug)]
struct Known {
    verdict: Result<Arc<FileFacts>, Arc<Cause>>,
    made: Instant,
    keep: Duration,
}

impl Files {
    /// Nothing is known yet.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(settings: Settings, metrics: Arc<Metrics>) -> Result<Self, String> {
        let limits = Limits { connect: settings.connect, ..Limits::default() };
        let guard = Guard::new(settings.allow_networks.clone());
        let clients = Clients::new(guard, |resolver| Client::with_resolver(limits, resolver))?;
        let turns = Turns::new(settings.at_once, settings.per_host);
        let known = Cache::new(settings.entries);
        Ok(Self { inner: Arc::new(Inner { settings, clients, turns, known, metrics }) })
    }

    /// Whether the file behind a link can be sent. Whoever asks while another looks at the same link waits for that verdict.
    ///
    /// # Errors
    /// Why not, with a sentence for whoever sent the message.
    pub async fn check(&self, link: &str, wanted: Wanted) -> Result<Arc<FileFacts>, Cause> {
        let (inner, asked) = (&self.inner, Instant::now());
        let key = Key(Sha256::digest(link).into(), wanted);
        if let Some(known) = inner.known.get(&key).filter(|known| known.holds(asked)) {
            inner.metrics.file_checks_known.inc();
            return known.verdict();
        }
        let entry = inner.known.entry_async(&key, |_, known| {
            if known.holds(asked) { EntryAction::Retain(known.clone()) } else { EntryAction::ReplaceWithGuard }
        });
        match entry.await {
            EntryResult::Retained(known) => {
                inner.metrics.file_checks_known.inc();
                known.verdict()
            }
            EntryResult::Vacant(place) | EntryResult::Replaced(place, _) => {
                let known = inner.look(link, wanted).await;
                // Refused only where the entry was taken out meanwhile, which nobody does.
                drop(place.insert(known.clone()));
                known.verdict()
            }
            // Neither is asked for above.
            EntryResult::Removed(..) | EntryResult::Timeout => inner.look(link, wanted).await.verdict(),
        }
    }
}

impl Inner {
    async fn look(&self, link: &str, wanted: Wanted) -> Known {
        let settings = &self.settings;
        let host = reqwest::Url::parse(link).ok().and_then(|url| Some(url.host_str()?.to_owned())).unwrap_or_default();
        let (verdict, keep) = match timeout(settings.turn, self.turns.take(&host)).await {
            Ok(Some(_turn)) => {
                let verdict = self.tries(link, wanted).await;
                let keep = match &verdict {
                    Ok(_) => settings.keep_sendable,
                    Err(cause) if cause.reason == Reason::FileUnreachable => settings.keep_unreachable,
                    Err(_) => settings.keep_refused,
                };
                (verdict, keep)
            }
            // It was not looked at: whoever asks next shall try.
            _ => {
                let sentence = "Too many files of this server are being looked at, as it answers slowly.".to_owned();
                (Err(Trouble { sentence, passing: true }.cause()), Duration::ZERO)
            }
        };
        self.metrics.file_checks.of(label(&verdict)).inc();
        Known { verdict: verdict.map(Arc::new).map_err(Arc::new), made: Instant::now(), keep }
    }

    async fn tries(&self, link: &str, wanted: Wanted) -> Result<FileFacts, Cause> {
        let Settings { most, total, pause, .. } = self.settings;
        let mut tried = 0;
        loop {
            let looked = timeout(total, look::look(&self.clients, link, wanted, most, total)).await;
            tried += 1;
            match looked.unwrap_or_else(|_| Err(Trouble::late())) {
                Ok(verdict) => return verdict,
                Err(trouble) if trouble.passing && tried < TRIES => sleep(pause).await,
                Err(trouble) => return Err(trouble.cause()),
            }
        }
    }
}

impl Known {
    /// Whether it may be gone by: for its time, and for all who had asked before it was made.
    fn holds(&self, asked: Instant) -> bool {
        self.made >= asked || asked.duration_since(self.made) < self.keep
    }

    fn verdict(self) -> Result<Arc<FileFacts>, Cause> {
        self.verdict.map_err(|cause| Cause::clone(&cause))
    }
}

fn label(verdict: &Result<FileFacts, Cause>) -> FileVerdict {
    match verdict {
        Ok(_) => FileVerdict::Sendable,
        Err(cause) => match cause.reason {
            Reason::FileIsWebPage => FileVerdict::WebPage,
            Reason::FileTooLarge => FileVerdict::TooLarge,
            Reason::FileTypeNotAllowed => FileVerdict::TypeNotAllowed,
            _ => FileVerdict::Unreachable,
        },
    }
}
