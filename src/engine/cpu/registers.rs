//! What AVX2 and AVX-512 share: conversions between registers and bytes, and bit-sliced counting in registers.
//!
//! [`super::plain`] describes the method of counting.

use std::arch::x86_64::{__m128i, __m256i, __m512i};

/// Defines conversions between a register and its bytes.
macro_rules! same_bytes {
    ($($name:ident: $from:ty => $to:ty;)+) => {
        $(
            #[expect(unsafe_code, reason = "the standard library has no safe way; the proof stands beside it")]
            #[inline(always)]
            pub(super) fn $name(from: $from) -> $to {
                // SAFETY: both types have the same size, which the compiler checks, and no padding. Any bytes are a valid
                // value of either type.
                unsafe { std::mem::transmute::<$from, $to>(from) }
            }
        )+
    };
}

same_bytes! {
    register128: [u8; 16] => __m128i;
    register256: [u8; 32] => __m256i;
    bytes256: __m256i => [u8; 32];
    words256: __m256i => [i16; 16];
    register_of_words256: [i16; 16] => __m256i;
    register_of_bits256: [u64; 4] => __m256i;
    register512: [u8; 64] => __m512i;
    bytes512: __m512i => [u8; 64];
    words512: __m512i => [i16; 32];
    register_of_words512: [i16; 32] => __m512i;
    register_of_bits512: [u64; 8] => __m512i;
}

/// Defines the function `count` of a level from its functions on registers of the given type:
///
/// - `zero()`, and `bits_of(row, part)`: the bits of a part of a row, as many as a register holds;
/// - `add(a, b, c)`: the sum and the carry of three bits;
/// - `xor`, `and`, `or`; `choose(bits, a, b)`: the bit of `a` where the bit of `bits` is set, else the bit of `b`.
macro_rules! counting {
    ($features:literal, $register:ty) => {
        /// Counts the bits of every lane of a part in the rows of each season, and keeps the lowest count. Plane `p` holds bit
        /// `p` of every count. Counts that need more planes saturate at the largest number of `USED` bits.
        #[inline]
        #[target_feature(enable = $features)]
        fn count<const USED: usize>(rows: &[Lanes], seasons: &Seasons, part: usize) -> [$register; USED] {
            let mut fewest = [zero(); USED];
            // A loop, because a closure in an iterator would not be compiled with the features of the level.
            for (season, chosen) in seasons.iter().enumerate() {
                let counted = count_season(rows, chosen, part);
                if season == 0 {
                    fewest = counted;
                    continue;
                }
                let mut is_less = zero();
                for (mine, theirs) in fewest.iter().zip(counted) {
                    // The loop goes from the lowest bit up, so that the highest bit that differs decides.
                    is_less = choose(xor(*mine, theirs), *mine, is_less);
                }
                for (mine, theirs) in fewest.iter_mut().zip(counted) {
                    *mine = choose(is_less, theirs, *mine);
                }
            }
            fewest
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn count_season<const USED: usize>(rows: &[Lanes], chosen: &[u32], part: usize) -> [$register; USED] {
            let [mut ones, mut twos, mut fours, mut over] = [zero(); 4];
            let mut planes = [zero(); USED];
            for eight in chosen.as_chunks::<EIGHT>().0 {
                let row = |at: usize| bits_of(&rows[eight[at] as usize], part);
                let (one, a) = add(ones, row(0), row(1));
                let (one, b) = add(one, row(2), row(3));
                let (two, a) = add(twos, a, b);
                let (one, b) = add(one, row(4), row(5));
                let (one, c) = add(one, row(6), row(7));
                let (two, b) = add(two, b, c);
                let (four, mut carry) = add(fours, a, b);
                (ones, twos, fours) = (one, two, four);
                for plane in planes.iter_mut().skip(3) {
                    (*plane, carry) = (xor(*plane, carry), and(*plane, carry));
                }
                over = or(over, carry);
            }
            for (plane, low) in planes.iter_mut().zip([ones, twos, fours]) {
                *plane = low;
            }
            for plane in &mut planes {
                *plane = or(*plane, over);
            }
            planes
        }
    };
}

pub(super) use counting;
