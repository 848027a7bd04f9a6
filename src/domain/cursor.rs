//! Cursors of streams: a place, hidden and bound to one caller by a key of the service.
//!
//! A place counts what has happened in all organisations, so a caller must not be able to read it. Two cursors of one place
//! are different, so that equal cursors do not show that nothing has happened elsewhere.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Random bytes of a cursor.
pub const NONCE: usize = 8;
/// Bytes of a place.
const PLACE: usize = 8;
/// Bytes of the code that binds nonce and place to the caller.
const CODE: usize = 16;

/// The key of the cursors of a service.
#[derive(Clone, PartialEq, Eq)]
pub struct CursorKey([u8; 32]);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey")
    }
}

impl CursorKey {
    /// Reads a stored key.
    pub fn from_hex(text: &str) -> Option<Self> {
        hex::decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The cursor of a place for a caller. `nonce` is random.
    pub fn seal(&self, caller: &str, place: i64, nonce: [u8; NONCE]) -> String {
        let hidden = self.hide(nonce, place.to_be_bytes());
        let code = self.mac("code", &[caller.as_bytes(), &nonce, &hidden]);
        hex::encode([&nonce[..], &hidden, &code[..CODE]].concat())
    }

    /// The place of a cursor; `None` if the cursor was not made for this caller.
    pub fn open(&self, caller: &str, cursor: &str) -> Option<i64> {
        let bytes: [u8; NONCE + PLACE + CODE] = hex::decode(cursor).ok()?.try_into().ok()?;
        let (nonce, rest) = bytes.split_first_chunk::<NONCE>()?;
        let (hidden, code) = rest.split_first_chunk::<PLACE>()?;
        let expected = self.mac("code", &[caller.as_bytes(), nonce, hidden]);
        // In the same time for every wrong code.
        let differs =
            expected[..CODE].iter().zip(code).fold(0, |differs, (one, other)| differs | (one ^ other));
        (differs == 0).then(|| i64::from_be_bytes(self.hide(*nonce, *hidden)))
    }

    /// Hides a place, or shows a hidden one.
    fn hide(&self, nonce: [u8; NONCE], place: [u8; PLACE]) -> [u8; PLACE] {
        let stream = self.mac("place", &[&nonce]);
        let mut hidden = place;
        for (byte, other) in hidden.iter_mut().zip(stream) {
            *byte ^= other;
        }
        hidden
    }

    /// HMAC-SHA-256 of the parts, each with its length before it.
    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length");
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> CursorKey {
        CursorKey::from_hex(&hex::encode([byte; 32])).expect("a key")
    }

    #[test]
    fn a_cursor_is_opened_by_its_caller_alone_and_shows_nothing() {
        let (one, two) = (key(1).seal("ana", 7, [1; NONCE]), key(1).seal("ana", 7, [2; NONCE]));
        assert_eq!((key(1).open("ana", &one), key(1).open("ana", &two)), (Some(7), Some(7)));
        assert_ne!(one[16..32], two[16..32], "the same place looks different");
        assert_eq!(key(1).open("bea", &one), None, "another caller");
        assert_eq!(key(2).open("ana", &one), None, "another service");
        for at in 0..one.len() {
            let mut changed = one.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(
                key(1).open("ana", std::str::from_utf8(&changed).expect("digits")),
                None,
                "place {at}"
            );
        }
        for wrong in ["", "00", &one[2..], &format!("{one}00"), "é"] {
            assert_eq!(key(1).open("ana", wrong), None, "{wrong}");
        }
        assert_eq!(key(1).open("ana", &key(1).seal("ana", i64::MAX, [9; NONCE])), Some(i64::MAX));
    }
}
