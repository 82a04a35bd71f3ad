//! The ids that Sluice assigns: `<epoch>-<sequence>`.
//!
//! Plain ASCII and short, so that no id ever causes a CORS preflight (those of more than 128
//! bytes, or with CORS-unsafe bytes, do: Fetch, "CORS-safelisted request-header"). A topic that
//! ended and came again has another epoch, so an old id is missed and never mistaken.

use std::fmt::Write;

/// What tells this life of a topic from every other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Epoch(String);

/// Eight characters of 36 make 41 bits: one in 2 * 10^12 that a stale id meets its own epoch.
const EPOCH_CHARS: usize = 8;

impl Epoch {
    pub(super) fn random() -> Self {
        let digits = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let pick = |_| char::from(digits[fastrand::usize(..digits.len())]);
        Self((0..EPOCH_CHARS).map(pick).collect())
    }

    /// The id of the event with this sequence number.
    pub(super) fn id(&self, sequence: u64) -> String {
        let mut id = String::with_capacity(EPOCH_CHARS + 12);
        id.push_str(&self.0);
        // Writing to a String cannot fail.
        let _ = write!(id, "-{sequence}");
        id
    }

    /// The sequence number of one of this epoch's ids; `None` for any other text.
    pub(super) fn sequence(&self, id: &[u8]) -> Option<u64> {
        let digits = id.strip_prefix(self.0.as_bytes())?.strip_prefix(b"-")?;
        let sequence = std::str::from_utf8(digits).ok()?.parse().ok()?;
        // One text for one id: no sign, no leading zero.
        (self.id(sequence).as_bytes() == id).then_some(sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_sequence_number() {
        let epoch = Epoch::random();
        for sequence in [0, 1, 42, u64::MAX] {
            assert_eq!(epoch.sequence(epoch.id(sequence).as_bytes()), Some(sequence));
        }
    }

    #[test]
    fn a_text_that_was_never_an_id_leads_nowhere() {
        let epoch = Epoch("abcdefgh".into());
        let texts: [&[u8]; 8] = [
            b"",
            b"-",
            b"abcdefgh",
            b"abcdefgh-",
            b"abcdefgh-+1",
            b"abcdefgh-01",
            b"abcdefgh-1 ",
            b"abcdefgi-1",
        ];
        for text in texts {
            assert_eq!(epoch.sequence(text), None, "{text:?}");
        }
        assert_eq!(epoch.sequence("abcdefgh-１".as_bytes()), None);
    }
}
