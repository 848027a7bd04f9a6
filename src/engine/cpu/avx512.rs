//! The loops for AVX-512: 64 bytes at a time.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi8, _mm512_adds_epi16, _mm512_adds_epu8, _mm512_and_si512, _mm512_cmpge_epi16_mask,
    _mm512_cmpgt_epi16_mask, _mm512_maddubs_epi16, _mm512_mask_add_epi8, _mm512_mask_blend_epi8,
    _mm512_mask_mov_epi16, _mm512_min_epu8, _mm512_movepi8_mask, _mm512_or_si512, _mm512_permutex2var_epi8,
    _mm512_permutexvar_epi8, _mm512_permutexvar_epi64, _mm512_popcnt_epi8, _mm512_set1_epi8,
    _mm512_set1_epi16, _mm512_set1_epi64, _mm512_setr_epi64, _mm512_setzero_si512, _mm512_ternarylogic_epi64,
    _mm512_test_epi8_mask, _mm512_unpackhi_epi8, _mm512_unpacklo_epi8, _mm512_xor_si512,
};

use super::counting::counting;
use super::lanes::{EIGHT, LANES, Lanes, Seasons};
use super::look::{self, PARTS, SCORES};
use super::recipe::{BASE, Column, MOST_SCORE, Part, Recipes, Sums, TOGETHER, Table};
use super::registers::{bytes512, register_of_bits512, register_of_words512, register512, words512};

/// Bytes of a register.
const CHUNK: usize = 64;
/// Registers whose lanes are summed up together, so that a table is read once for all of them.
const WIDTH: usize = 4;

type Registers = [__m512i; WIDTH];

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
pub(super) fn sum_up(
    columns: &[Column],
    own: &[Column],
    recipes: &Recipes,
    row: usize,
    out: &mut [i16; LANES],
) {
    for (at, out) in out.as_chunks_mut::<{ WIDTH * CHUNK }>().0.iter_mut().enumerate() {
        let mut sums = [[_mm512_setzero_si512(); 2]; WIDTH];
        for group in recipes.parts(row).chunks(TOGETHER) {
            let (mut low, mut high) = ([_mm512_setzero_si512(); WIDTH], [_mm512_setzero_si512(); WIDTH]);
            for part in group {
                let classes = classes(columns, own, part, at);
                add_digits(recipes.tables(part), &classes, &mut low, &mut high);
            }
            for ((sums, low), high) in sums.iter_mut().zip(low).zip(high) {
                for (sum, numbers) in sums.iter_mut().zip(join(low, high, recipes.sums)) {
                    *sum = _mm512_adds_epi16(*sum, numbers);
                }
            }
        }
        for (out, sum) in out.as_chunks_mut::<32>().0.iter_mut().zip(sums.as_flattened()) {
            *out = words512(finish(*sum, recipes.sums));
        }
    }
}

/// The classes of some lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn classes(columns: &[Column], own: &[Column], part: &Part, at: usize) -> Registers {
    let mut classes = load(&columns[part.key.base], at);
    if let Some(mine) = part.key.own {
        for (class, mine) in classes.iter_mut().zip(load(&own[mine], at)) {
            *class = _mm512_add_epi8(*class, mine);
        }
    }
    let mut united = [_mm512_setzero_si512(); WIDTH];
    for (column, mask) in &part.key.masks {
        let mask = _mm512_set1_epi8(mask.cast_signed());
        for ((class, united), bytes) in classes.iter_mut().zip(&mut united).zip(load(&columns[*column], at)) {
            let common = _mm512_and_si512(bytes, mask);
            if part.key.united {
                *united = _mm512_or_si512(*united, common);
            } else {
                *class = _mm512_add_epi8(*class, _mm512_popcnt_epi8(common));
            }
        }
    }
    if part.key.united {
        for (class, united) in classes.iter_mut().zip(united) {
            *class = _mm512_add_epi8(*class, _mm512_popcnt_epi8(united));
        }
    }
    classes
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn load(column: &Column, at: usize) -> Registers {
    let mut registers = [_mm512_setzero_si512(); WIDTH];
    let chunks = &column.0.as_chunks::<{ WIDTH * CHUNK }>().0[at];
    for (register, bytes) in registers.iter_mut().zip(chunks.as_chunks::<CHUNK>().0) {
        *register = register512(*bytes);
    }
    registers
}

/// Adds the digits of every class.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn add_digits(tables: &[Table], classes: &Registers, low: &mut Registers, high: &mut Registers) {
    match tables {
        [a] => {
            add_of_one(a.low, classes, low);
            add_of_one(a.high, classes, high);
        }
        [a, b] => {
            add_of_two([a.low, b.low], classes, low);
            add_of_two([a.high, b.high], classes, high);
        }
        [a, b, c, d] => {
            add_of_four([a.low, b.low, c.low, d.low], classes, low);
            add_of_four([a.high, b.high, c.high, d.high], classes, high);
        }
        _ => {}
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn add_of_one(table: [u8; CHUNK], classes: &Registers, sums: &mut Registers) {
    let table = register512(table);
    for (sum, class) in sums.iter_mut().zip(classes) {
        *sum = _mm512_adds_epu8(*sum, _mm512_permutexvar_epi8(*class, table));
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn add_of_two([a, b]: [[u8; CHUNK]; 2], classes: &Registers, sums: &mut Registers) {
    let (a, b) = (register512(a), register512(b));
    for (sum, class) in sums.iter_mut().zip(classes) {
        *sum = _mm512_adds_epu8(*sum, _mm512_permutex2var_epi8(a, *class, b));
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn add_of_four([a, b, c, d]: [[u8; CHUNK]; 4], classes: &Registers, sums: &mut Registers) {
    let (a, b, c, d) = (register512(a), register512(b), register512(c), register512(d));
    for (sum, class) in sums.iter_mut().zip(classes) {
        let lower = _mm512_permutex2var_epi8(a, *class, b);
        let upper = _mm512_permutex2var_epi8(c, *class, d);
        let found = _mm512_mask_blend_epi8(_mm512_movepi8_mask(*class), lower, upper);
        *sum = _mm512_adds_epu8(*sum, found);
    }
}

/// The numbers that digits make, in order.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn join(low: __m512i, high: __m512i, sums: Sums) -> [__m512i; 2] {
    // Unpacking joins low and high bytes within quarters of a register: this order of eighths makes up for it.
    let order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
    let (low, high) = (_mm512_permutexvar_epi64(order, low), _mm512_permutexvar_epi64(order, high));
    let pairs = [_mm512_unpacklo_epi8(low, high), _mm512_unpackhi_epi8(low, high)];
    let weights = _mm512_set1_epi16(i16::from_le_bytes([1, BASE]));
    match sums {
        Sums::Scores => [_mm512_maddubs_epi16(pairs[0], weights), _mm512_maddubs_epi16(pairs[1], weights)],
        Sums::Bits => pairs,
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn finish(sum: __m512i, sums: Sums) -> __m512i {
    match sums {
        Sums::Scores => {
            let is_forbidden = _mm512_cmpgt_epi16_mask(sum, _mm512_set1_epi16(MOST_SCORE));
            _mm512_mask_mov_epi16(sum, is_forbidden, _mm512_set1_epi16(i16::MIN))
        }
        Sums::Bits => sum,
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
pub(super) fn count_rows(rows: &[Lanes], seasons: &Seasons, most: u8, out: &mut Column) {
    match most {
        0..16 => count_in::<4>(rows, seasons, most, out),
        16..64 => count_in::<6>(rows, seasons, most, out),
        64.. => count_in::<8>(rows, seasons, most, out),
    }
}

/// Counts in as many bits as numbers up to `most` have.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn count_in<const USED: usize>(rows: &[Lanes], seasons: &Seasons, most: u8, out: &mut Column) {
    let planes: [__m512i; USED] = count(rows, seasons, 0);
    let most = _mm512_set1_epi8(most.cast_signed());
    // Each lane's own bit of the byte that it is put beside.
    let each = _mm512_set1_epi64(0x8040_2010_0804_0201_u64.cast_signed());
    let mut bytes = register512(std::array::from_fn(|lane| lane.to_le_bytes()[0] / 8));
    for out in out.0.as_chunks_mut::<CHUNK>().0 {
        let mut numbers = _mm512_setzero_si512();
        for (plane, bit) in planes.iter().zip([1, 2, 4, 8, 16, 32, 64, -128]) {
            let is_set = _mm512_test_epi8_mask(_mm512_permutexvar_epi8(bytes, *plane), each);
            numbers = _mm512_mask_add_epi8(numbers, is_set, numbers, _mm512_set1_epi8(bit));
        }
        *out = bytes512(_mm512_min_epu8(numbers, most));
        bytes = _mm512_add_epi8(bytes, _mm512_set1_epi8(8));
    }
}

counting!("avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg", __m512i);

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn zero() -> __m512i {
    _mm512_setzero_si512()
}

/// A row is one register.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn bits_of(row: &Lanes, _part: usize) -> __m512i {
    register_of_bits512(row.0)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn add(a: __m512i, b: __m512i, c: __m512i) -> (__m512i, __m512i) {
    (_mm512_ternarylogic_epi64::<0x96>(a, b, c), _mm512_ternarylogic_epi64::<0xE8>(a, b, c))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn xor(a: __m512i, b: __m512i) -> __m512i {
    _mm512_xor_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn and(a: __m512i, b: __m512i) -> __m512i {
    _mm512_and_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn or(a: __m512i, b: __m512i) -> __m512i {
    _mm512_or_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
fn choose(bits: __m512i, a: __m512i, b: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0xCA>(bits, a, b)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
pub(super) fn look(scores: &[[i16; SCORES]], parts: &mut [[i16; PARTS]]) -> [i16; 2] {
    look::look::<_, 32>(scores, parts)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
pub(super) fn look_wide(scores: &[[i32; SCORES]], parts: &mut [[i32; PARTS]]) -> [i32; 2] {
    look::look::<_, 16>(scores, parts)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
pub(super) fn find(scores: &[[i16; SCORES]], floor: i16, found: &mut [u64]) {
    let floor = _mm512_set1_epi16(floor);
    for (scores, found) in scores.iter().zip(found) {
        let (halves, _) = scores.as_chunks::<{ SCORES / 2 }>();
        let [low, high] =
            [0, 1].map(|half| _mm512_cmpge_epi16_mask(register_of_words512(halves[half]), floor));
        *found = u64::from(low) | u64::from(high) << 32;
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
pub(super) fn find_wide(scores: &[[i32; SCORES]], floor: i32, found: &mut [u64]) {
    look::find(scores, floor, found);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
pub(super) fn reach(scores: &[[i16; SCORES]], floors: &[[i16; SCORES]], found: &mut [u64]) {
    for ((scores, floors), found) in scores.iter().zip(floors).zip(found) {
        let ((scores, _), (floors, _)) =
            (scores.as_chunks::<{ SCORES / 2 }>(), floors.as_chunks::<{ SCORES / 2 }>());
        let [low, high] = [0, 1].map(|half| {
            _mm512_cmpge_epi16_mask(register_of_words512(scores[half]), register_of_words512(floors[half]))
        });
        *found = u64::from(low) | u64::from(high) << 32;
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bitalg")]
pub(super) fn reach_wide(scores: &[[i32; SCORES]], floors: &[[i32; SCORES]], found: &mut [u64]) {
    look::reach(scores, floors, found);
}
