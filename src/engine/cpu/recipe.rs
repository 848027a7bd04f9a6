//! What is added up for a row of pairs: of several *parts* the value of each lane's class.
//!
//! Values are looked up as two digits of a byte each, because bytes are what processors permute: sums of up to [`TOGETHER`]
//! digits fit a byte again, and only they are put together to numbers of 16 bits.

use super::plain::LANES;

/// Parts whose digits are added up before they are put together.
pub(super) const TOGETHER: usize = 6;
/// What the high digit of a score counts: no sum of [`TOGETHER`] low digits leaves a byte.
pub(super) const BASE: u8 = 43;
/// The most that scores add up to, unless one of them is that of a forbidden pair: its high digit never leaves a byte.
pub(super) const MOST_SCORE: i16 = 10_000;
/// High digit of a forbidden pair: saturated sums keep it.
const FORBIDDEN: u8 = u8::MAX;
/// Classes of one [`Table`].
pub(super) const FEW: usize = 64;

const _: () = assert!((BASE as usize - 1) * TOGETHER < 256 && MOST_SCORE as usize / (BASE as usize) < 255);

/// One byte for each lane.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(in crate::engine) struct Column(pub(in crate::engine) [u8; LANES]);

impl Column {
    /// Zeros.
    pub(in crate::engine) const ZERO: Self = Self([0; LANES]);
}

/// How the values of all parts make one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Sums {
    /// Scores of at most 10,000 in all, or below 0 where the pair is forbidden: then the sum is `i16::MIN`.
    Scores,
    /// Bits, none of them in two parts.
    Bits,
}

/// How the class of a lane is found: what stands in `base`, and in `own` if given, and the number of bits that its bytes in
/// other columns have in common with masks.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Key {
    /// A column of everyone.
    pub(in crate::engine) base: usize,
    /// A column of this row's own.
    pub(in crate::engine) own: Option<usize>,
    /// Columns with the bits that count.
    pub(in crate::engine) masks: Vec<(usize, u8)>,
    /// Whether a bit counts once, though several columns have it.
    pub(in crate::engine) united: bool,
}

/// A key, and the tables of its values.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) key: Key,
    /// Number of classes.
    pub(super) classes: usize,
    /// The first of its tables: one, two or four.
    first: usize,
}

/// The digits of [`FEW`] classes.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Table {
    pub(super) low: [u8; FEW],
    pub(super) high: [u8; FEW],
}

/// All parts of a row.
#[derive(Debug)]
pub(in crate::engine) struct Recipe {
    pub(super) sums: Sums,
    pub(super) parts: Vec<Part>,
    tables: Vec<Table>,
}

impl Recipe {
    /// A recipe without parts, whose sums are 0.
    pub(in crate::engine) fn new(sums: Sums) -> Self {
        Self { sums, parts: Vec::new(), tables: Vec::new() }
    }

    /// Adds a part with the values of up to 256 classes, unless they are all 0; says whether it did.
    pub(in crate::engine) fn add(&mut self, key: Key, values: impl Iterator<Item = i16>) -> bool {
        let first = self.tables.len();
        let (mut classes, mut any) = (0, 0);
        for value in values.take(4 * FEW) {
            if classes % FEW == 0 {
                self.tables.push(Table { low: [0; FEW], high: [0; FEW] });
            }
            let [low, high] = self.sums.digits(value);
            if let Some(table) = self.tables.last_mut() {
                (table.low[classes % FEW], table.high[classes % FEW]) = (low, high);
            }
            classes += 1;
            any |= value;
        }
        if any == 0 {
            self.tables.truncate(first);
            return false;
        }
        let tables = (self.tables.len() - first).next_power_of_two();
        self.tables.resize(first + tables, Table { low: [0; FEW], high: [0; FEW] });
        self.parts.push(Part { key, classes, first });
        true
    }

    /// The tables of a part: as many as there are classes for, or four instead of three.
    pub(super) fn tables(&self, part: &Part) -> &[Table] {
        &self.tables[part.first..part.first + part.classes.div_ceil(FEW).next_power_of_two()]
    }
}

impl Sums {
    fn digits(self, value: i16) -> [u8; 2] {
        match self {
            Self::Bits => value.to_le_bytes(),
            Self::Scores => match u16::try_from(value) {
                Ok(score) => [score % u16::from(BASE), score / u16::from(BASE)].map(|digit| digit.to_le_bytes()[0]),
                Err(_) => [0, FORBIDDEN],
            },
        }
    }
}
