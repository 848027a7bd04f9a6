//! The loops for AVX-512: 64 bytes at a time.

use std::arch::x86_64::{
    __m512i, _mm512_adds_epi16, _mm512_mask_add_epi8, _mm512_mask_blend_epi8, _mm512_min_epu8,
    _mm512_movepi8_mask, _mm512_permutex2var_epi8, _mm512_permutexvar_epi8, _mm512_permutexvar_epi64,
    _mm512_set1_epi8, _mm512_setr_epi64, _mm512_setzero_si512, _mm512_unpackhi_epi8, _mm512_unpacklo_epi8,
};

use super::plain::{self, LANES, Lanes};
use super::{Values, bytes512, register_of_words512, register512, words512};

/// Numbers looked up together.
const CHUNK: usize = 64;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
pub(super) fn look_up(classes: &[u8], values: &Values, out: &mut [i16]) {
    let (mut low, mut high) = ([_mm512_setzero_si512(); 4], [_mm512_setzero_si512(); 4]);
    for ((values, low), high) in values.of.as_chunks::<CHUNK>().0.iter().zip(&mut low).zip(&mut high) {
        *low = register512(values.map(|value| value.to_le_bytes()[0]));
        *high = register512(values.map(|value| value.to_le_bytes()[1]));
    }
    match values.len {
        ..=64 => look_up_by(classes, out, |classes| {
            [low, high].map(|bytes| _mm512_permutexvar_epi8(classes, bytes[0]))
        }),
        65..=128 => look_up_by(classes, out, |classes| {
            [low, high].map(|bytes| _mm512_permutex2var_epi8(bytes[0], classes, bytes[1]))
        }),
        _ => look_up_by(classes, out, |classes| {
            let is_high = _mm512_movepi8_mask(classes);
            [low, high].map(|bytes| {
                let first = _mm512_permutex2var_epi8(bytes[0], classes, bytes[1]);
                let second = _mm512_permutex2var_epi8(bytes[2], classes, bytes[3]);
                _mm512_mask_blend_epi8(is_high, first, second)
            })
        }),
    }
}

/// Adds what `find` says of every class, low bytes and high bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn look_up_by(classes: &[u8], out: &mut [i16], find: impl Fn(__m512i) -> [__m512i; 2]) {
    // Unpacking joins low and high bytes within quarters of a register: this order of eighths makes up for it.
    let order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
    let (whole, rest) = classes.as_chunks::<CHUNK>();
    let (whole_out, rest_out) = out.as_chunks_mut::<CHUNK>();
    let add = |classes: &[u8; CHUNK], out: &mut [i16; CHUNK]| {
        let [low, high] = find(_mm512_permutexvar_epi64(order, register512(*classes)));
        let found = [_mm512_unpacklo_epi8(low, high), _mm512_unpackhi_epi8(low, high)];
        for (out, found) in out.as_chunks_mut::<32>().0.iter_mut().zip(found) {
            *out = words512(_mm512_adds_epi16(register_of_words512(*out), found));
        }
    };
    for (classes, out) in whole.iter().zip(whole_out) {
        add(classes, out);
    }
    if !rest.is_empty() {
        let (mut last, mut sums) = ([0; CHUNK], [0; CHUNK]);
        last[..rest.len()].copy_from_slice(rest);
        sums[..rest_out.len()].copy_from_slice(rest_out);
        add(&last, &mut sums);
        rest_out.copy_from_slice(&sums[..rest_out.len()]);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
pub(super) fn count_common(bytes: &[u8], mine: u8, counts: &mut [u8]) {
    for (count, byte) in counts.iter_mut().zip(bytes) {
        *count = count.wrapping_add(low_byte((byte & mine).count_ones()));
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
pub(super) fn raise_levels(levels: &[u8], mine: u8, best: &mut [u8]) {
    plain::raise_levels(levels, mine, best);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
pub(super) fn count_rows(rows: &[Lanes], seasons: &[Vec<u32>], most: u8, out: &mut [u8; LANES]) {
    let (planes, used) = plain::count(rows, seasons, most);
    let most = _mm512_set1_epi8(most.cast_signed());
    for (word, out) in out.as_chunks_mut::<CHUNK>().0.iter_mut().enumerate() {
        let mut numbers = _mm512_setzero_si512();
        for (plane, bit) in planes[..used].iter().zip([1, 2, 4, 8, 16, 32, 64, -128]) {
            numbers = _mm512_mask_add_epi8(numbers, plane[word], numbers, _mm512_set1_epi8(bit));
        }
        *out = bytes512(_mm512_min_epu8(numbers, most));
    }
}

fn low_byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}
