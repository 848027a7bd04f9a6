//! The loops in plain Rust: what every other form must agree with.
//!
//! Counting is bit-sliced: [`LANES`] small numbers side by side in a few words, plane `p` holding bit `p` of each. Adding
//! one bit to every number is a handful of word operations, so counting what many mentors have in common with one mentee
//! costs a fraction of an operation per pair (the carry-save adders of Harley and Seal; Warren, *Hacker's Delight*, 2nd
//! edition 2012, section 5-1).

use super::lanes::{EIGHT, LANES, Lanes, Seasons, WORDS};
use super::look::{self, PARTS, SCORES};
use super::recipe::{BASE, Column, FEW, Key, MOST_SCORE, Recipes, Sums, TOGETHER, Table};

/// Bits of any number.
const PLANES: usize = 8;

/// One bit for every number.
type Bits = [u64; WORDS];

/// One bit of every number per plane.
type Planes = [Bits; PLANES];

/// Values looked up before they are added.
const CHUNK: usize = 64;

pub(super) fn sum_up(
    columns: &[Column],
    own: &[Column],
    recipes: &Recipes,
    row: usize,
    out: &mut [i16; LANES],
) {
    out.fill(0);
    for group in recipes.parts(row).chunks(TOGETHER) {
        let mut digits = [0; LANES];
        for part in group {
            add_digits(recipes.tables(part), &classes(columns, own, &part.key), &mut digits);
        }
        for (sum, digits) in out.iter_mut().zip(digits) {
            let score = (digits & 0xFF) + u16::from(BASE) * (digits >> 8);
            *sum = sum.saturating_add(match recipes.sums {
                Sums::Scores => score.cast_signed(),
                Sums::Bits => digits.cast_signed(),
            });
        }
    }
    if recipes.sums == Sums::Scores {
        for sum in out {
            *sum = if *sum > MOST_SCORE { i16::MIN } else { *sum };
        }
    }
}

/// The classes of all lanes.
fn classes(columns: &[Column], own: &[Column], key: &Key) -> [u8; LANES] {
    let mut classes = columns[key.base].0;
    if let Some(mine) = key.own {
        for (class, mine) in classes.iter_mut().zip(own[mine].0) {
            *class = class.wrapping_add(mine);
        }
    }
    let mut united = [0; LANES];
    for (column, mask) in &key.masks {
        for ((class, united), byte) in classes.iter_mut().zip(&mut united).zip(columns[*column].0) {
            *united |= byte & mask;
            *class = class.wrapping_add(if key.united { 0 } else { ones(byte & mask) });
        }
    }
    if key.united {
        for (class, united) in classes.iter_mut().zip(united) {
            *class = class.wrapping_add(ones(united));
        }
    }
    classes
}

/// The number of ones in a byte: in pairs, in fours, in eights, as vector code does it.
fn ones(byte: u8) -> u8 {
    let pairs = byte - (byte >> 1 & 0x55);
    let fours = (pairs & 0x33) + (pairs >> 2 & 0x33);
    (fours + (fours >> 4)) & 0x0F
}

/// Adds both digits of every class, side by side in 16 bits.
fn add_digits(tables: &[Table], classes: &[u8; LANES], digits: &mut [u16; LANES]) {
    let mut values = [0; 256];
    for (values, table) in values.chunks_mut(FEW).zip(tables) {
        for ((value, low), high) in values.iter_mut().zip(table.low).zip(table.high) {
            *value = u16::from_le_bytes([low, high]);
        }
    }
    for (classes, digits) in classes.chunks(CHUNK).zip(digits.chunks_mut(CHUNK)) {
        // Two loops, because only the second becomes vector code.
        let mut found = [0; CHUNK];
        for (found, class) in found.iter_mut().zip(classes) {
            *found = values[usize::from(*class)];
        }
        for (digits, found) in digits.iter_mut().zip(found) {
            // Low digits never leave their byte, and high ones that do stay at its end.
            *digits = digits.saturating_add(found);
        }
    }
}

pub(super) fn count_rows(rows: &[Lanes], seasons: &Seasons, most: u8, out: &mut Column) {
    let mut planes = count(rows, seasons);
    // Whatever has a higher bit than `most` is more than that: then all lower bits say so too.
    let used = (u8::BITS - most.leading_zeros()) as usize;
    let (lower, higher) = planes.split_at_mut(used);
    for higher in higher {
        for (lower, higher) in lower.iter_mut().flat_map(|plane| plane.iter_mut().zip(&*higher)) {
            *lower |= higher;
        }
    }
    for (word, out) in out.0.chunks_exact_mut(64).enumerate() {
        for (byte, out) in out.chunks_exact_mut(8).enumerate() {
            let spread = |plane: usize| SPREAD[usize::from(planes[plane][word].to_le_bytes()[byte])] << plane;
            let numbers = (0..used).map(spread).fold(0, |all, bits| all | bits).to_le_bytes();
            for (out, number) in out.iter_mut().zip(numbers) {
                *out = number.min(most);
            }
        }
    }
}

pub(super) fn look(scores: &[[i16; SCORES]], parts: &mut [[i16; PARTS]]) -> [i16; 2] {
    look::look::<_, 8>(scores, parts)
}

pub(super) fn look_wide(scores: &[[i32; SCORES]], parts: &mut [[i32; PARTS]]) -> [i32; 2] {
    look::look::<_, 8>(scores, parts)
}

pub(super) fn find(scores: &[[i16; SCORES]], floor: i16, found: &mut [u64]) {
    look::find(scores, floor, found);
}

pub(super) fn find_wide(scores: &[[i32; SCORES]], floor: i32, found: &mut [u64]) {
    look::find(scores, floor, found);
}

pub(super) fn reach(scores: &[[i16; SCORES]], floors: &[[i16; SCORES]], found: &mut [u64]) {
    look::reach(scores, floors, found);
}

pub(super) fn reach_wide(scores: &[[i32; SCORES]], floors: &[[i32; SCORES]], found: &mut [u64]) {
    look::reach(scores, floors, found);
}

/// Counts the bits of every lane in the rows of each season, and keeps the least: one bit of every number per plane. Numbers
/// that need more planes stay at the most that these can tell.
fn count(rows: &[Lanes], seasons: &Seasons) -> Planes {
    let mut counted = seasons.iter().map(|chosen| count_season(rows, chosen));
    let mut fewest = counted.next().unwrap_or([[0; WORDS]; PLANES]);
    for counted in counted {
        keep_least(&mut fewest, &counted);
    }
    fewest
}

fn count_season(rows: &[Lanes], chosen: &[u32]) -> Planes {
    let mut planes = [[0; WORDS]; PLANES];
    let mut over = [0; WORDS];
    for eight in chosen.as_chunks::<EIGHT>().0 {
        let row = |at: usize| &rows[eight[at] as usize].0;
        let [ones, twos, fours, higher @ ..] = &mut planes;
        let a = full_add(ones, row(0), row(1));
        let b = full_add(ones, row(2), row(3));
        let c = full_add(ones, row(4), row(5));
        let d = full_add(ones, row(6), row(7));
        let a = full_add(twos, &a, &b);
        let b = full_add(twos, &c, &d);
        let mut carry = full_add(fours, &a, &b);
        for plane in higher {
            carry = half_add(plane, &carry);
        }
        for (over, carry) in over.iter_mut().zip(carry) {
            *over |= carry;
        }
    }
    for plane in &mut planes {
        for (plane, over) in plane.iter_mut().zip(over) {
            *plane |= over;
        }
    }
    planes
}

fn keep_least(mine: &mut Planes, theirs: &Planes) {
    let mut less: Bits = [0; WORDS];
    for (mine, theirs) in mine.iter().zip(theirs) {
        for ((less, mine), theirs) in less.iter_mut().zip(mine).zip(theirs) {
            // From the lowest bit up, the highest that differs decides.
            *less = (*less & !(mine ^ theirs)) | (mine & !theirs);
        }
    }
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        for ((mine, theirs), less) in mine.iter_mut().zip(theirs).zip(less) {
            *mine = (*mine & !less) | (theirs & less);
        }
    }
}

/// Adds two bits to each number's bit in `plane`, and returns the carries.
fn full_add(plane: &mut Bits, a: &Bits, b: &Bits) -> Bits {
    let mut carry = [0; WORDS];
    for (((plane, a), b), carry) in plane.iter_mut().zip(a).zip(b).zip(&mut carry) {
        let half = *plane ^ a;
        *carry = (*plane & a) | (half & b);
        *plane = half ^ b;
    }
    carry
}

/// Adds one bit to each number's bit in `plane`, and returns the carries.
fn half_add(plane: &mut Bits, bit: &Bits) -> Bits {
    let mut carry = [0; WORDS];
    for ((plane, bit), carry) in plane.iter_mut().zip(bit).zip(&mut carry) {
        *carry = *plane & bit;
        *plane ^= bit;
    }
    carry
}

/// The eight bits of a byte as eight bytes, the lowest first.
const SPREAD: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            table[byte] |= ((byte as u64 >> bit) & 1) << (8 * bit);
            bit += 1;
        }
        byte += 1;
    }
    table
};
