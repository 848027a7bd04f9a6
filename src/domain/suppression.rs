//! The suppression gate: every number about people of other organisations passes it before anybody reads the number.
//!
//! - [`Guarded`] is a count that has not passed yet. It opens as an exact count for coordinators, who see full counts of
//!   the rounds that they run, and as a band for managers. Counts of a manager's own members need no gate.
//! - [`statistic`] decides on one number, and [`partition`] on the numbers of a report, so that no number about few people follows
//!   from the published ones.
//!
//! Invariant: no function here reads anything but counts of people by organisation. Private answers are left out before
//! anything is counted (`Round::open`).

pub mod partition;

use serde::{Deserialize, Serialize};

/// Fewest people of a number about one organisation.
pub const FEWEST_OF_ONE: u64 = 5;
/// Fewest people of a number about several organisations.
pub const FEWEST_OF_SEVERAL: u64 = 10;
/// Fewest organisations of a number about several organisations.
pub const FEWEST_ORGANISATIONS: usize = 3;
/// Largest share of one organisation in a number about several, in percent.
pub const LARGEST_SHARE: u64 = 80;
/// Fewest people of which a percentage is given.
pub const FEWEST_OF_PERCENTAGE: u64 = 23;

/// A range of counts: all that managers learn of a count of other organisations' people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// 0 to 9.
    Under10 = 1,
    /// 10 to 49.
    From10To49 = 2,
    /// 50 and more.
    From50 = 3,
}

impl Band {
    /// All bands, ascending.
    pub const ALL: [Self; 3] = [Self::Under10, Self::From10To49, Self::From50];

    /// The band's name in the files of texts.
    pub fn as_str(self) -> &'static str {
        ["under_10", "from_10_to_49", "from_50"][self as usize - 1]
    }

    fn of(count: u64) -> Self {
        match count {
            0..10 => Self::Under10,
            10..50 => Self::From10To49,
            50.. => Self::From50,
        }
    }
}

/// A count of people as its reader may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleCount {
    /// The exact count, for coordinators.
    Exact(u32),
    /// The band of the count, for managers.
    Banded(Band),
}

impl PeopleCount {
    /// The exact count, if the reader may see it.
    pub fn exact(self) -> Option<u32> {
        match self {
            Self::Exact(count) => Some(count),
            Self::Banded(_) => None,
        }
    }
}

/// A count of people of other organisations that has not passed the gate. It has no way out but those below.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Guarded(u64);

impl Guarded {
    /// Guards a count.
    pub fn new(count: u64) -> Self {
        Self(count)
    }

    /// The count for coordinators, who see full counts of the rounds that they run.
    pub fn for_coordinators(self) -> PeopleCount {
        PeopleCount::Exact(u32::try_from(self.0).unwrap_or(u32::MAX))
    }

    /// The count for managers. It must not contain the manager's own members, with whom she could move the count across
    /// the limit of a band and so find out the rest.
    pub fn for_managers(self) -> PeopleCount {
        PeopleCount::Banded(Band::of(self.0))
    }

    /// Whether managers may learn that there are such people: the count is above the lowest band.
    pub fn is_tellable(self) -> bool {
        Band::of(self.0) > Band::Under10
    }
}

impl std::fmt::Debug for Guarded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guarded")
    }
}

/// What is published of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// Nothing: the base is too small, or one organisation is most of it.
    Withheld,
    /// The count, without a percentage.
    Count(u64),
    /// The count and the number of people in the base, whose share is a percentage.
    CountOf(u64, u64),
}

/// Why a number is not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// It is about too few people.
    FewPeople = 1,
    /// It is about people of too few organisations.
    FewOrganisations = 2,
    /// Most of the people belong to one organisation.
    OneOrganisation = 3,
    /// With other numbers it would tell something about few people.
    Complementary = 4,
    /// There are too few people for a percentage or for the scores of single pairs.
    SmallBase = 5,
}

impl Withheld {
    /// All reasons.
    pub const ALL: [Self; 5] = [
        Self::FewPeople,
        Self::FewOrganisations,
        Self::OneOrganisation,
        Self::Complementary,
        Self::SmallBase,
    ];

    /// The reason's name in the files of texts.
    pub fn as_str(self) -> &'static str {
        ["few_people", "few_organisations", "one_organisation", "complementary", "small_base"]
            [self as usize - 1]
    }
}

/// `Ok` if a number about a base may be published, which has so many people of each organisation.
///
/// The people without those of any one organisation must be enough too: she subtracts her own.
pub fn judge(base: impl IntoIterator<Item = u64>) -> Result<(), Withheld> {
    let base: Vec<u64> = base.into_iter().filter(|people| *people > 0).collect();
    let whole: u64 = base.iter().sum();
    let largest = base.iter().copied().max().unwrap_or_default();
    match base.len() {
        0 => Ok(()),
        1 if whole >= FEWEST_OF_ONE => Ok(()),
        1 => Err(Withheld::FewPeople),
        _ if whole < FEWEST_OF_SEVERAL => Err(Withheld::FewPeople),
        organisations if organisations < FEWEST_ORGANISATIONS => Err(Withheld::FewOrganisations),
        _ if u128::from(largest) * 100 > u128::from(whole) * u128::from(LARGEST_SHARE) => {
            Err(Withheld::OneOrganisation)
        }
        _ if whole - largest < FEWEST_OF_ONE => Err(Withheld::OneOrganisation),
        _ => Ok(()),
    }
}

/// What is published of the number `part` of people among a base, which has so many people of each organisation.
pub fn statistic(part: u64, base: impl IntoIterator<Item = u64>) -> Statistic {
    let base: Vec<u64> = base.into_iter().collect();
    let whole: u64 = base.iter().sum();
    match judge(base) {
        Err(_) => Statistic::Withheld,
        Ok(()) if whole < FEWEST_OF_PERCENTAGE => Statistic::Count(part),
        Ok(()) => Statistic::CountOf(part, whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managers_learn_bands_and_coordinators_exact_counts() {
        use Band::{From10To49, From50, Under10};
        let bands = [0, 9, 10, 49, 50, u64::MAX].map(|count| Guarded::new(count).for_managers());
        let expected = [Under10, Under10, From10To49, From10To49, From50, From50];
        assert_eq!(bands, expected.map(PeopleCount::Banded));
        assert_eq!(Guarded::new(7).for_coordinators(), PeopleCount::Exact(7));
        assert_eq!([9, 10].map(|count| Guarded::new(count).is_tellable()), [false, true]);
        assert_eq!(format!("{:?}", Guarded::new(7)), "Guarded", "a log line shows no count");
    }

    #[test]
    fn a_number_about_one_organisation_needs_5_people_and_one_about_several_10_of_3_organisations() {
        use Statistic::{Count, CountOf, Withheld};
        assert_eq!(statistic(3, [4]), Withheld);
        assert_eq!(statistic(3, [5]), Count(3));
        assert_eq!(statistic(3, [30, 30]), Withheld, "of two organisations, each can subtract herself");
        assert_eq!(statistic(3, [3, 3, 3]), Withheld);
        assert_eq!(statistic(3, [4, 3, 3]), Count(3));
        assert_eq!(statistic(3, [4, 3, 3, 0]), Count(3), "an organisation without people does not count");
        assert_eq!(statistic(3, [8, 1, 1]), Withheld, "the first one knows the number of the two others");
        assert_eq!(statistic(3, [8, 3, 2]), Count(3));
        assert_eq!(statistic(3, [80, 10, 10]), CountOf(3, 100));
        assert_eq!(statistic(3, [81, 10, 9]), Withheld, "one organisation is more than 80 % of it");
        assert_eq!(statistic(9, [22]), Count(9), "no percentage of fewer than 23 people");
        assert_eq!(statistic(9, [23]), CountOf(9, 23));
    }
}
