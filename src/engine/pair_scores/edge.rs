//! One pair: its score and the order of pairs of equal score.

/// Score of a pair that a hard rule forbids.
pub const FORBIDDEN: i32 = i32::MIN;

/// A pair seen from one of its ends. 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The other end.
    pub to: u32,
    /// The pair's score.
    pub score: i32,
}

impl Edge {
    /// Fills memory that is overwritten later.
    pub(in crate::engine) const NONE: Self = Self { to: 0, score: FORBIDDEN };
}

/// A pseudo-random number for a pair, from two numbers that stand for its people (finaliser of SplitMix64; Steele, Lea,
/// Flood 2014). Of two pairs of equal score, the one with the lower number comes first.
pub fn tie_break(mentee: u64, mentor: u64) -> u32 {
    let mut z = (mentee.rotate_left(32) ^ mentor).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(0)
}
