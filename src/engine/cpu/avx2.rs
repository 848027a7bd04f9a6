//! The loops for AVX2: 32 bytes at a time.

use std::arch::x86_64::{
    __m256i, _mm256_adds_epi16, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_min_epu8, _mm256_or_si256,
    _mm256_permute4x64_epi64, _mm256_set1_epi8, _mm256_set1_epi64x, _mm256_setr_epi64x, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_unpackhi_epi8, _mm256_unpacklo_epi8,
};

use super::plain::{self, LANES, Lanes};
use super::{Values, bytes256, register_of_words256, register256, words256};

/// Numbers looked up together.
const CHUNK: usize = 32;
/// Classes that one permutation of bytes can look up.
const FEW: usize = 16;

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn look_up(classes: &[u8], values: &Values, out: &mut [i16]) {
    if values.len > FEW {
        plain::look_up(classes, values, out);
        return;
    }
    let twice = |byte: usize| register256(std::array::from_fn(|at| values.of[at % FEW].to_le_bytes()[byte]));
    let (low, high) = (twice(0), twice(1));
    let (whole, rest) = classes.as_chunks::<CHUNK>();
    let (whole_out, rest_out) = out.as_chunks_mut::<CHUNK>();
    for (classes, out) in whole.iter().zip(whole_out) {
        // Unpacking joins low and high bytes within halves of a register: this order of quarters makes up for it.
        let classes = _mm256_permute4x64_epi64::<0b11_01_10_00>(register256(*classes));
        let (low, high) = (_mm256_shuffle_epi8(low, classes), _mm256_shuffle_epi8(high, classes));
        let found = [_mm256_unpacklo_epi8(low, high), _mm256_unpackhi_epi8(low, high)];
        for (out, found) in out.as_chunks_mut::<16>().0.iter_mut().zip(found) {
            *out = words256(_mm256_adds_epi16(register_of_words256(*out), found));
        }
    }
    plain::look_up(rest, values, rest_out);
}

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn count_common(bytes: &[u8], mine: u8, counts: &mut [u8]) {
    plain::count_common(bytes, mine, counts);
}

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn raise_levels(levels: &[u8], mine: u8, best: &mut [u8]) {
    plain::raise_levels(levels, mine, best);
}

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn count_rows(rows: &[Lanes], seasons: &[Vec<u32>], most: u8, out: &mut [u8; LANES]) {
    let (planes, used) = plain::count(rows, seasons, most);
    let most = _mm256_set1_epi8(most.cast_signed());
    for (at, out) in out.as_chunks_mut::<CHUNK>().0.iter_mut().enumerate() {
        let mut numbers = _mm256_setzero_si256();
        for (plane, bit) in planes[..used].iter().zip([1, 2, 4, 8, 16, 32, 64, -128]) {
            let half = plane[at / 2] >> (at % 2 * 32) & 0xFFFF_FFFF;
            let is_set = bytes_of_bits(_mm256_set1_epi64x((half | half << 32).cast_signed()));
            numbers = _mm256_or_si256(numbers, _mm256_and_si256(is_set, _mm256_set1_epi8(bit)));
        }
        *out = bytes256(_mm256_min_epu8(numbers, most));
    }
}

/// All ones in every byte whose bit of 32 is set; the bits are given eight times over.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn bytes_of_bits(bits: __m256i) -> __m256i {
    let byte = |number: i64| number * 0x0101_0101_0101_0101;
    let spread = _mm256_shuffle_epi8(bits, _mm256_setr_epi64x(byte(0), byte(1), byte(2), byte(3)));
    let each = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
    _mm256_cmpeq_epi8(_mm256_and_si256(spread, each), each)
}
