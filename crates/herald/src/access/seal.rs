//! Encryption at rest: XChaCha20-Poly1305 under the master key, bound to what the secret belongs to.
//!
//! A sealed value is `1 | key id (8) | nonce (24) | ciphertext and tag`. The key id tells which master key is needed
//! after a rotation; the subject is associated data, so that a value copied into another row does not open.

use super::{
    keyfile::{self, KeyFileError},
    random,
};
use crate::config;
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use herald_rules::ids::{ChannelId, DepartmentId};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use uuid::Uuid;

const VERSION: u8 = 1;
const KEY_ID: usize = 8;
const NONCE: usize = 24;

/// The master key, ready for use.
pub struct Sealer {
    cipher: XChaCha20Poly1305,
    key_id: [u8; KEY_ID],
}

/// What a sealed value belongs to.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    /// An API secret of a department.
    Secret(DepartmentId, Uuid),
    /// A channel's credentials.
    Credentials(ChannelId),
    /// What signs the deliveries of a subscription.
    Subscription(Uuid),
}

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Another master key made it.
    #[error("it was sealed with another master key")]
    OtherKey,
    /// It is damaged, or belongs to something else.
    #[error("it is damaged or belongs to something else")]
    Damaged,
}

impl Subject {
    fn associated_data(self) -> Vec<u8> {
        let (kind, ids): (&[u8], [Uuid; 2]) = match self {
            Self::Secret(department, secret) => (b"secret", [department.0, secret]),
            Self::Credentials(channel) => (b"credentials", [channel.0, Uuid::nil()]),
            Self::Subscription(subscription) => (b"subscription", [subscription, Uuid::nil()]),
        };
        [kind, ids[0].as_bytes(), ids[1].as_bytes()].concat()
    }
}

impl Sealer {
    /// The configured key, or that of the key file, which is made if it is missing.
    ///
    /// # Errors
    /// When the file cannot be made or does not hold a key.
    pub fn open(data: &config::Data) -> Result<Self, KeyFileError> {
        let path = data.master_key_path();
        let text = match &data.master_key {
            Some(key) => key.expose_secret().to_owned(),
            None => keyfile::read_or_make(&path, || hex::encode(random::bytes::<32>()))?,
        };
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key)
            .map_err(|_| KeyFileError::Content { path, expected: "32 bytes as 64 hexadecimal digits" })?;
        Ok(Self::new(key))
    }

    /// A sealer under this key.
    pub fn new(key: [u8; 32]) -> Self {
        let digest = Sha256::new_with_prefix(b"herald master key id").chain_update(key).finalize();
        let mut key_id = [0; KEY_ID];
        key_id.copy_from_slice(&digest[..KEY_ID]);
        Self { cipher: XChaCha20Poly1305::new(&key.into()), key_id }
    }

    /// Names the key without giving it away.
    pub fn key_id(&self) -> [u8; KEY_ID] {
        self.key_id
    }

    /// Encrypts.
    #[expect(clippy::expect_used, reason = "the cipher only fails above 256 GiB")]
    pub fn seal(&self, subject: Subject, plain: &[u8]) -> Vec<u8> {
        // 192 random bits do not repeat (birthday bound 2^96), so no counter has to be kept.
        let nonce = random::bytes::<NONCE>();
        let payload = Payload { msg: plain, aad: &subject.associated_data() };
        let cipher = self.cipher.encrypt(&XNonce::from(nonce), payload).expect("a secret is small");
        [&[VERSION], &self.key_id[..], &nonce, &cipher].concat()
    }

    /// Decrypts.
    ///
    /// # Errors
    /// When it was sealed for something else, with another key, or is damaged.
    pub fn open_sealed(&self, subject: Subject, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (version, rest) = sealed.split_first().ok_or(SealError::Damaged)?;
        let (key_id, rest) = rest.split_at_checked(KEY_ID).ok_or(SealError::Damaged)?;
        let (nonce, cipher) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Damaged)?;
        if *version != VERSION {
            return Err(SealError::Damaged);
        }
        if key_id != self.key_id {
            return Err(SealError::OtherKey);
        }
        let payload = Payload { msg: cipher, aad: &subject.associated_data() };
        self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_what_it_sealed_for_the_same_subject() {
        let sealer = Sealer::new([7; 32]);
        let subject = Subject::Credentials(ChannelId::new());
        let sealed = sealer.seal(subject, b"token");
        assert_eq!(sealer.open_sealed(subject, &sealed).unwrap(), b"token");
        assert!(!sealed.windows(5).any(|window| window == b"token"));
        let other = Subject::Credentials(ChannelId::new());
        assert_eq!(sealer.open_sealed(other, &sealed), Err(SealError::Damaged));
        assert_eq!(Sealer::new([8; 32]).open_sealed(subject, &sealed), Err(SealError::OtherKey));
        for at in [0, 20, sealed.len() - 1] {
            let mut broken = sealed.clone();
            broken[at] ^= 1;
            assert!(sealer.open_sealed(subject, &broken).is_err(), "{at}");
        }
        for length in 0..sealed.len() {
            assert!(sealer.open_sealed(subject, &sealed[..length]).is_err());
        }
    }

    #[test]
    fn key_comes_from_the_configuration_or_a_file_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut data = config::Config::defaults().data;
        data.folder = folder.path().to_owned();
        let made = Sealer::open(&data).unwrap();
        assert_eq!(Sealer::open(&data).unwrap().key_id(), made.key_id());
        data.master_key = Some("ab".repeat(32).into());
        assert_eq!(Sealer::open(&data).unwrap().key_id(), Sealer::new([0xab; 32]).key_id());
        data.master_key = None;
        std::fs::write(folder.path().join("master.key"), "no key").unwrap();
        assert!(matches!(Sealer::open(&data), Err(KeyFileError::Content { .. })));
    }
}
