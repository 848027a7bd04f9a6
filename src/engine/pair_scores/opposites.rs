//! Pairs in two directions: people who are both mentee and mentor, where two people may not mentor each other.
//!
//! A pair of two such people has an *opposite*: the same two people with their roles exchanged. An assignment uses at most
//! one of the two directions.

/// No position.
const NONE: u32 = u32::MAX;

/// Who is the same person on both sides, for a policy by which two people may not mentor each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opposites {
    /// By mentee: her position as a mentor.
    mentor_of: Vec<u32>,
    /// By mentor: her position as a mentee.
    mentee_of: Vec<u32>,
    /// By mentor: her career stage, 0 if unknown. It decides between two directions of equal score.
    stages: Vec<u8>,
}

/// A pair of a mentee and a mentor.
pub(in crate::engine) type Pair = (u32, u32);

impl Opposites {
    /// `same` lists the people on both sides: position as mentee, position as mentor, career stage (0 if unknown).
    pub fn new(mentees: usize, mentors: usize, same: impl IntoIterator<Item = (u32, u32, u8)>) -> Self {
        let mut this =
            Self { mentor_of: vec![NONE; mentees], mentee_of: vec![NONE; mentors], stages: vec![0; mentors] };
        for (mentee, mentor, stage) in same {
            if let (Some(to), Some(from), Some(of)) = (
                this.mentor_of.get_mut(mentee as usize),
                this.mentee_of.get_mut(mentor as usize),
                this.stages.get_mut(mentor as usize),
            ) {
                (*to, *from, *of) = (mentor, mentee, stage);
            }
        }
        this
    }

    /// The same two people with their roles exchanged; `None` if one of them has one role only.
    pub fn of(&self, (mentee, mentor): Pair) -> Option<Pair> {
        let (as_mentor, as_mentee) =
            (*self.mentor_of.get(mentee as usize)?, *self.mentee_of.get(mentor as usize)?);
        (as_mentor != NONE && as_mentee != NONE).then_some((as_mentee, as_mentor))
    }

    /// The pairs of an assignment that are used in both directions, each once. `pairs` are sorted.
    pub fn both(&self, pairs: &[Pair]) -> Vec<(Pair, Pair)> {
        let opposite = |pair: &Pair| self.of(*pair).filter(|other| pair < other);
        let used = |other: &Pair| pairs.binary_search(other).is_ok();
        pairs.iter().filter_map(|pair| Some((*pair, opposite(pair).filter(used)?))).collect()
    }

    /// The pairs of an assignment whose opposites are candidates that it may not use, with these opposites.
    pub fn barred(&self, pairs: &[Pair]) -> Vec<Pair> {
        let mut barred: Vec<Pair> = pairs.iter().filter_map(|pair| self.of(*pair)).collect();
        barred.sort_unstable();
        barred
    }

    /// Whether the mentor of a pair has a higher career stage than the mentor of the opposite.
    pub fn is_upward(&self, pair: Pair) -> bool {
        let stage = |pair: Pair| self.stages.get(pair.1 as usize).copied().unwrap_or_default();
        self.of(pair).is_some_and(|other| stage(other) > 0 && stage(pair) > stage(other))
    }
}
