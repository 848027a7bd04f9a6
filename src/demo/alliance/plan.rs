//! The people of an alliance: their number per organisation, their roles and their ids.

use super::places::{HOMES, Home, SHARES};

/// The people of an alliance as numbers from 0; each organisation has a range of them.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) people: u64,
    /// First person of each organisation, and the end.
    starts: Vec<u64>,
    both: u64,
    mentors: u64,
    /// Factor of the permutation that distributes the roles.
    stride: u64,
    digits: usize,
    /// What stands before the number in the id of a person.
    mark: &'static str,
}

/// The roles of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Mentor,
    Mentee,
    Both,
}

impl Role {
    pub(super) fn mentors(self) -> bool {
        self != Self::Mentee
    }

    pub(super) fn is_mentored(self) -> bool {
        self != Self::Mentor
    }
}

impl Plan {
    /// Mentees to mentors are as 112 to 90, as in the International Women in Resources Mentoring Programme 2024;
    /// people in both roles are 3 of 100.
    pub(super) fn new(people: u64, seed: u64) -> Self {
        let both = rounded(people, 3, 100);
        let mentees = rounded(people + both, 112, 202);
        let mentors = people + both - mentees;
        let mut reached = 0;
        let mut starts = vec![0];
        for home in HOMES {
            reached += home.share;
            starts.push(rounded(people, reached, SHARES));
        }
        let largest = starts.windows(2).map(|range| range[1] - range[0]).max().unwrap_or_default();
        let digits = largest.to_string().len().max(3);
        Self { seed, people, starts, both, mentors, stride: stride(people), digits, mark: "" }
    }

    /// The same people with other ids, so that they join those of another plan.
    pub(super) fn marked(self, mark: &'static str) -> Self {
        Self { mark, ..self }
    }

    /// Numbers of the people of an organisation.
    pub(super) fn members(&self, home: usize) -> std::ops::Range<u64> {
        self.starts[home]..self.starts[home + 1]
    }

    /// Position of the organisation of a person.
    pub(super) fn home_of(&self, person: u64) -> usize {
        self.starts.partition_point(|start| *start <= person).saturating_sub(1).min(HOMES.len() - 1)
    }

    /// Resource name of a person.
    pub(super) fn name(&self, person: u64) -> String {
        let at = self.home_of(person);
        let Home { id, seat, .. } = &HOMES[at];
        let number = person - self.starts[at] + 1;
        let (mark, width) = (self.mark, self.digits);
        format!("organisations/{id}/profiles/{seat}-{mark}{number:0width$}")
    }

    /// Roles of a person. A permutation in steps of the golden ratio distributes them, so that every organisation has nearly
    /// its share of each role and the totals are exact.
    pub(super) fn role(&self, person: u64) -> Role {
        let dealt = (u128::from(person) * u128::from(self.stride)) % u128::from(self.people.max(1));
        match u64::try_from(dealt).unwrap_or_default() {
            rank if rank < self.both => Role::Both,
            rank if rank < self.mentors => Role::Mentor,
            _ => Role::Mentee,
        }
    }
}

/// `people * part / whole`, rounded to the nearest whole number.
fn rounded(people: u64, part: u64, whole: u64) -> u64 {
    (2 * people * part + whole) / (2 * whole)
}

/// A number near the golden section of `people` that has no factor in common with it.
fn stride(people: u64) -> u64 {
    let near = people * 618 / 1_000;
    (near.max(1)..=near + people).find(|stride| common_factor(*stride, people.max(1)) == 1).unwrap_or(1)
}

fn common_factor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_homes_are_in_the_order_of_their_ids() {
        assert_eq!(HOMES.iter().map(|home| home.share).sum::<u64>(), SHARES);
        assert!(HOMES.is_sorted_by(|a, b| a.id < b.id));
    }

    #[test]
    fn roles_are_in_the_promised_proportion_at_every_size() {
        for people in [1, 2, 196, 1_000, 99_999] {
            let plan = Plan::new(people, 1);
            let roles: Vec<Role> = (0..people).map(|person| plan.role(person)).collect();
            let count = |is: fn(Role) -> bool| roles.iter().filter(|role| is(**role)).count() as u64;
            assert_eq!(count(Role::mentors), plan.mentors);
            assert_eq!(count(Role::mentors) + count(Role::is_mentored), people + plan.both);
        }
        let sample = Plan::new(196, 1);
        assert_eq!((sample.mentors, 196 + sample.both - sample.mentors), (90, 112));
    }

    #[test]
    fn every_person_is_in_the_organisation_that_holds_her_number() {
        let plan = Plan::new(1_000, 1);
        for home in 0..HOMES.len() {
            for person in plan.members(home) {
                assert_eq!(plan.home_of(person), home);
            }
        }
        assert_eq!(plan.members(HOMES.len() - 1).end, 1_000);
    }
}
