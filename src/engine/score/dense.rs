//! The dense pass: compiles the verdicts of a mentee into a scoring plan, and runs the plan on a range of mentors.
//!
//! Output: one number of 16 bits per pair, of one [`Plane`]. Invariant: the number is that of [`Scores::verdict`].

use std::collections::HashMap;
use std::ops::Range;

use super::aspect::{Classifier, Compute};
use super::scores::Scores;
use super::table::LookupWay;
use crate::domain::policy::HardRule;
use crate::engine::cpu::{Column, LANES, ScoringPlan, Values};
use crate::engine::eligibility::{Plane, Rules, Verdict};
use crate::engine::encode::ties::Relations;
use crate::engine::pair_scores::{FORBIDDEN, Fill, NarrowScores, Opposites, PairScores, tie_break};

/// Tiles with fewer columns are computed pair by pair, because compiling a plan would cost more.
const NARROW: usize = 16;

/// The part of one mentee's row that is not in the scoring plan.
#[derive(Default)]
struct RowPlan<'a> {
    /// Computes the columns of this mentee that the plan reads.
    own: Vec<Box<dyn Compute + 'a>>,
    /// These columns, for the block that is being summed up.
    computed: Vec<Column>,
    /// Tables whose classes no byte can name, and whose verdict is not the same for all mentors.
    singly: Vec<usize>,
}

/// Builds the scoring plan of some mentees on one plane.
struct PlanBuilder {
    plane: Plane,
    plan: ScoringPlan,
    /// Values that are already in the plan, by table and kind of mentee.
    known: HashMap<(usize, u32), Option<Values>>,
    room: Vec<Verdict>,
}

/// The compiled plan of some mentees, which can run on any range of mentors.
pub(in crate::engine) struct Rows<'a> {
    scores: &'a Scores<'a>,
    mentees: Range<usize>,
    plane: Plane,
    plan: ScoringPlan,
    laid_out: Vec<RowPlan<'a>>,
}

impl<'a> Rows<'a> {
    /// Compiles the plan of some mentees on a plane.
    pub(in crate::engine) fn new(scores: &'a Scores<'a>, mentees: Range<usize>, plane: Plane) -> Self {
        let mut builder = PlanBuilder {
            plane,
            plan: ScoringPlan::new(plane.sums()),
            known: HashMap::new(),
            room: Vec::new(),
        };
        let laid_out = mentees.clone().map(|mentee| scores.lay_out(mentee, &mut builder)).collect();
        let plan = builder.plan;
        Self { scores, mentees, plane, plan, laid_out }
    }

    /// Writes a tile, row-major.
    pub(in crate::engine) fn fill(&mut self, cols: Range<usize>, out: &mut [i16]) {
        if cols.is_empty() {
            return;
        }
        let (scores, mentees, plane) = (self.scores, self.mentees.clone(), self.plane);
        self.sum_up(cols.clone(), out);
        scores.exclude_low(mentees.clone(), cols.clone(), plane, out);
        for (mentee, out) in mentees.zip(out.chunks_exact_mut(cols.len())) {
            scores.exclude_mutual(mentee, &cols, plane, out);
        }
    }

    /// Writes the sums of the numbers of all aspects.
    fn sum_up(&mut self, cols: Range<usize>, out: &mut [i16]) {
        let (scores, plane, plan) = (self.scores, self.plane, &self.plan);
        for block in cols.start / LANES..cols.end.div_ceil(LANES) {
            let first = block * LANES;
            let mentors = cols.start.max(first)..cols.end.min(first + LANES);
            let columns = scores.columns.block(block);
            // Computed columns come first: they read much memory, and the block then stays in the L1 cache.
            for row in &mut self.laid_out {
                row.computed.resize(row.own.len(), Column::ZERO);
                for (column, compute) in row.computed.iter_mut().zip(&mut row.own) {
                    compute.compute(block, scores.cpu, column);
                }
            }
            let rows = self.laid_out.iter().enumerate();
            for ((at, row), out) in rows.zip(out.chunks_exact_mut(cols.len())) {
                let out = &mut out[mentors.start - cols.start..mentors.end - cols.start];
                if let Some(whole) = out.as_mut_array() {
                    scores.cpu.sum_up(columns, &row.computed, plan, at, whole);
                } else {
                    let mut whole = [0; LANES];
                    scores.cpu.sum_up(columns, &row.computed, plan, at, &mut whole);
                    out.copy_from_slice(&whole[mentors.start - first..mentors.end - first]);
                }
            }
        }
        let mut room = Vec::new();
        let rows = self.mentees.clone().zip(&self.laid_out);
        for ((mentee, row), out) in rows.zip(out.chunks_exact_mut(cols.len())) {
            for table in &row.singly {
                scores.add_singly(mentee, *table, cols.clone(), plane, &mut room, out);
            }
            scores.correct_pairs(mentee, &cols, plane, out);
        }
    }
}

impl Scores<'_> {
    /// Writes the numbers of a tile on a plane, row-major.
    pub(in crate::engine) fn fill(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        plane: Plane,
        out: &mut [i16],
    ) {
        if cols.len() >= NARROW {
            Rows::new(self, rows, plane).fill(cols, out);
            return;
        }
        for (mentee, out) in rows.zip(out.chunks_exact_mut(cols.len().max(1))) {
            for (mentor, out) in cols.clone().zip(out) {
                *out = plane.of(self.verdict(mentee, mentor));
            }
        }
    }

    /// Number of tables in bundles, of tables with classes of the mentee, and of tables that are looked up pair by pair.
    #[cfg(test)]
    pub(in crate::engine) fn ways_of_looking_up(&self) -> [usize; 3] {
        let of_mentee =
            self.wide.iter().filter(|at| matches!(self.tables[**at].way(), LookupWay::OfMentee)).count();
        [self.tables.len() - self.wide.len(), of_mentee, self.wide.len() - of_mentee]
    }

    /// Compiles the row of a mentee: the verdicts with every class of mentors go into the plan.
    fn lay_out(&self, mentee: usize, builder: &mut PlanBuilder) -> RowPlan<'_> {
        let PlanBuilder { plane, plan, known, room } = builder;
        let mut row = RowPlan::default();
        // Verdicts that are the same for all mentors: most people do not answer most of the rarer questions.
        let mut of_all = Verdict::CLEAR;
        for at in &self.wide {
            let table = &self.tables[*at];
            if matches!(table.way(), LookupWay::OfMentee) {
                let values = known.entry((*at, table.kind(mentee))).or_insert_with(|| {
                    let verdicts = table.class_verdicts(mentee, room).iter();
                    plan.write(&verdicts.map(|verdict| plane.of(*verdict)).collect::<Vec<i16>>())
                });
                if let Some(values) = values {
                    let Classifier { mut key, own } = table.classifier(mentee);
                    key.own = own.is_some().then_some(row.own.len());
                    plan.add(key, *values);
                    row.own.extend(own);
                }
            } else if !self.bundles.is_empty()
                && let Some(verdict) = table.only_verdict(mentee, room)
            {
                of_all = of_all.and(verdict);
            } else {
                row.singly.push(*at);
            }
        }
        for bundle in &self.bundles {
            let of_all = std::mem::replace(&mut of_all, Verdict::CLEAR);
            bundle.add_to(plan, &self.tables, mentee, *plane, of_all, room);
        }
        plan.end_row();
        row
    }

    /// Adds the verdicts of a table whose classes no byte can name.
    fn add_singly(
        &self,
        mentee: usize,
        table: usize,
        mentors: Range<usize>,
        plane: Plane,
        room: &mut Vec<Verdict>,
        out: &mut [i16],
    ) {
        let table = &self.tables[table];
        if let LookupWay::Classes(_, of) = table.way() {
            let verdicts = table.class_verdicts(mentee, room);
            for (out, class) in out.iter_mut().zip(&of[mentors]) {
                *out = out.saturating_add(plane.of(verdicts[usize::from(*class)]));
            }
        } else {
            for (out, mentor) in out.iter_mut().zip(mentors) {
                *out = out.saturating_add(plane.of(table.pair(mentee, mentor, Relations::NONE)));
            }
        }
    }

    /// Corrects the numbers of pairs that have to do with each other: members of one group, and tied pairs.
    fn correct_pairs(&self, mentee: usize, mentors: &Range<usize>, plane: Plane, out: &mut [i16]) {
        for same_group in &self.same_group {
            let broken = plane.of(same_group.broken());
            for at in same_group.members_with(mentee, mentors) {
                let number = &mut out[at - mentors.start];
                *number = number.saturating_add(broken);
            }
        }
        for (mentor, _, sum) in self.tied.of_range(mentee, mentors) {
            out[*mentor as usize - mentors.start] = plane.of(*sum);
        }
    }

    /// Applies the rule on the lowest score.
    fn exclude_low(&self, rows: Range<usize>, cols: Range<usize>, plane: Plane, out: &mut [i16]) {
        let lowest = self.min_score.cast_signed();
        if lowest == 0 {
            return;
        }
        match plane {
            Plane::Points => {}
            Plane::Scores => {
                for number in out {
                    *number = if *number < lowest { i16::MIN } else { *number };
                }
            }
            Plane::Rules => {
                let mut points = vec![0; out.len()];
                Rows::new(self, rows, Plane::Points).sum_up(cols, &mut points);
                let rule = Rules::of(HardRule::MinScore).bits().cast_signed();
                for (number, points) in out.iter_mut().zip(points) {
                    *number |= if points < lowest { rule } else { 0 };
                }
            }
        }
    }

    /// Applies the rule on mutual mentoring, which depends on whole verdicts.
    fn exclude_mutual(&self, mentee: usize, mentors: &Range<usize>, plane: Plane, out: &mut [i16]) {
        let (Some(mutual), Some(_)) = (&self.mutual, self.mentees[mentee].mentor) else { return };
        let first = mutual.mentors.partition_point(|at| (*at as usize) < mentors.start);
        let both = mutual.mentors[first..].iter().map(|at| *at as usize);
        for at in both.take_while(|at| *at < mentors.end) {
            let number = &mut out[at - mentors.start];
            let is_candidate = if plane == Plane::Rules { *number == 0 } else { *number >= 0 };
            if is_candidate && !self.is_above(at, mentee) {
                *number = plane.of(self.verdict(mentee, at));
            }
        }
    }
}

impl PairScores for Scores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        let mut narrow = vec![0; rows.len() * cols.len()];
        self.fill(rows, cols, Plane::Scores, &mut narrow);
        for (out, score) in out.iter_mut().zip(narrow) {
            *out = if score < 0 { FORBIDDEN } else { i32::from(score) };
        }
    }

    fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
        let verdict = self.verdict(mentee, mentor);
        verdict.is_candidate().then(|| i32::from(verdict.score()))
    }

    fn tie_break(&self, mentee: usize, mentor: usize) -> u32 {
        tie_break(self.keys[0][mentee], self.keys[1][mentor])
    }

    fn narrow(&self) -> Option<&dyn NarrowScores> {
        Some(self)
    }

    fn opposites(&self) -> Option<&Opposites> {
        self.opposites.as_ref()
    }
}

impl NarrowScores for Scores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i16]) {
        self.fill(rows, cols, Plane::Scores, out);
    }

    fn tiles(&self, rows: Range<usize>) -> Fill<'_, i16> {
        let mut rows = Rows::new(self, rows, Plane::Scores);
        Box::new(move |cols, out| rows.fill(cols, out))
    }
}
