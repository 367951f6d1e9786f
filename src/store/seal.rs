//! Who can read what is kept, and who could have changed it?
//!
//! Everything personal is sealed with AES-256-GCM before it reaches a file. Each purpose has a key of its own, derived
//! from the master key, and each sealed piece is bound to its place (purpose, key or number, format) as associated
//! data, so that a piece copied to another place does not open there. Nonces are 96 random bits: a counter could go
//! back after a restore. Ten seals a second use a key for 13 years before the 2^32 pieces that random nonces allow.

use super::fault::StoreFault;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{aead, hkdf, hmac};
use std::fmt;
use zeroize::Zeroizing;

/// The master key: 32 bytes that are wiped when dropped and never print themselves.
pub struct SecretKey(Zeroizing<[u8; 32]>);

impl SecretKey {
    /// Takes 32 bytes as the master key.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Makes a fresh random key.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn random() -> Result<Self, StoreFault> {
        let mut bytes = Zeroizing::new([0; 32]);
        SystemRandom::new()
            .fill(&mut *bytes)
            .map_err(|_| StoreFault::NoRandom)?;
        Ok(Self(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// What a derived key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Log,
    State,
    Outbox,
    Journal,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Log => b"innkeeper store 1 log",
            Self::State => b"innkeeper store 1 state",
            Self::Outbox => b"innkeeper store 1 outbox",
            Self::Journal => b"innkeeper store 1 journal",
        }
    }
}

/// The keys derived from one master key.
pub(crate) struct Keys {
    root: hkdf::Prk,
    id: u64,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({:016x})", self.id)
    }
}

impl Keys {
    pub(crate) fn new(master: &SecretKey) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"innkeeper store").extract(master.bytes());
        let mut id = [0; 8];
        id.copy_from_slice(&derive(&root, b"innkeeper store 1 name of the key")[..8]);
        Self {
            root,
            id: u64::from_le_bytes(id),
        }
    }

    /// A name for the key that says nothing about it: written beside what it sealed, so that a wrong key is told from
    /// damage.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn sealer(&self, purpose: Purpose) -> Sealer {
        let bytes = derive(&self.root, purpose.label());
        let key = aead::UnboundKey::new(&aead::AES_256_GCM, &*bytes).expect("a derived key has the cipher's length");
        Sealer {
            key: aead::LessSafeKey::new(key),
            random: SystemRandom::new(),
            purpose,
        }
    }

    /// The key under which records are summed up.
    pub(crate) fn sums(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &*derive(&self.root, b"innkeeper store 1 sums"))
    }
}

fn derive(root: &hkdf::Prk, label: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    root.expand(&[label], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut *bytes))
        .expect("32 bytes are within what HKDF-SHA-256 gives");
    bytes
}

/// Seals and opens for one purpose. Sealed: 12 bytes of nonce, the ciphertext, 16 bytes of tag.
pub(crate) struct Sealer {
    key: aead::LessSafeKey,
    random: SystemRandom,
    purpose: Purpose,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({:?})", self.purpose)
    }
}

impl Sealer {
    /// Seals bytes for one place.
    pub(crate) fn seal(&self, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreFault> {
        let mut nonce = [0; aead::NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| StoreFault::NoRandom)?;
        let mut sealed = Vec::with_capacity(aead::NONCE_LEN + plain.len() + aead::MAX_TAG_LEN);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, aead::Aad::from(place), &mut sealed[aead::NONCE_LEN..])
            .map_err(|_| StoreFault::NoRandom)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what was sealed for this place; `None` when it is not that.
    pub(crate) fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_at_checked(aead::NONCE_LEN)?;
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut plain = rest.to_vec();
        let length = self
            .key
            .open_in_place(nonce, aead::Aad::from(place), &mut plain)
            .ok()?
            .len();
        plain.truncate(length);
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(n: u8) -> Keys {
        Keys::new(&SecretKey::new([n; 32]))
    }

    #[test]
    fn a_piece_opens_only_in_its_own_place_for_its_own_purpose() {
        let sealer = keys(1).sealer(Purpose::State);
        let sealed = sealer.seal(b"room/1204", b"asleep").unwrap();
        assert_eq!(sealer.open(b"room/1204", &sealed).unwrap(), b"asleep");
        assert_eq!(sealer.open(b"room/1205", &sealed), None);
        assert_eq!(keys(1).sealer(Purpose::Log).open(b"room/1204", &sealed), None);
        assert_eq!(keys(2).sealer(Purpose::State).open(b"room/1204", &sealed), None);
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert_eq!(sealer.open(b"room/1204", &bad), None, "byte {at}");
            assert_eq!(sealer.open(b"room/1204", &sealed[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn the_same_text_never_seals_to_the_same_bytes() {
        let sealer = keys(1).sealer(Purpose::State);
        assert_ne!(
            sealer.seal(b"", b"asleep").unwrap(),
            sealer.seal(b"", b"asleep").unwrap()
        );
    }

    #[test]
    fn a_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", SecretKey::new([65; 32])), "SecretKey(…)");
        assert_ne!(keys(1).id(), keys(2).id());
    }
}
