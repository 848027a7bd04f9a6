//! People drawn from a counter-based SplitMix64 stream (Steele, Lea and Flood 2014), and scores of their pairs.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "every number drawn is below a million million"
)]

/// Finaliser of SplitMix64.
pub(crate) fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A pseudo-random number that depends on its three arguments only.
pub(crate) fn random(seed: u64, a: u64, b: u64) -> u64 {
    mix(mix(mix(seed) ^ a) ^ b)
}

/// A number below `n`, computed from the upper half of a random number.
pub(crate) fn below(random: u64, n: u64) -> u64 {
    ((random >> 32) * n) >> 32
}

/// A person of a `profile` instance.
pub(crate) struct Person {
    skills: u64,
    languages: u64,
    region: u64,
    hour: i64,
    seniority: i64,
}

/// Draws `count` people from the stream of `seed`.
pub(crate) fn people(count: usize, seed: u64, mentors: bool) -> Vec<Person> {
    let base = [-8, -5, 0, 1, 5, 9];
    let weights = |kinds: u64| -> Vec<u64> { (1..=kinds).map(|rank| (1 << 20) / rank).collect() };
    let (skill_weights, language_weights) = (weights(64), weights(12));
    (0..count as u64)
        .map(|i| {
            let mut draw = 0;
            let mut pick = |stream: u64, weights: &[u64], wanted: u64| {
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
            let skills =
                pick(1000, &skill_weights, (if mentors { 5 } else { 4 }) + below(random(seed, i, 0), 4));
            let languages = pick(2000, &language_weights, 1 + below(random(seed, i, 1), 3));
            let region = below(random(seed, i, 2), 6);
            let hour = base[region as usize] + below(random(seed, i, 3), 4) as i64 - 1;
            let (a, b) = (below(random(seed, i, 4), 6), below(random(seed, i, 5), 6));
            let seniority = 1 + (if mentors { a.max(b) } else { a.min(b) }) as i64;
            Person { skills, languages, region, hour, seniority }
        })
        .collect()
}

/// Score of a pair, at most 10,000. `None` without a common language, with a mentor junior to the mentee, or with more than
/// nine hours between their time zones.
pub(crate) fn profile_score(mentee: &Person, mentor: &Person) -> Option<i32> {
    let apart = (mentee.hour - mentor.hour).abs();
    let apart = if apart > 12 { 24 - apart } else { apart };
    if mentee.languages & mentor.languages == 0 || mentor.seniority < mentee.seniority || apart > 9 {
        return None;
    }
    let shared = i64::from((mentee.skills & mentor.skills).count_ones());
    let mut score = 5000 * shared / i64::from(mentee.skills.count_ones());
    score += 500 * (4 - (mentor.seniority - mentee.seniority - 2).abs());
    score += if apart < 8 { 1500 * (8 - apart) / 8 } else { 0 };
    score += if mentee.region == mentor.region { 1500 } else { 0 };
    Some(score as i32)
}
