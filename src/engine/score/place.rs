//! Where people live: nearness for rounds that want to meet, distance for rounds that want exchange.

use super::aspect::{Aspect, Story, Weight, points};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::FULL_SCORE;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::ties::Ties;
use crate::engine::encode::{Person, Residence};

/// How far apart two people live, with the score of nearness. The score of distance is what is left to the full score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Apart {
    SameCountry = 10_000,
    SameRegion = 7_000,
    SameContinent = 4_000,
    DifferentContinents = 0,
}

impl Apart {
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
pub(in crate::engine) struct Nearness {
    weight: Weight,
    far: bool,
}

impl Nearness {
    /// The nearer the better.
    pub(in crate::engine) fn near(weight: Weight) -> Self {
        Self { weight, far: false }
    }

    /// The farther the better.
    pub(in crate::engine) fn far(weight: Weight) -> Self {
        Self { weight, far: true }
    }

    fn score(&self, apart: Apart) -> u16 {
        let near = apart as u16;
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

    fn judge(&self, mentee: &Home, mentor: &Home, _: Ties) -> Verdict {
        points(Some(self.weight), Some(self.score(Apart::between(mentee.place, mentor.place))))
    }

    fn explain(&self, mentee: &Home, mentor: &Home, _: Ties, story: &mut Story) {
        let apart = Apart::between(mentee.place, mentor.place);
        let reason = match apart {
            Apart::SameCountry => Reason::new(ReasonCode::SameCountry).with("country", mentee.country),
            Apart::SameRegion => Reason::new(ReasonCode::SameRegion).with("region", mentee.region),
            Apart::SameContinent => Reason::new(ReasonCode::SameContinent),
            Apart::DifferentContinents => Reason::new(ReasonCode::DifferentContinents),
        };
        story.finds(Some(self.weight), Some((self.score(apart), reason)));
    }
}

/// A place with the codes that reasons carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::engine) struct Home {
    place: Residence,
    country: &'static str,
    region: &'static str,
}

impl Home {
    fn of(person: &Person<'_>) -> Self {
        let country = person.content.country;
        Self { place: person.residence, country: country.code(), region: country.region().code() }
    }
}
