//! Attacks on releases: an attacker computes the bounds of every number from the published ones by all integer solutions, for tables that
//! are small enough, and by exact bounds for larger ones.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const BASE: Measure = "base";
const PART: Measure = "part";

fn organisation(at: usize) -> OrganisationId {
    format!("wim-{at}").parse().expect("an id")
}

/// A group with pairs of base and part of each organisation.
fn group(counts: &[(u64, u64)]) -> ByOrganisation {
    let of = |(at, (base, part)): (usize, &(u64, u64))| {
        (organisation(at), BTreeMap::from([(BASE, *base), (PART, *part.min(base))]))
    };
    counts.iter().enumerate().filter(|(_, (base, _))| *base > 0).map(of).collect()
}

fn partition(id: &'static str, groups: &[Vec<(u64, u64)>]) -> Partition {
    Partition {
        id,
        population: "all",
        base: BASE,
        measures: vec![BASE, PART],
        groups: groups.iter().enumerate().map(|(at, counts)| (format!("g{at}"), group(counts))).collect(),
    }
}

/// A population that two or three partitions divide: for each partition, the group of each of the people.
#[derive(Debug, Clone)]
struct Population {
    /// Organisation and whether the person is in the part.
    people: Vec<(usize, bool)>,
    groups: [Vec<usize>; 2],
}

impl Population {
    fn partitions(&self) -> Vec<Partition> {
        let of = |id: &'static str, groups: &[usize]| {
            let most = groups.iter().copied().max().map_or(0, |most| most + 1);
            let mut counts = vec![vec![(0, 0); 6]; most];
            for ((organisation, is_part), at) in self.people.iter().zip(groups) {
                counts[*at][*organisation].0 += 1;
                counts[*at][*organisation].1 += u64::from(*is_part);
            }
            partition(id, &counts)
        };
        vec![
            of("whole", &vec![0; self.people.len()]),
            of("first", &self.groups[0]),
            of("second", &self.groups[1]),
        ]
    }
}

fn populations() -> impl Strategy<Value = Population> {
    (20..140_usize, 1..60_u32, 1..6_usize, 1..6_usize, 3..6_usize).prop_flat_map(
        |(people, share, first, second, organisations)| {
            let person = (0..organisations, prop::bool::weighted(f64::from(share) / 100.0));
            let groups = |most: usize| prop::collection::vec(0..most, people);
            (prop::collection::vec(person, people), groups(first), groups(second))
                .prop_map(|(people, first, second)| Population { people, groups: [first, second] })
        },
    )
}

/// What one reader knows: for each group of each partition, whether its count is published, and the rows of her own.
struct Attacker<'a> {
    released: &'a [Vec<Released>],
    measure: Measure,
    reader: Option<OrganisationId>,
}

impl Attacker<'_> {
    fn own(&self, group: &Released) -> u64 {
        let own = self.reader.as_ref().and_then(|reader| group.truth.get(reader)?.get(self.measure));
        own.copied().unwrap_or_default()
    }

    /// The values that a published count may have: those that round to it.
    fn values(&self, group: &Released) -> Option<Vec<u64>> {
        let shown = group.count(self.measure).ok()?;
        let own = self.own(group);
        let may_be = |value: &u64| rounded(*value) == shown && *value >= own;
        Some((0..=shown + ROUNDING).filter(may_be).map(|value| value - own).collect())
    }

    /// The totals about others that a partition allows, as a set; `None` without an upper bound.
    fn totals(&self, groups: &[Released], without: Option<usize>) -> Option<BTreeSet<u64>> {
        let mut totals = BTreeSet::from([0]);
        for (_, group) in groups.iter().enumerate().filter(|(at, _)| Some(*at) != without) {
            let values = self.values(group)?;
            totals = totals.iter().flat_map(|total| values.iter().map(move |value| total + value)).collect();
        }
        Some(totals)
    }

    /// The values about others that a group may have, given all partitions: for each value of the group there is a solution of the rest.
    /// `None` if nothing bounds it from above.
    fn possible(&self, partition: usize, at: usize) -> Option<Vec<u64>> {
        let group = &self.released[partition][at];
        let rest = self.totals(&self.released[partition], Some(at));
        let elsewhere: Vec<BTreeSet<u64>> = self
            .released
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != partition)
            .filter_map(|(_, groups)| self.totals(groups, None))
            .collect();
        // Partitions with a withheld group bound the total from below alone.
        let least =
            self.released.iter().enumerate().filter(|(other, _)| *other != partition).map(|(_, groups)| {
                groups.iter().filter_map(|group| self.values(group)?.first().copied()).sum::<u64>()
            });
        let least = least.max().unwrap_or_default();
        let most = elsewhere.iter().filter_map(|totals| totals.last().copied()).min();
        let values = if let Some(values) = self.values(group) { values } else { (0..=most?).collect() };
        let is_possible = |value: &u64| {
            if let Some(rest) = &rest {
                return rest.iter().any(|rest| {
                    let total = rest + value;
                    total >= least && elsewhere.iter().all(|totals| totals.contains(&total))
                });
            }
            let known: u64 = self.released[partition]
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != at)
                .filter_map(|(_, group)| self.values(group)?.first().copied())
                .sum();
            most.is_none_or(|most| value + known <= most)
        };
        Some(values.into_iter().filter(is_possible).collect())
    }

    /// A group whose count about others is known to be between 1 and 4.
    fn finding(&self) -> Option<(usize, usize, Vec<u64>)> {
        for (partition, groups) in self.released.iter().enumerate() {
            for at in 0..groups.len() {
                let Some(values) = self.possible(partition, at) else { continue };
                let (Some(least), Some(most)) = (values.first(), values.last()) else { continue };
                if *least >= 1 && *most < FEWEST_OF_ONE {
                    return Some((partition, at, values));
                }
            }
        }
        None
    }
}

fn readers() -> impl Iterator<Item = Option<OrganisationId>> {
    std::iter::once(None).chain((0..6).map(organisation).map(Some))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Seven readers, two measures and up to three partitions: more than 10,000 pairs of queries.
    #[test]
    fn no_reader_finds_a_count_between_1_and_4_in_one_release(population in populations()) {
        let partitions = population.partitions();
        let (released, _) = release(&partitions, &Anchors::new());
        for measure in [BASE, PART] {
            for reader in readers() {
                let attacker = Attacker { released: &released, measure, reader };
                prop_assert_eq!(attacker.finding(), None, "{:?} of {}", attacker.reader, measure);
            }
        }
        for group in released.iter().flatten().filter(|group| group.count(BASE).is_ok()) {
            prop_assert!(judge(people(&group.truth, BASE)).is_ok(), "{:?}", group);
        }
    }

    /// People are added between two releases; the attacker subtracts each published number from its later one.
    #[test]
    fn no_two_releases_tell_of_fewer_than_5_new_people(
        population in populations(), joined in prop::collection::vec((0..6_usize, any::<bool>(), 0..5_usize, 0..5_usize), 0..25)
    ) {
        let (before, anchors) = release(&population.partitions(), &Anchors::new());
        let mut later = population.clone();
        for (organisation, is_part, first, second) in joined {
            later.people.push((organisation, is_part));
            later.groups[0].push(first);
            later.groups[1].push(second);
        }
        let (after, _) = release(&later.partitions(), &anchors);
        for (old, new) in before.iter().zip(&after).flat_map(|(before, after)| {
            let later = |old: &Released| after.iter().find(|new| new.members == old.members).cloned();
            before.iter().filter_map(move |old| Some((old.clone(), later(old)?))).collect::<Vec<_>>()
        }) {
            for measure in [BASE, PART] {
                let (Ok(then), Ok(now)) = (old.count(measure), new.count(measure)) else { continue };
                let sum = |group: &Released| people(&group.truth, measure).iter().sum::<u64>();
                let change = sum(&new).abs_diff(sum(&old));
                prop_assert!(then == now || change >= FEWEST_OF_ONE, "{then} to {now} by {change} people");
            }
        }
        for measure in [BASE, PART] {
            for reader in readers() {
                let attacker = Attacker { released: &before, measure, reader };
                prop_assert_eq!(attacker.finding(), None);
            }
        }
    }
}

#[test]
fn two_partitions_that_give_a_count_away_withhold_it() {
    // 3 and 4 make 7: each is shown as 5, and so is their sum; without the gate, each would be known to be 3 or 4.
    let people = |part: u64| vec![(10, part), (10, 0), (10, 0)];
    let whole = partition("whole", &[vec![(20, 7), (20, 0), (20, 0)]]);
    let first = partition("first", &[people(3), people(4)]);
    let (released, _) = release(&[whole, first], &Anchors::new());
    assert_eq!(released[0][0].count(PART), Ok(5));
    assert_eq!(released[1][0].count(PART), Err(Withheld::Complementary));
    assert_eq!(released[1][0].count(BASE), Ok(30), "the other measure stays");
}

#[test]
fn small_groups_are_published_together_and_a_single_one_is_withheld() {
    let small = || vec![(2, 1), (2, 1), (2, 1)];
    let large = || vec![(20, 9), (20, 9), (20, 9)];
    let (released, _) = release(&[partition("a", &[large(), small(), small()])], &Anchors::new());
    let keys: Vec<&str> = released[0].iter().map(|group| group.key.as_str()).collect();
    assert_eq!(keys, ["g0", OTHERS]);
    assert_eq!(released[0][1].members, ["g1", "g2"]);
    let (released, _) = release(&[partition("a", &[large(), small()])], &Anchors::new());
    assert_eq!(released[0][1].count(BASE), Err(Withheld::FewPeople));
}

#[test]
fn a_count_stays_until_5_people_have_changed_it() {
    let of = |people: u64| partition("a", &[vec![(people, 0), (10, 0), (10, 0)]]);
    let (_, first) = release(&[of(12)], &Anchors::new());
    let shown = |people: u64, anchors: &Anchors| release(&[of(people)], anchors).0[0][0].count(BASE);
    assert_eq!(shown(12, &first), Ok(30));
    assert_eq!(shown(16, &first), Ok(30), "36 would be shown as 35");
    assert_eq!(shown(17, &first), Ok(35));
    assert_eq!(shown(16, &Anchors::new()), Ok(35));
}
