//! What is added up for rows of pairs: of several *parts* the value of each lane's class.
//!
//! Values are looked up as two digits of a byte each, because bytes are what processors permute: sums of up to [`TOGETHER`]
//! digits fit a byte again, and only they are put together to numbers of 16 bits.

use super::lanes::LANES;

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
    pub(super) values: Values,
}

/// Values of some classes, as they stand in the tables of a recipe.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Values {
    /// Number of classes.
    pub(super) classes: usize,
    /// The first of their tables: one, two or four.
    first: usize,
}

/// The digits of [`FEW`] classes.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Table {
    pub(super) low: [u8; FEW],
    pub(super) high: [u8; FEW],
}

/// All parts of some rows.
#[derive(Debug)]
pub(in crate::engine) struct Recipes {
    pub(super) sums: Sums,
    parts: Vec<Part>,
    tables: Vec<Table>,
    /// `starts[i]..starts[i + 1]` are the parts of row `i`.
    starts: Vec<usize>,
}

impl Recipes {
    /// Recipes of no rows.
    pub(in crate::engine) fn new(sums: Sums) -> Self {
        Self { sums, parts: Vec::new(), tables: Vec::new(), starts: vec![0] }
    }

    /// Writes the values of up to 256 classes for parts to speak of; `None` if they are all 0.
    pub(in crate::engine) fn write(&mut self, values: &[i16]) -> Option<Values> {
        if values.iter().fold(0, |any, value| any | value) == 0 {
            return None;
        }
        let first = self.tables.len();
        self.tables.extend(values.chunks(FEW).map(|values| self.sums.table(values)));
        let tables = (self.tables.len() - first).next_power_of_two();
        self.tables.resize(first + tables, Table { low: [0; FEW], high: [0; FEW] });
        Some(Values { classes: values.len(), first })
    }

    /// Adds a part to the row that is being written.
    pub(in crate::engine) fn add(&mut self, key: Key, values: Values) {
        self.parts.push(Part { key, values });
    }

    /// Ends the row that is being written: without parts its sums are 0.
    pub(in crate::engine) fn end_row(&mut self) {
        self.starts.push(self.parts.len());
    }

    /// The parts of a row.
    pub(super) fn parts(&self, row: usize) -> &[Part] {
        &self.parts[self.starts[row]..self.starts[row + 1]]
    }

    /// The tables of a part: as many as there are classes for, or four instead of three.
    pub(super) fn tables(&self, part: &Part) -> &[Table] {
        let Values { classes, first } = part.values;
        &self.tables[first..first + classes.div_ceil(FEW).next_power_of_two()]
    }
}

impl Sums {
    fn table(self, values: &[i16]) -> Table {
        let mut table = Table { low: [0; FEW], high: [0; FEW] };
        for ((value, low), high) in values.iter().zip(&mut table.low).zip(&mut table.high) {
            let number = value.cast_unsigned();
            let digits = match self {
                Self::Bits => [number & 0xFF, number >> 8],
                Self::Scores if *value < 0 => [0, FORBIDDEN.into()],
                Self::Scores => [number % u16::from(BASE), number / u16::from(BASE)],
            };
            [*low, *high] = digits.map(|digit| digit.to_le_bytes()[0]);
        }
        table
    }
}
