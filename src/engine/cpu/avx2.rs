//! The loops for AVX2: 32 bytes at a time.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi8, _mm256_adds_epi16, _mm256_adds_epu8, _mm256_and_si256, _mm256_andnot_si256,
    _mm256_blendv_epi8, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_cmpeq_epi16,
    _mm256_cmpgt_epi16, _mm256_maddubs_epi16, _mm256_max_epi16, _mm256_min_epu8, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_packs_epi16, _mm256_permute4x64_epi64, _mm256_permutevar8x32_epi32,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setr_epi64x,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_sub_epi8, _mm256_unpackhi_epi8,
    _mm256_unpacklo_epi8, _mm256_xor_si256,
};

use super::counting::counting;
use super::lanes::{EIGHT, LANES, Lanes, Seasons};
use super::look::{self, PARTS, SCORES};
use super::recipe::{BASE, Column, MOST_SCORE, Part, Recipes, Sums, TOGETHER};
use super::registers::{
    bytes256, register_of_bits256, register_of_words256, register128, register256, words256,
};

/// Bytes of a register.
const CHUNK: usize = 32;
/// Registers whose lanes are summed up together.
const WIDTH: usize = 2;
/// Classes that one permutation of bytes can look up.
const FEW: usize = 16;

type Registers = [__m256i; WIDTH];

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn sum_up(
    columns: &[Column],
    own: &[Column],
    recipes: &Recipes,
    row: usize,
    out: &mut [i16; LANES],
) {
    for (at, out) in out.as_chunks_mut::<{ WIDTH * CHUNK }>().0.iter_mut().enumerate() {
        let mut sums = [[_mm256_setzero_si256(); 2]; WIDTH];
        for group in recipes.parts(row).chunks(TOGETHER) {
            let (mut low, mut high) = ([_mm256_setzero_si256(); WIDTH], [_mm256_setzero_si256(); WIDTH]);
            for part in group {
                let classes = classes(columns, own, part, at);
                add_digits(recipes, part, &classes, &mut low, &mut high);
            }
            for ((sums, low), high) in sums.iter_mut().zip(low).zip(high) {
                for (sum, numbers) in sums.iter_mut().zip(join(low, high, recipes.sums)) {
                    *sum = _mm256_adds_epi16(*sum, numbers);
                }
            }
        }
        for (out, sum) in out.as_chunks_mut::<16>().0.iter_mut().zip(sums.as_flattened()) {
            *out = words256(finish(*sum, recipes.sums));
        }
    }
}

/// The classes of some lanes.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn classes(columns: &[Column], own: &[Column], part: &Part, at: usize) -> Registers {
    let mut classes = load(&columns[part.key.base], at);
    if let Some(mine) = part.key.own {
        for (class, mine) in classes.iter_mut().zip(load(&own[mine], at)) {
            *class = _mm256_add_epi8(*class, mine);
        }
    }
    let mut united = [_mm256_setzero_si256(); WIDTH];
    for (column, mask) in &part.key.masks {
        let mask = _mm256_set1_epi8(mask.cast_signed());
        for ((class, united), bytes) in classes.iter_mut().zip(&mut united).zip(load(&columns[*column], at)) {
            let common = _mm256_and_si256(bytes, mask);
            if part.key.united {
                *united = _mm256_or_si256(*united, common);
            } else {
                *class = _mm256_add_epi8(*class, ones(common));
            }
        }
    }
    if part.key.united {
        for (class, united) in classes.iter_mut().zip(united) {
            *class = _mm256_add_epi8(*class, ones(united));
        }
    }
    classes
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn load(column: &Column, at: usize) -> Registers {
    let mut registers = [_mm256_setzero_si256(); WIDTH];
    let chunks = &column.0.as_chunks::<{ WIDTH * CHUNK }>().0[at];
    for (register, bytes) in registers.iter_mut().zip(chunks.as_chunks::<CHUNK>().0) {
        *register = register256(*bytes);
    }
    registers
}

/// The number of ones in every byte.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn ones(bytes: __m256i) -> __m256i {
    let (half, counts) = (_mm256_set1_epi8(0x0F), twice([0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4]));
    let low = _mm256_shuffle_epi8(counts, _mm256_and_si256(bytes, half));
    let high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half));
    _mm256_add_epi8(low, high)
}

/// The same bytes in both halves of a register.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn twice(bytes: [u8; FEW]) -> __m256i {
    _mm256_broadcastsi128_si256(register128(bytes))
}

/// Adds the digits of every class.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn add_digits(
    recipes: &Recipes,
    part: &Part,
    classes: &Registers,
    low: &mut Registers,
    high: &mut Registers,
) {
    let tables = recipes.tables(part).iter();
    let tables =
        tables.flat_map(|table| table.low.as_chunks::<FEW>().0.iter().zip(table.high.as_chunks::<FEW>().0));
    let mut classes = *classes;
    for (lows, highs) in tables.take(part.values.classes.div_ceil(FEW)) {
        let (lows, highs) = (twice(*lows), twice(*highs));
        for ((class, low), high) in classes.iter_mut().zip(low.iter_mut()).zip(high.iter_mut()) {
            // Only classes below 16 stay below 128, and a permutation gives 0 for all others.
            let at = _mm256_adds_epu8(*class, _mm256_set1_epi8(0x70));
            *low = _mm256_adds_epu8(*low, _mm256_shuffle_epi8(lows, at));
            *high = _mm256_adds_epu8(*high, _mm256_shuffle_epi8(highs, at));
            *class = _mm256_sub_epi8(*class, _mm256_set1_epi8(0x10));
        }
    }
}

/// The numbers that digits make, in order.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn join(low: __m256i, high: __m256i, sums: Sums) -> [__m256i; 2] {
    // Unpacking joins low and high bytes within halves of a register: this order of quarters makes up for it.
    let low = _mm256_permute4x64_epi64::<0b11_01_10_00>(low);
    let high = _mm256_permute4x64_epi64::<0b11_01_10_00>(high);
    let pairs = [_mm256_unpacklo_epi8(low, high), _mm256_unpackhi_epi8(low, high)];
    let weights = _mm256_set1_epi16(i16::from_le_bytes([1, BASE]));
    match sums {
        Sums::Scores => [_mm256_maddubs_epi16(pairs[0], weights), _mm256_maddubs_epi16(pairs[1], weights)],
        Sums::Bits => pairs,
    }
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn finish(sum: __m256i, sums: Sums) -> __m256i {
    match sums {
        Sums::Scores => {
            let is_forbidden = _mm256_cmpgt_epi16(sum, _mm256_set1_epi16(MOST_SCORE));
            _mm256_blendv_epi8(sum, _mm256_set1_epi16(i16::MIN), is_forbidden)
        }
        Sums::Bits => sum,
    }
}

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn count_rows(rows: &[Lanes], seasons: &Seasons, most: u8, out: &mut Column) {
    match most {
        0..16 => count_in::<4>(rows, seasons, most, out),
        16..64 => count_in::<6>(rows, seasons, most, out),
        64.. => count_in::<8>(rows, seasons, most, out),
    }
}

/// Counts in as many bits as numbers up to `most` have.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn count_in<const USED: usize>(rows: &[Lanes], seasons: &Seasons, most: u8, out: &mut Column) {
    let most = _mm256_set1_epi8(most.cast_signed());
    for (part, out) in out.0.as_chunks_mut::<{ 8 * CHUNK }>().0.iter_mut().enumerate() {
        let planes: [__m256i; USED] = count(rows, seasons, part);
        for (at, out) in (0..).zip(out.as_chunks_mut::<CHUNK>().0) {
            let mut numbers = _mm256_setzero_si256();
            for (plane, bit) in planes.iter().zip([1, 2, 4, 8, 16, 32, 64, -128]) {
                let bits = _mm256_permutevar8x32_epi32(*plane, _mm256_set1_epi32(at));
                numbers =
                    _mm256_or_si256(numbers, _mm256_and_si256(bytes_of_bits(bits), _mm256_set1_epi8(bit)));
            }
            *out = bytes256(_mm256_min_epu8(numbers, most));
        }
    }
}

counting!("avx2,popcnt", __m256i);

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn zero() -> __m256i {
    _mm256_setzero_si256()
}

/// A row is two registers.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn bits_of(row: &Lanes, part: usize) -> __m256i {
    register_of_bits256(row.0.as_chunks().0[part])
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn add(a: __m256i, b: __m256i, c: __m256i) -> (__m256i, __m256i) {
    let half = xor(a, b);
    (xor(half, c), or(and(a, b), and(half, c)))
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn xor(a: __m256i, b: __m256i) -> __m256i {
    _mm256_xor_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn and(a: __m256i, b: __m256i) -> __m256i {
    _mm256_and_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn or(a: __m256i, b: __m256i) -> __m256i {
    _mm256_or_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn choose(bits: __m256i, a: __m256i, b: __m256i) -> __m256i {
    or(and(bits, a), _mm256_andnot_si256(bits, b))
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

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn look(scores: &[[i16; SCORES]], parts: &mut [[i16; PARTS]]) -> [i16; 2] {
    look::look::<_, 16>(scores, parts)
}

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn look_wide(scores: &[[i32; SCORES]], parts: &mut [[i32; PARTS]]) -> [i32; 2] {
    look::look::<_, 8>(scores, parts)
}

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn find(scores: &[[i16; SCORES]], floor: i16, found: &mut [u64]) {
    let floor = _mm256_set1_epi16(floor);
    for (scores, found) in scores.iter().zip(found) {
        *found = bits_at_least(scores, [floor; SCORES / 16]);
    }
}

/// One bit for each number that reaches its floor.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn bits_at_least(scores: &[i16; SCORES], floors: [__m256i; SCORES / 16]) -> u64 {
    let (quarters, _) = scores.as_chunks::<{ SCORES / 4 }>();
    let reaches = |quarter: usize| {
        let scores = register_of_words256(quarters[quarter]);
        _mm256_cmpeq_epi16(_mm256_max_epi16(scores, floors[quarter]), scores)
    };
    let bits = |first: usize| {
        // Packing joins two registers within their halves: this order of quarters makes up for it.
        let both = _mm256_packs_epi16(reaches(first), reaches(first + 1));
        let both = _mm256_permute4x64_epi64::<0b11_01_10_00>(both);
        u64::from(_mm256_movemask_epi8(both).cast_unsigned())
    };
    bits(0) | bits(2) << 32
}

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn find_wide(scores: &[[i32; SCORES]], floor: i32, found: &mut [u64]) {
    look::find(scores, floor, found);
}

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn reach(scores: &[[i16; SCORES]], floors: &[[i16; SCORES]], found: &mut [u64]) {
    for ((scores, floors), found) in scores.iter().zip(floors).zip(found) {
        let (quarters, _) = floors.as_chunks::<{ SCORES / 4 }>();
        *found = bits_at_least(scores, [0, 1, 2, 3].map(|at| register_of_words256(quarters[at])));
    }
}

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn reach_wide(scores: &[[i32; SCORES]], floors: &[[i32; SCORES]], found: &mut [u64]) {
    look::reach(scores, floors, found);
}
