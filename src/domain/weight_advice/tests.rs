use super::*;
use crate::domain::policy::Criterion::{CareerStage, Goals, Language, Topics, WorkingStyle};

/// Fulfilled criteria and the satisfaction of a made mentorship.
type Made = (BTreeMap<Criterion, u16>, u16);

/// Numbers that look random, from a seed.
struct Numbers(u64);

impl Numbers {
    /// A number from 0 to `below - 1`, by SplitMix64 (Steele, Lea and Flood 2014).
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    /// Pairs whose satisfaction is 3, plus a point and a half for topics that are wholly fulfilled, less one for the stages, plus
    /// noise of up to one point either way. The other criteria make no difference.
    fn made(&mut self) -> Made {
        let criteria: BTreeMap<_, _> = [Topics, CareerStage, Language, Goals, WorkingStyle]
            .map(|criterion| (criterion, u16::try_from(self.next(10_001)).expect("small")))
            .into_iter()
            .collect();
        let gained = i32::from(criteria[&Topics]) * 150 / 10_000 - i32::from(criteria[&CareerStage]) / 100;
        let noise = i32::try_from(self.next(201)).expect("small") - 100;
        (criteria, u16::try_from((300 + gained + noise).clamp(100, 500)).expect("small"))
    }
}

fn observations(seed: u64, number: usize, organisations: u64) -> Vec<Observation> {
    let mut numbers = Numbers(seed);
    let round = ["2026", "2027"].map(|id| id.parse::<RoundId>().expect("an id"));
    let one = |at: usize| {
        let (criteria, satisfaction) = numbers.made();
        let organisation = format!("wim-{}", numbers.next(organisations));
        Observation {
            round: round[at % 2].clone(),
            organisation: organisation.parse().expect("an id"),
            criteria,
            satisfaction: Some(satisfaction),
            completed: Some(satisfaction > 250),
        }
    };
    (0..number).map(one).collect()
}

fn of(advice: &WeightAdvice, criterion: Criterion) -> &CriterionAdvice {
    advice.criteria.iter().find(|one| one.present.criterion == criterion).expect("is in the policy")
}

#[test]
fn a_criterion_that_went_with_satisfaction_gains_weight_and_the_others_keep_theirs() {
    let policy = Policy::default();
    let (mut chance, mut wrong) = (0, 0);
    for seed in 0..40 {
        let advice = advise(&policy, observations(seed, 400, 5));
        let (topics, stages) = (of(&advice, Topics), of(&advice, CareerStage));
        assert_eq!((topics.verdict, stages.verdict), (Verdict::More, Verdict::Less), "seed {seed}");
        let effect = topics.satisfaction.expect("judged");
        assert!(effect.low < effect.estimate && effect.estimate < effect.high);
        wrong += usize::from(!(effect.low..=effect.high).contains(&150));
        for criterion in [Language, Goals, WorkingStyle] {
            chance += usize::from(of(&advice, criterion).verdict != Verdict::Nothing);
        }
        let applied = advice.applied_to(&policy);
        let weight = |policy: &Policy, criterion| {
            policy.criteria.iter().find(|one| one.criterion == criterion).expect("is in the policy").weight
        };
        assert_eq!(weight(&applied, Topics), weight(&policy, Topics).div_ceil(4) + weight(&policy, Topics));
        assert!(weight(&applied, CareerStage) < weight(&policy, CareerStage));
        assert_eq!(advice.with_satisfaction, Some(400));
        // The prior pulls towards no effect, by less than the noise.
        assert!((effect.estimate - 150).abs() < 50, "{effect:?}");
    }
    assert!(wrong <= 2, "{wrong} of 40 intervals of 99 % miss the true effect");
    assert!(chance <= 4, "{chance} of 240 effects were found where there is none");
}

#[test]
fn the_order_of_the_observations_does_not_matter() {
    let mut all = observations(7, 300, 4);
    let advice = advise(&Policy::default(), all.clone());
    all.reverse();
    all.rotate_left(101);
    assert_eq!(advise(&Policy::default(), all), advice);
}

#[test]
fn a_small_or_one_sided_base_says_nothing() {
    let policy = Policy::default();
    for (number, organisations) in [(0, 3), (9, 3), (400, 1), (400, 2), (40, 5)] {
        let made = observations(3, number, organisations);
        let advice = advise(&policy, made);
        let judged = advice.criteria.iter().filter(|one| one.verdict != Verdict::TooFew).count();
        // One organisation alone may read a number about 5 of its own people.
        let expected = if (number, organisations) == (400, 1) { 5 } else { 0 };
        assert_eq!(judged, expected, "{number} mentorships of {organisations} organisations");
        assert_eq!(advice.suggests_change(), expected > 0);
        assert!(advice.criteria.iter().all(|one| !one.present.criterion.is_private()));
    }
}

#[test]
fn a_criterion_that_few_answered_is_left_out_and_the_others_are_judged() {
    let mut all = observations(11, 400, 5);
    for one in all.iter_mut().skip(9) {
        one.criteria.remove(&Goals);
    }
    for one in &mut all {
        one.criteria.insert(Language, 8_000);
    }
    let advice = advise(&Policy::default(), all);
    assert_eq!(of(&advice, Goals).verdict, Verdict::TooFew);
    assert_eq!(of(&advice, Language).verdict, Verdict::TooFew, "all pairs are alike in it");
    assert_eq!(of(&advice, Topics).verdict, Verdict::More);
}

#[test]
fn a_step_is_a_quarter_and_nothing_that_counts_stops_counting() {
    assert_eq!(stepped(30, Verdict::More), 38);
    assert_eq!(stepped(30, Verdict::Less), 22);
    assert_eq!(stepped(0, Verdict::More), 1);
    assert_eq!([stepped(1, Verdict::Less), stepped(0, Verdict::Less)], [1, 0]);
    assert_eq!(stepped(MAX_WEIGHT, Verdict::More), MAX_WEIGHT);
    assert_eq!(stepped(30, Verdict::Nothing), 30);
}

#[test]
fn outcomes_that_contradict_each_other_suggest_nothing() {
    let effect = |low, high| Some(Effect { mentorships: 100, estimate: i32::midpoint(low, high), low, high });
    assert_eq!(verdict([effect(1, 9), effect(-9, -1)]), Verdict::Nothing);
    assert_eq!(verdict([effect(1, 9), effect(-9, 1)]), Verdict::More);
    assert_eq!(verdict([effect(-9, 1), effect(-9, -1)]), Verdict::Less);
    assert_eq!(verdict([None, None]), Verdict::TooFew);
}

#[test]
fn an_end_for_other_reasons_says_nothing_of_the_pair() {
    use MentorshipState::{Completed, EndedEarly, Paused};
    assert_eq!(completed(Completed, None), Some(true));
    assert_eq!(completed(EndedEarly, Some(EndReason::GoalsReachedEarly)), Some(true));
    assert_eq!(completed(EndedEarly, Some(EndReason::NotAFit)), Some(false));
    assert_eq!(completed(EndedEarly, Some(EndReason::LeftSector)), None);
    assert_eq!(completed(Paused, None), None);
}
