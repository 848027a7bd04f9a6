//! Compiled scoring plan: for each row of pairs the *steps* whose values are added up.
//!
//! A step finds the class of every lane and adds the value of the class. Values are looked up as two digits of one byte
//! each, because processors permute bytes. Sums of up to [`TOGETHER`] digits fit in a byte again, and only these sums are
//! joined to numbers of 16 bits.

/// Steps whose digits are added up before they are joined to numbers.
pub(super) const TOGETHER: usize = 6;
/// The base of the digits of a score. It is so low that a sum of [`TOGETHER`] low digits fits in a byte.
pub(super) const BASE: u8 = 43;
/// The largest sum of the scores of a pair that is not forbidden. Its high digit fits in a byte.
pub(super) const MOST_SCORE: i16 = 10_000;
/// High digit of a forbidden pair. Saturating sums keep it.
const FORBIDDEN: u8 = u8::MAX;
/// Classes of one [`DigitTable`].
pub(super) const FEW: usize = 64;

const _: () = assert!((BASE as usize - 1) * TOGETHER < 256 && MOST_SCORE as usize / (BASE as usize) < 255);

/// How the values of all steps make one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum SumKind {
    /// Scores of at most 10,000 in all, or below 0 where the pair is forbidden: then the sum is `i16::MIN`.
    Scores,
    /// Bits, none of them in two steps.
    Bits,
}

/// How the class of a lane is found: the sum of its bytes in the columns `base` and `own`, and of the number of bits that
/// its bytes in other columns have in common with masks.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Key {
    /// A column that all rows share.
    pub(in crate::engine) base: usize,
    /// A column of this row alone, if any.
    pub(in crate::engine) own: Option<usize>,
    /// Columns, each with the mask of the bits that count.
    pub(in crate::engine) masks: Vec<(usize, u8)>,
    /// Whether a bit that several columns have counts once.
    pub(in crate::engine) united: bool,
}

/// One step of a plan: a key, and the values of its classes.
#[derive(Debug)]
pub(super) struct PlanStep {
    pub(super) key: Key,
    pub(super) values: Values,
}

/// Values of some classes, stored in the tables of a plan.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Values {
    /// Number of classes.
    pub(super) classes: usize,
    /// The first of the tables that hold the values. Their number is one, two or four.
    first: usize,
}

/// The digits of [`FEW`] classes.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct DigitTable {
    pub(super) low: [u8; FEW],
    pub(super) high: [u8; FEW],
}

/// The steps of some rows.
#[derive(Debug)]
pub(in crate::engine) struct ScoringPlan {
    pub(super) sums: SumKind,
    steps: Vec<PlanStep>,
    tables: Vec<DigitTable>,
    /// `starts[i]..starts[i + 1]` are the steps of row `i`.
    starts: Vec<usize>,
}

impl ScoringPlan {
    /// A plan without rows.
    pub(in crate::engine) fn new(sums: SumKind) -> Self {
        Self { sums, steps: Vec::new(), tables: Vec::new(), starts: vec![0] }
    }

    /// Stores the values of up to 256 classes, for steps to refer to. Returns `None` if all values are 0.
    pub(in crate::engine) fn write(&mut self, values: &[i16]) -> Option<Values> {
        if values.iter().fold(0, |any, value| any | value) == 0 {
            return None;
        }
        let first = self.tables.len();
        self.tables.extend(values.chunks(FEW).map(|values| self.sums.table(values)));
        let tables = (self.tables.len() - first).next_power_of_two();
        self.tables.resize(first + tables, DigitTable { low: [0; FEW], high: [0; FEW] });
        Some(Values { classes: values.len(), first })
    }

    /// Adds a step to the row that is being written.
    pub(in crate::engine) fn add(&mut self, key: Key, values: Values) {
        self.steps.push(PlanStep { key, values });
    }

    /// Ends the row that is being written. The sums of a row without steps are 0.
    pub(in crate::engine) fn end_row(&mut self) {
        self.starts.push(self.steps.len());
    }

    /// The steps of a row.
    pub(super) fn steps(&self, row: usize) -> &[PlanStep] {
        &self.steps[self.starts[row]..self.starts[row + 1]]
    }

    /// The tables of a step: as many as its classes need, rounded up to one, two or four.
    pub(super) fn tables(&self, step: &PlanStep) -> &[DigitTable] {
        let Values { classes, first } = step.values;
        &self.tables[first..first + classes.div_ceil(FEW).next_power_of_two()]
    }
}

impl SumKind {
    fn table(self, values: &[i16]) -> DigitTable {
        let mut table = DigitTable { low: [0; FEW], high: [0; FEW] };
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
