//! Files that were uploaded, and those that customers sent.

use bytes::Bytes;
use herald_rules::time::Timestamp;
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// A file that we uploaded lives so long, and one of a customer's so long.
const OURS: Duration = Duration::from_secs(30 * 24 * 3600);
const THEIRS: Duration = Duration::from_secs(7 * 24 * 3600);
/// An address to fetch a file from lives so long.
pub(crate) const ADDRESS: Duration = Duration::from_secs(300);
/// All files together; the oldest go.
const MOST: usize = 256 * 1024 * 1024;

/// What may be uploaded, and how large it may be.
#[rustfmt::skip]
const KINDS: [(&str, usize); 22] = [
    ("audio/aac", 16 << 20), ("audio/amr", 16 << 20), ("audio/mpeg", 16 << 20), ("audio/mp4", 16 << 20), ("audio/ogg", 16 << 20),
    ("text/plain", 100 << 20), ("application/pdf", 100 << 20), ("application/msword", 100 << 20),
    ("application/vnd.ms-excel", 100 << 20), ("application/vnd.ms-powerpoint", 100 << 20),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", 100 << 20),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 100 << 20),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", 100 << 20),
    ("image/jpeg", 5 << 20), ("image/png", 5 << 20), ("image/webp", 500 << 10), ("video/mp4", 16 << 20), ("video/3gpp", 16 << 20),
    ("audio/opus", 16 << 20), ("image/jpg", 5 << 20), ("application/doc", 100 << 20), ("application/docx", 100 << 20),
];

/// Whether a type may be uploaded in this size; the problem, where not.
pub(crate) fn fits(mime_type: &str, size: usize) -> Result<(), String> {
    let plain = mime_type.split(';').next().unwrap_or_default().trim();
    let Some((_, most)) = KINDS.iter().find(|(kind, _)| *kind == plain) else {
        return Err(format!(
            "Param file must be a file of one of the supported types. Received file of type '{plain}'."
        ));
    };
    if size > *most {
        return Err(format!("The file is larger than {most} bytes."));
    }
    if size == 0 {
        return Err("The file is empty.".to_owned());
    }
    Ok(())
}

/// One file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) waba_id: String,
    pub(crate) mime_type: String,
    pub(crate) bytes: Bytes,
    /// Hexadecimal.
    pub(crate) sha256: String,
    until: Timestamp,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Media {
    files: HashMap<String, File>,
    order: VecDeque<String>,
    size: usize,
    given: u64,
}

impl Media {
    /// Keeps a file under a new id, or under the wished one.
    pub(crate) fn add(
        &mut self,
        waba_id: &str,
        (mime_type, bytes): (&str, Bytes),
        id: Option<&str>,
        inbound: bool,
        now: Timestamp,
    ) -> File {
        self.given += 1;
        let id = id.map_or_else(|| (1_480_900_000_000_000 + self.given).to_string(), str::to_owned);
        let file = File {
            id: id.clone(),
            waba_id: waba_id.to_owned(),
            mime_type: mime_type.to_owned(),
            sha256: hex::encode(Sha256::digest(&bytes)),
            bytes,
            until: now + if inbound { THEIRS } else { OURS },
        };
        self.size += file.bytes.len();
        self.files.insert(id.clone(), file.clone());
        self.order.push_back(id);
        while self.size > MOST {
            let Some(oldest) = self.order.pop_front() else { break };
            self.remove(&oldest);
        }
        file
    }

    /// A file of an account that still lives.
    pub(crate) fn find(&self, id: &str, waba_id: &str, now: Timestamp) -> Option<&File> {
        self.files.get(id).filter(|file| file.waba_id == waba_id && file.until > now)
    }

    /// Any file that still lives.
    pub(crate) fn of_anybody(&self, id: &str, now: Timestamp) -> Option<&File> {
        self.files.get(id).filter(|file| file.until > now)
    }

    /// Deletes a file.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let gone = self.files.remove(id);
        self.size -= gone.as_ref().map_or(0, |file| file.bytes.len());
        gone.is_some()
    }
}
