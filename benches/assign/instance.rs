//! Instances for benches and tests, from a counter-based SplitMix64 stream: the same numbers on every machine.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "every number drawn is below a million million"
)]

use super::brought::Matrix;
use super::problem::{Demand, FORBIDDEN, Problem, Seats};

/// A stored matrix of scores with its people.
pub(crate) struct Instance {
    /// The mentees.
    pub(crate) mentees: Vec<Demand>,
    /// The mentors.
    pub(crate) mentors: Vec<Seats>,
    /// Scores, row by row.
    pub(crate) scores: Matrix,
}

impl Instance {
    /// The problem.
    pub(crate) fn problem(&self) -> Problem<'_> {
        Problem { mentees: &self.mentees, mentors: &self.mentors, scores: &self.scores, coverage_first: true }
    }

    /// An instance with one place per mentee and as many seats per mentor as `seats` says.
    pub(crate) fn new(
        mentees: usize,
        mentors: usize,
        seats: impl Fn(usize) -> u32,
        score: impl Fn(usize, usize) -> i32,
    ) -> Self {
        let mut cells = Vec::with_capacity(mentees * mentors);
        for mentee in 0..mentees {
            cells.extend((0..mentors).map(|mentor| score(mentee, mentor)));
        }
        Self {
            mentees: vec![Demand { tier: 0, wanted: 1, pinned: 0 }; mentees],
            mentors: (0..mentors).map(|mentor| Seats { min: 0, max: seats(mentor) }).collect(),
            scores: Matrix::new(mentors, cells).unwrap(),
        }
    }

    /// People with skills, languages, regions, time zones and seniority; about a third of the pairs are candidates, and
    /// scores have a few hundred values only.
    pub(crate) fn profile(mentees: usize, mentors: usize, most_seats: u64, seed: u64) -> Self {
        let wanting = people(mentees, seed * 4 + 1, false);
        let giving = people(mentors, seed * 4 + 2, true);
        let seats = |mentor: usize| 1 + below(random(seed + 9, mentor as u64, 3), most_seats) as u32;
        Self::new(mentees, mentors, seats, |mentee, mentor| profile_score(&wanting[mentee], &giving[mentor]))
    }

    /// Nine-digit scores without structure; ties are rare.
    pub(crate) fn uniform(n: usize, seed: u64) -> Self {
        Self::new(n, n, |_| 1, |i, j| below(random(seed, i as u64, j as u64), 1_000_000_000) as i32)
    }

    /// Scores from 1 to 100.
    pub(crate) fn int100(n: usize, seed: u64) -> Self {
        Self::new(n, n, |_| 1, |i, j| 1 + below(random(seed + 100, i as u64, j as u64), 100) as i32)
    }

    /// Closeness in the plane.
    pub(crate) fn geom(n: usize, seed: u64) -> Self {
        let point = |seed, at: usize| [1, 2].map(|axis| below(random(seed, at as u64, axis), 1 << 20) as i64);
        Self::new(
            n,
            n,
            |_| 1,
            |i, j| {
                let ([ax, ay], [bx, by]) = (point(seed, i), point(seed + 1, j));
                (1 << 21) - ((ax - bx).pow(2) + (ay - by).pow(2)).isqrt() as i32
            },
        )
    }
}

/// Finaliser of SplitMix64.
pub(crate) fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A random number that depends on its three arguments only.
pub(crate) fn random(seed: u64, a: u64, b: u64) -> u64 {
    mix(mix(mix(seed) ^ a) ^ b)
}

/// A number below `n` from the upper half of a random one.
pub(crate) fn below(random: u64, n: u64) -> u64 {
    ((random >> 32) * n) >> 32
}

struct Person {
    skills: u64,
    languages: u64,
    region: u64,
    hour: i64,
    seniority: i64,
}

fn people(count: usize, seed: u64, mentors: bool) -> Vec<Person> {
    let base = [-8, -5, 0, 1, 5, 9];
    (0..count as u64)
        .map(|i| {
            let mut draw = 0;
            let mut pick = |stream: u64, kinds: u64, wanted: u64| {
                let weights: Vec<u64> = (1..=kinds).map(|rank| (1 << 20) / rank).collect();
                let mut set = 0_u64;
                while u64::from(set.count_ones()) < wanted {
                    draw += 1;
                    let mut x = below(random(seed, i, stream + draw), weights.iter().sum());
                    let mut kind = 0;
                    while x >= weights[kind] {
                        x -= weights[kind];
                        kind += 1;
                    }
                    set |= 1 << kind;
                }
                set
            };
            let skills = pick(1000, 64, (if mentors { 5 } else { 4 }) + below(random(seed, i, 0), 4));
            let languages = pick(2000, 12, 1 + below(random(seed, i, 1), 3));
            let region = below(random(seed, i, 2), 6);
            let hour = base[region as usize] + below(random(seed, i, 3), 4) as i64 - 1;
            let (a, b) = (below(random(seed, i, 4), 6), below(random(seed, i, 5), 6));
            let seniority = 1 + (if mentors { a.max(b) } else { a.min(b) }) as i64;
            Person { skills, languages, region, hour, seniority }
        })
        .collect()
}

fn profile_score(mentee: &Person, mentor: &Person) -> i32 {
    let apart = (mentee.hour - mentor.hour).abs();
    let apart = if apart > 12 { 24 - apart } else { apart };
    if mentee.languages & mentor.languages == 0 || mentor.seniority < mentee.seniority || apart > 9 {
        return FORBIDDEN;
    }
    let shared = i64::from((mentee.skills & mentor.skills).count_ones());
    let mut score = 5000 * shared / i64::from(mentee.skills.count_ones());
    score += 500 * (4 - (mentor.seniority - mentee.seniority - 2).abs());
    score += if apart < 8 { 1500 * (8 - apart) / 8 } else { 0 };
    score += if mentee.region == mentor.region { 1500 } else { 0 };
    score as i32
}
