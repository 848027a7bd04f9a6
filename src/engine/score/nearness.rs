//! Nearness of the places where two people live: same country, same region, same continent, or none of these.

use super::aspect::{Aspect, PointScale, Story, points};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::FULL_SCORE;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::ties::Relations;
use crate::engine::encode::{Person, Residence};

/// How far apart two people live, with the score of nearness. The score of distance is the full score less that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Distance {
    SameCountry = 10_000,
    SameRegion = 7_000,
    SameContinent = 4_000,
    DifferentContinents = 0,
}

impl Distance {
    fn between(a: Residence, b: Residence) -> Self {
        if a.country == b.country {
            Self::SameCountry
        } else if a.region == b.region {
            Self::SameRegion
        } else if a.continent == b.continent {
            Self::SameContinent
        } else {
            Self::DifferentContinents
        }
    }
}

/// A criterion on the places of two people.
pub(super) struct Nearness {
    scale: PointScale,
    far: bool,
}

impl Nearness {
    /// The nearer the better.
    pub(super) fn near(scale: PointScale) -> Self {
        Self { scale, far: false }
    }

    /// The farther the better.
    pub(super) fn far(scale: PointScale) -> Self {
        Self { scale, far: true }
    }

    fn score(&self, distance: Distance) -> u16 {
        let near = distance as u16;
        if self.far { FULL_SCORE - near } else { near }
    }
}

impl Aspect for Nearness {
    type Mentee = Home;
    type Mentor = Home;

    fn mentee(&self, person: &Person<'_>) -> Home {
        Home::of(person)
    }

    fn mentor(&self, person: &Person<'_>) -> Home {
        Home::of(person)
    }

    fn judge(&self, mentee: &Home, mentor: &Home, _: Relations) -> Verdict {
        points(Some(self.scale), Some(self.score(Distance::between(mentee.residence, mentor.residence))))
    }

    fn explain(&self, mentee: &Home, mentor: &Home, _: Relations, story: &mut Story) {
        let distance = Distance::between(mentee.residence, mentor.residence);
        let reason = match distance {
            Distance::SameCountry => Reason::new(ReasonCode::SameCountry).with("country", mentee.country),
            Distance::SameRegion => Reason::new(ReasonCode::SameRegion).with("region", mentee.region),
            Distance::SameContinent => Reason::new(ReasonCode::SameContinent),
            Distance::DifferentContinents => Reason::new(ReasonCode::DifferentContinents),
        };
        story.finds(Some(self.scale), Some((self.score(distance), reason)));
    }
}

/// A place with the codes that reasons carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Home {
    residence: Residence,
    country: &'static str,
    region: &'static str,
}

impl Home {
    fn of(person: &Person<'_>) -> Self {
        let country = person.content.country;
        Self { residence: person.residence, country: country.code(), region: country.region().code() }
    }
}
