//! Scores of all pairs, computed where they are asked for and not kept here: the verdict of a pair is the sum of what its
//! aspects say.
//!
//! People who gave an aspect the same answer are one class of it. The dense pass therefore judges classes, not people: for
//! one mentee it lays out the verdict of every mentor class, and every pair is a few look-ups and additions. Aspects of few
//! classes are joined into *bundles*, whose joint classes stand in one byte per mentor. Sets of terms, languages and hours
//! have too many: those aspects put the mentors into few classes for each mentee, by counting what they have in common with
//! her. What depends on two particular people (avoid lists, earlier partners, preferences) is a sparse correction
//! afterwards. All of it runs on columns of one byte per mentor, and everything that a pair adds up stays in registers: see
//! [`super::cpu`].
//!
//! Memory: nothing per pair. Per mentor some thirty bytes of columns and one per language of the round, and 42 per season
//! for the hours (168 more with a roster); besides, per person of either side, a key of 8 bytes, 2 bytes per aspect, and a
//! copy of her languages and hours (some 100 bytes and more with every season).

mod aspect;
mod bundle;
mod columns;
mod coverage;
mod dense;
mod identity;
mod language;
mod meeting;
mod membership;
mod overlap;
mod own_rules;
mod place;
mod plane;
mod preference;
mod preferred;
mod scores;
mod similarity;
mod stage;
mod table;
mod term_bytes;
mod tied;
mod waiting;

use self::aspect::Aspect;
pub(super) use self::aspect::{Finding, Story, Weight, code};
use self::columns::Columns;
use self::coverage::Coverage;
pub(super) use self::dense::Rows;
use self::identity::IdentityWishes;
use self::language::CommonLanguage;
use self::meeting::Meeting;
use self::overlap::Overlap;
use self::own_rules::OwnRules;
use self::place::Nearness;
pub(super) use self::plane::Plane;
use self::preference::Preference;
pub(super) use self::preferred::Preferred;
pub use self::scores::Scores;
use self::similarity::Similarity;
use self::stage::Stages;
use self::table::{Lookup, Table};
use self::tied::{EarlierPartners, Exclusions};
use self::waiting::WaitingTime;
use super::encode::{Person, Round};
use super::observer::{Observer, Stopped};
use crate::domain::policy::Criterion;

/// The aspects that a policy looks at. A criterion is added here and in a file of its own, and nowhere else.
fn tables<'a>(
    round: &'a Round<'a>,
    mentees: &[&Person<'_>],
    mentors: &[&Person<'_>],
    columns: &mut Columns,
    observer: &dyn Observer,
) -> Result<Vec<Box<dyn Lookup + 'a>>, Stopped> {
    let policy = &round.snapshot.policy;
    let rules = &policy.rules;
    let mut tables = Tables { mentees, mentors, columns, observer, all: Vec::new() };
    tables.add(Some(Exclusions::new(rules)))?;
    tables.add((!round.organisations.is_empty()).then(|| OwnRules::new(&round.organisations)))?;
    for criterion in Criterion::ALL {
        let weight = Weight::of(policy, criterion);
        match criterion {
            Criterion::Topics => tables.add(weight.map(Coverage::topics))?,
            Criterion::Functions => tables.add(weight.map(Coverage::functions))?,
            Criterion::Commodities => tables.add(weight.map(Coverage::commodities))?,
            Criterion::CareerStage => tables.add(Some(Stages::new(weight, rules)))?,
            Criterion::Language => {
                tables.add(Some(CommonLanguage::new(weight, rules.min_language_level, &round.languages)))?;
            }
            Criterion::WeeklyOverlap => {
                let required = rules.min_weekly_overlap_minutes;
                let overlap = (weight.is_some() || required > 0)
                    .then(|| Overlap::new(weight, required, &round.calendar));
                tables.add(overlap)?;
            }
            Criterion::RegionNear => tables.add(weight.map(Nearness::near))?,
            Criterion::RegionFar => tables.add(weight.map(Nearness::far))?,
            Criterion::MeetingMode => tables.add(Some(Meeting::new(weight)))?,
            Criterion::Goals => tables.add(weight.map(Similarity::goals))?,
            Criterion::WorkingStyle => tables.add(weight.map(Similarity::working_styles))?,
            Criterion::Preference => tables.add(weight.map(Preference::new))?,
            Criterion::WaitingTime => tables.add(weight.map(WaitingTime::new))?,
            Criterion::PreviousPartner => {
                tables.add(Some(EarlierPartners::new(weight, rules.previous_partners)))?;
            }
            Criterion::Identity => tables.add(weight.map(IdentityWishes::new))?,
        }
    }
    Ok(tables.all)
}

/// Builds the tables of one round.
struct Tables<'t, 'a> {
    mentees: &'t [&'t Person<'t>],
    mentors: &'t [&'t Person<'t>],
    columns: &'t mut Columns,
    observer: &'t dyn Observer,
    all: Vec<Box<dyn Lookup + 'a>>,
}

impl<'a> Tables<'_, 'a> {
    fn add<A: Aspect + 'a>(&mut self, aspect: Option<A>) -> Result<(), Stopped> {
        if let Some(aspect) = aspect {
            let table = Table::new(aspect, self.mentees, self.mentors, self.columns, self.observer)?;
            self.all.push(Box::new(table));
        }
        Ok(())
    }
}
