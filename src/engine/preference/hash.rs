//! Have two properties looked at the same stays?
//!
//! FNV-1a over 64 bits, fed byte by byte in a fixed order (Fowler, Noll and Vo; draft-eastlake-fnv). It tells copies apart; it
//! protects nothing.

use crate::model::{Evening, Item, PriorSummary, Said, Settled, StayEvidence};

/// A hash being fed.
pub struct Hash(u64);

/// What can be hashed.
pub trait Feed {
    /// Feeds everything of it.
    fn feed_to(&self, hash: &mut Hash);
}

impl Hash {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Feeds something.
    pub fn feed(&mut self, what: &impl Feed) {
        what.feed_to(self);
    }

    /// Of all that was fed.
    pub const fn value(&self) -> u64 {
        self.0
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// A text and an end that no text contains.
    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0xff]);
    }
}

impl Feed for i32 {
    fn feed_to(&self, hash: &mut Hash) {
        hash.bytes(&self.to_le_bytes());
    }
}

impl Feed for u16 {
    fn feed_to(&self, hash: &mut Hash) {
        hash.bytes(&self.to_le_bytes());
    }
}

impl<T: Feed> Feed for Option<T> {
    fn feed_to(&self, hash: &mut Hash) {
        hash.bytes(&[u8::from(self.is_some())]);
        self.iter().for_each(|what| what.feed_to(hash));
    }
}

impl<T: Feed> Feed for Vec<T> {
    fn feed_to(&self, hash: &mut Hash) {
        hash.bytes(&(self.len() as u64).to_le_bytes());
        self.iter().for_each(|what| what.feed_to(hash));
    }
}

impl Feed for Said {
    fn feed_to(&self, hash: &mut Hash) {
        match self {
            Said::Figure(figure) => hash.bytes(&figure.hundredths().to_le_bytes()),
            Said::Choice(choice) => hash.text(choice.word()),
        }
    }
}

impl Feed for Settled {
    fn feed_to(&self, hash: &mut Hash) {
        self.settled.feed_to(hash);
        self.nights.feed_to(hash);
        self.acts.feed_to(hash);
    }
}

impl Feed for (Item, u16) {
    fn feed_to(&self, hash: &mut Hash) {
        hash.text(self.0.as_str());
        self.1.feed_to(hash);
    }
}

impl Feed for StayEvidence {
    fn feed_to(&self, hash: &mut Hash) {
        hash.text(self.attribute.word());
        self.device.feed_to(hash);
        for said in [self.explicit, self.confirmed, self.staff, self.accepted, self.booking] {
            said.feed_to(hash);
        }
    }
}

impl Feed for Evening {
    fn feed_to(&self, hash: &mut Hash) {
        for minute in [self.check_in, self.bed, self.wake] {
            minute.feed_to(hash);
        }
        self.asked.feed_to(hash);
        hash.bytes(&(self.declined.len() as u64).to_le_bytes());
        self.declined.iter().for_each(|item| hash.text(item.as_str()));
    }
}

impl Feed for PriorSummary {
    fn feed_to(&self, hash: &mut Hash) {
        hash.text(self.property.as_str());
        hash.text(self.stay.as_str());
        hash.bytes(&self.version.to_le_bytes());
        self.day.feed_to(hash);
        self.nights.feed_to(hash);
        self.acts.feed_to(hash);
        self.habits.feed_to(hash);
        self.evenings.feed_to(hash);
        self.evidence.feed_to(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        let mut hash = Hash::new();
        assert_eq!(hash.value(), 0xcbf2_9ce4_8422_2325);
        hash.bytes(b"foobar");
        assert_eq!(hash.value(), 0x8594_4171_f739_67e8);
    }
}
