//! One synthetic person. Every answer is a draw of its own, so that it does not depend on the number of people.

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan as _};

use super::draw::Draw;
use super::places::{HOMES, Home, employers};
use super::plan::{Plan, Role};
use crate::domain::profile::{
    ConsentDraft, ConsentPurpose, IdentityDraft, MenteeRequestDraft, MentorOfferDraft, ProfileDraft,
    RosterDraft, SlotDraft,
};
use crate::domain::vocabulary::{
    Commodity, Country, Function, Goal, IdentityTerm, Kind, Stage, Terms, Topic, WorkingStyle,
};

/// Percentage of people who do not answer an optional question.
const UNANSWERED: u64 = 12;
/// 2026-08-03T00:00:00Z: the first day of consents.
const FIRST_CONSENT: i64 = 1_785_715_200;
/// 2025-08-18T00:00:00Z: the first day of consents of the previous round.
const EARLIER_CONSENT: i64 = 1_755_475_200;
const DAY: i64 = 86_400;

/// Topics sought, by career step: early, experienced, senior.
const TOPICS: [&[&str]; 3] = [
    &[
        "career_planning",
        "job_search",
        "cv_interviews",
        "first_years",
        "networking",
        "self_confidence",
        "communication",
        "technical_depth",
        "fifo_life",
        "women_in_operations",
        "professional_registration",
        "digital_innovation",
        "working_abroad",
    ],
    &[
        "career_planning",
        "promotion",
        "first_leadership_role",
        "leadership",
        "leading_crews",
        "negotiation",
        "pay_negotiation",
        "visibility",
        "difficult_conversations",
        "influence",
        "project_delivery",
        "changing_field",
        "work_life_balance",
        "parenthood",
        "return_from_break",
        "harassment_bias",
        "esg",
        "technical_depth",
        "public_speaking",
        "safety_leadership",
        "community_engagement",
    ],
    &[
        "executive_path",
        "board_readiness",
        "strategic_thinking",
        "change_management",
        "team_building",
        "influence",
        "business_acumen",
        "conflict_resolution",
        "entrepreneurship",
        "supplier_development",
        "esg",
        "wellbeing",
        "networking",
        "research_publication",
    ],
];

/// Goals, by the same three steps.
const GOALS: [&[&str]; 3] = [
    &[
        "clarify_direction",
        "get_first_job",
        "build_network",
        "gain_confidence",
        "deepen_expertise",
        "stay_in_industry",
    ],
    &[
        "get_promoted",
        "lead_people",
        "change_path",
        "return_to_work",
        "balance_life",
        "build_network",
        "work_internationally",
    ],
    &["reach_executive", "start_business", "lead_people", "give_back", "work_internationally"],
];

/// First and last day, and minutes after midnight.
type Hours = (i32, i32, i32, i32);

/// Common functions.
const FUNCTIONS: &[&str] = &[
    "geology_exploration",
    "mine_planning",
    "mining_engineering",
    "mineral_processing",
    "operations",
    "health_safety",
    "environment",
    "community_relations",
    "hr",
    "project_management",
];

/// Common working styles.
const STYLES: &[&str] = &["structured", "goal_driven", "listening", "encouraging", "advice"];

/// Hours of availability, by weight.
const HOURS: &[(Hours, u64)] = &[
    ((1, 4, 18 * 60, 20 * 60), 5),
    ((1, 5, 19 * 60, 21 * 60), 5),
    ((2, 4, 20 * 60, 22 * 60), 3),
    ((1, 5, 6 * 60 + 30, 8 * 60), 3),
    ((1, 3, 7 * 60, 9 * 60), 3),
    ((1, 5, 12 * 60, 13 * 60), 3),
    ((2, 2, 9 * 60, 11 * 60 + 30), 2),
    ((3, 4, 14 * 60, 16 * 60), 3),
    ((5, 5, 15 * 60, 17 * 60 + 30), 2),
    ((6, 6, 9 * 60, 12 * 60), 4),
    ((7, 7, 16 * 60, 19 * 60), 3),
    ((6, 7, 8 * 60, 10 * 60), 1),
];

/// Rosters of remote sites: days at work and days off.
const ROSTERS: &[((i32, i32), u64)] =
    &[((14, 14), 4), ((8, 6), 4), ((7, 7), 3), ((14, 7), 2), ((4, 3), 2), ((21, 21), 1), ((2, 1), 1)];

const MENTOR_STAGES: &[(usize, u64)] = &[(3, 14), (4, 34), (5, 34), (6, 18)];
const MENTEE_STAGES: &[(usize, u64)] = &[(0, 10), (1, 28), (2, 32), (3, 19), (4, 9), (5, 2)];
const BOTH_STAGES: &[(usize, u64)] = &[(3, 1), (4, 2)];
const MENTOR_LEVELS: &[(i32, u64)] = &[(3, 12), (4, 33), (5, 40), (6, 15)];
const MENTEE_LEVELS: &[(i32, u64)] = &[(2, 18), (3, 27), (4, 30), (5, 20), (6, 5)];

/// Generates one person.
pub(super) fn person(plan: &Plan, number: u64) -> ProfileDraft {
    Person::new(plan, number).draft()
}

struct Person<'a> {
    plan: &'a Plan,
    number: u64,
    home: &'static Home,
    role: Role,
    /// Step on the scale of career stages, whether she answers it or not.
    stage: usize,
}

impl<'a> Person<'a> {
    fn new(plan: &'a Plan, number: u64) -> Self {
        let role = plan.role(number);
        let stages = match role {
            Role::Mentor => MENTOR_STAGES,
            Role::Mentee => MENTEE_STAGES,
            Role::Both => BOTH_STAGES,
        };
        let stage =
            Draw::new(plan.seed, number, "career_stage").weighted(stages).copied().unwrap_or_default();
        Self { plan, number, home: &HOMES[plan.home_of(number)], role, stage }
    }

    fn ask(&self, question: &str) -> Draw {
        Draw::new(self.plan.seed, self.number, question)
    }

    /// The draw for an optional question; `None` if she does not answer it.
    fn optional(&self, question: &str) -> Option<Draw> {
        let mut draw = self.ask(question);
        (!draw.percent(UNANSWERED)).then_some(draw)
    }

    fn draft(&self) -> ProfileDraft {
        let (country, time_zone) = self.ask("place").weighted(self.home.places).copied().unwrap_or_default();
        let languages = self.languages();
        let (employer, competitor_group) = self.employer();
        let avoided = self.avoided();
        let mut preferred = self.preferred();
        preferred.retain(|name| !avoided.contains(name));
        let consents = self.consents(&languages);
        ProfileDraft {
            name: self.plan.name(self.number),
            country: country.to_owned(),
            time_zone: time_zone.to_owned(),
            weekly_slots: self.weekly_slots(),
            roster: self.roster(),
            career_stage: match self.optional("tell_stage") {
                Some(_) => Stage::vocabulary().terms()[self.stage].code.to_owned(),
                None => String::new(),
            },
            functions: self.codes::<Function>(
                "functions",
                FUNCTIONS,
                if self.role.mentors() { 5 } else { 2 },
            ),
            commodities: match self.optional("commodities") {
                Some(mut draw) => {
                    let count = if self.role.mentors() { 2 } else { 1 } + draw.index(2);
                    let mut known = draw.some(self.home.commodities, count);
                    if draw.percent(35) {
                        known.extend(draw.pick(&["gold", "copper"]));
                    }
                    in_order::<Commodity>(&known)
                }
                None => Vec::new(),
            },
            employer: employer.to_owned(),
            competitor_group: competitor_group.to_owned(),
            reporting_line: self.reporting_line(),
            meeting_modes: self.meeting_modes(),
            goals: self.goals(),
            working_styles: self.codes::<WorkingStyle>("working_styles", STYLES, 4),
            preferred,
            avoided,
            previous_partners: self.previous_partners(),
            mentor_offer: self.role.mentors().then(|| self.offer()),
            mentee_request: self.role.is_mentored().then(|| self.request()),
            identity: consents
                .iter()
                .any(|c| c.purpose == ConsentPurpose::Identity as i32)
                .then(|| self.identity()),
            languages,
            consents,
        }
    }

    /// Native languages, then learned languages, at a higher level for higher career steps.
    fn languages(&self) -> Vec<(String, i32)> {
        let native = self.ask("tongue").weighted(self.home.tongues).copied().unwrap_or("en");
        let mut languages: Vec<(String, i32)> = native.split('+').map(|tag| (tag.to_owned(), 7)).collect();
        for (tag, percent) in self.home.learned {
            let mut draw = self.ask(tag);
            let levels = if self.role.mentors() { MENTOR_LEVELS } else { MENTEE_LEVELS };
            if !languages.iter().any(|(known, _)| known == tag) && draw.percent(*percent) {
                languages.push(((*tag).to_owned(), draw.weighted(levels).copied().unwrap_or(4)));
            }
        }
        languages.sort();
        languages
    }

    fn weekly_slots(&self) -> Vec<SlotDraft> {
        let Some(mut draw) = self.optional("weekly_hours") else { return Vec::new() };
        let mut free = [[false; 48]; 7];
        for _ in 0..2 + draw.index(3) {
            let Some((first, last, start, end)) = draw.weighted(HOURS).copied() else { continue };
            for (day, half_hours) in (1..).zip(&mut free) {
                for (half_hour, is_free) in (0..).zip(half_hours) {
                    *is_free |= (first..=last).contains(&day) && (start..end).contains(&(half_hour * 30));
                }
            }
        }
        slots(&free)
    }

    fn roster(&self) -> Option<RosterDraft> {
        let mut draw = self.ask("roster");
        if !draw.percent(if self.role.mentors() { 8 } else { 14 }) {
            return None;
        }
        let (days_on, days_off) = draw.weighted(ROSTERS).copied()?;
        let first_day_on = date(2027, 1, 1).checked_add(i64::from(draw.between(0, 27)).days()).ok()?;
        let availability = *draw.weighted(&[(1, 8), (2, 1), (3, 2)])?;
        Some(RosterDraft { days_on, days_off, first_day_on: first_day_on.to_string(), availability })
    }

    fn employer(&self) -> (&'static str, &'static str) {
        let mut draw = self.ask("employer");
        if draw.percent(20) {
            return ("", "");
        }
        let continent = Country::from_code(self.home.seat).map(|country| country.region().parent());
        draw.pick(employers(continent.unwrap_or_default())).copied().unwrap_or_default()
    }

    fn meeting_modes(&self) -> Vec<i32> {
        let Some(mut draw) = self.optional("meeting_modes") else { return Vec::new() };
        match draw.below(100) {
            0..80 => vec![1],
            80..98 => vec![1, 2],
            _ => vec![2],
        }
    }

    /// Career step: 0 early, 1 experienced, 2 senior.
    fn step(&self) -> usize {
        [0, 0, 1, 1, 2, 2, 2][self.stage]
    }

    fn goals(&self) -> Vec<String> {
        let Some(mut draw) = self.optional("goals") else { return Vec::new() };
        // A mentor helps with the goals of those below her.
        let step = if self.role.is_mentored() { self.step() } else { draw.index(self.step() + 1) };
        let count = 1 + draw.index(3);
        in_order::<Goal>(&draw.some(GOALS[step], count))
    }

    /// Codes of a vocabulary, at most `most`, and mostly those in `common`.
    fn codes<K: Kind>(&self, question: &str, common: &[&'static str], most: usize) -> Vec<String> {
        let Some(mut draw) = self.optional(question) else { return Vec::new() };
        let all = K::vocabulary().terms();
        let mut codes = Vec::new();
        for _ in 0..=draw.index(most) {
            codes.extend(if draw.percent(75) {
                draw.pick(common).copied()
            } else {
                draw.pick(all).map(|term| term.code)
            });
        }
        in_order::<K>(&codes)
    }

    fn offer(&self) -> MentorOfferDraft {
        let mut draw = self.ask("places");
        let max_mentees = draw.weighted(&[(1, 58), (2, 30), (3, 12)]).copied().unwrap_or(1);
        let min_mentees = (max_mentees >= 2 && draw.percent(18)).then_some(2);
        let topics = match self.optional("topics_offered") {
            None => Vec::new(),
            Some(mut draw) => {
                let mut topics = Vec::new();
                for step in TOPICS.iter().take(self.step() + 1) {
                    let count = 3 + draw.index(4);
                    topics.extend(draw.some(step, count));
                }
                in_order::<Topic>(&topics)
            }
        };
        MentorOfferDraft { min_mentees, max_mentees: Some(max_mentees), topics }
    }

    fn request(&self) -> MenteeRequestDraft {
        let mut draw = self.ask("mentors_wanted");
        let mentors_wanted = Some(if draw.percent(4) { 2 } else { 1 });
        let waiting_since = if draw.percent(15) { waiting_since(&mut draw) } else { String::new() };
        let topics = match self.optional("topics_sought") {
            Some(mut draw) => {
                let count = 2 + draw.index(3);
                in_order::<Topic>(&draw.some(TOPICS[self.step()], count))
            }
            None => Vec::new(),
        };
        MenteeRequestDraft { mentors_wanted, topics, waiting_since }
    }

    /// Avoided people: some neighbours in the list avoid each other, others are avoided by one side only.
    fn avoided(&self) -> Vec<String> {
        let mut people = Vec::new();
        let neighbour = self.number ^ 1;
        let mut between = Draw::new(self.plan.seed, self.number.min(neighbour), "quarrel");
        if neighbour < self.plan.people
            && between.percent(8)
            && (between.percent(60) || self.number < neighbour)
        {
            people.push(self.plan.name(neighbour));
        }
        let mut draw = self.ask("avoided");
        if draw.percent(4) {
            people.extend(self.colleague(&mut draw).filter(|name| !people.contains(name)));
        }
        people.sort();
        people
    }

    fn preferred(&self) -> Vec<String> {
        let mut draw = self.ask("preferred");
        if !draw.percent(9) {
            return Vec::new();
        }
        let wanted = |other: &u64| {
            let role = self.plan.role(*other);
            *other != self.number
                && (self.role.is_mentored() && role.mentors()
                    || self.role == Role::Mentor && role.is_mentored())
        };
        let known = self.plan.members(self.plan.home_of(self.number));
        let at_home = (0..4).map(|_| known.start + draw.below(known.end - known.start)).find(wanted);
        let abroad = || (0..4).map(|_| draw.below(self.plan.people)).find(wanted);
        at_home.or_else(abroad).map(|other| self.plan.name(other)).into_iter().collect()
    }

    /// Previous partners, mirrored in the list: both name each other.
    fn previous_partners(&self) -> Vec<String> {
        let other = self.plan.people - 1 - self.number;
        let mut between = Draw::new(self.plan.seed, self.number.min(other), "partners");
        let role = self.plan.role(other);
        let could_be = self.role.mentors() && role.is_mentored() || self.role.is_mentored() && role.mentors();
        if other != self.number && could_be && between.percent(14) {
            vec![self.plan.name(other)]
        } else {
            Vec::new()
        }
    }

    fn reporting_line(&self) -> Vec<String> {
        let mut draw = self.ask("reporting_line");
        if self.role == Role::Mentee && draw.percent(5) {
            self.colleague(&mut draw).into_iter().collect()
        } else {
            Vec::new()
        }
    }

    /// Another person of the same organisation.
    fn colleague(&self, draw: &mut Draw) -> Option<String> {
        let members = self.plan.members(self.plan.home_of(self.number));
        let other = members.start + draw.below(members.end - members.start);
        (other != self.number).then(|| self.plan.name(other))
    }

    fn identity(&self) -> IdentityDraft {
        let mut draw = self.ask("identity");
        let terms: Vec<&'static str> =
            IdentityTerm::vocabulary().terms().iter().map(|term| term.code).collect();
        let wish = draw.percent(70);
        let shares = draw.some(&terms, 2);
        IdentityDraft {
            wishes: if wish {
                shares.iter().take(1).map(|code| (*code).to_owned()).collect()
            } else {
                Vec::new()
            },
            shares: in_order::<IdentityTerm>(&shares),
        }
    }

    fn consents(&self, languages: &[(String, i32)]) -> Vec<ConsentDraft> {
        let mut draw = self.ask("consent");
        let spoken = |tag: &&&str| languages.iter().any(|(known, level)| known == **tag && *level >= 4);
        let language = ["es", "fr", "pt", "en"].iter().find(spoken).copied().unwrap_or("en");
        let consent =
            |purpose: ConsentPurpose, version: &str, give: i64, withdraw: Option<i64>| ConsentDraft {
                purpose: purpose as i32,
                text_version: version.to_owned(),
                language: language.to_owned(),
                give_time: Timestamp::from_second(give).ok(),
                withdraw_time: withdraw.and_then(|moment| Timestamp::from_second(moment).ok()),
            };
        if draw.percent(1) {
            return Vec::new();
        }
        let mut consents = Vec::new();
        let given = FIRST_CONSENT
            + i64::from(draw.between(0, 70)) * DAY
            + i64::from(draw.between(6 * 60, 22 * 60)) * 60;
        if draw.percent(8) {
            let before = EARLIER_CONSENT
                + i64::from(draw.between(0, 50)) * DAY
                + i64::from(draw.between(6 * 60, 22 * 60)) * 60;
            // A consent given at the very moment of a withdrawal would not be newer than it.
            consents.push(consent(ConsentPurpose::Matching, "2025-1", before, Some(given - 60)));
        }
        let withdrawn = draw.percent(2).then(|| given + i64::from(draw.between(1, 15)) * DAY);
        consents.push(consent(ConsentPurpose::Matching, "2026-1", given, withdrawn));
        if withdrawn.is_none() && draw.percent(7) {
            consents.push(consent(ConsentPurpose::Identity, "2026-1-identity", given + 120, None));
        }
        consents
    }
}

/// A day between autumn 2025 and September 2026.
fn waiting_since(draw: &mut Draw) -> String {
    let first: Date = date(2025, 10, 1);
    first.checked_add(i64::from(draw.between(0, 360)).days()).unwrap_or(first).to_string()
}

/// Free half hours of a week as slots.
fn slots(free: &[[bool; 48]; 7]) -> Vec<SlotDraft> {
    let mut slots: Vec<SlotDraft> = Vec::new();
    for (day, half_hours) in (1..).zip(free) {
        for (half_hour, _) in (0..).zip(half_hours).filter(|(_, is_free)| **is_free) {
            let start_minute = half_hour * 30;
            match slots.last_mut().filter(|slot| slot.day == day && slot.end_minute == start_minute) {
                Some(slot) => slot.end_minute += 30,
                None => slots.push(SlotDraft {
                    day,
                    start_minute: Some(start_minute),
                    end_minute: start_minute + 30,
                }),
            }
        }
    }
    slots
}

/// Codes in the order of their vocabulary, as an export gives them.
fn in_order<K: Kind>(codes: &[&str]) -> Vec<String> {
    let mut terms = Terms::<K>::EMPTY;
    for code in codes {
        terms.insert(code);
    }
    terms.codes().map(str::to_owned).collect()
}
