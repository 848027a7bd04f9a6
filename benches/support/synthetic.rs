//! Synthetic rounds of any size: people of some thirty countries, with the answers, gaps and lists of real rounds. The same
//! seed gives the same round.

use super::wim_match::domain::language::LanguageLevel;
use super::wim_match::domain::name::ProfileRef;
use super::wim_match::domain::organisation::{OrganisationRules, PlaceLimits};
use super::wim_match::domain::policy::Policy;
use super::wim_match::domain::profile::{
    Consent, ConsentPurpose, Identity, Language, MeetingModes, MenteeRequest, MentorOffer, Profile, Roster,
    RosterAvailability, WeeklySlot,
};
use super::wim_match::domain::snapshot::{Participant, Snapshot};
use super::wim_match::domain::vocabulary::{Country, Kind, Terms};
use jiff::Timestamp;
use jiff::civil::{Date, date};

/// Country, time zone and first language.
const PLACES: [(&str, &str, &str); 30] = [
    ("PE", "America/Lima", "es-PE"),
    ("CL", "America/Santiago", "es-CL"),
    ("AR", "America/Argentina/Buenos_Aires", "es-AR"),
    ("CO", "America/Bogota", "es-CO"),
    ("MX", "America/Mexico_City", "es-MX"),
    ("BR", "America/Sao_Paulo", "pt-BR"),
    ("CA", "America/Toronto", "en-CA"),
    ("CA", "America/Vancouver", "fr-CA"),
    ("US", "America/Denver", "en-US"),
    ("US", "America/Phoenix", "en-US"),
    ("GB", "Europe/London", "en-GB"),
    ("FR", "Europe/Paris", "fr-FR"),
    ("DE", "Europe/Berlin", "de-DE"),
    ("SE", "Europe/Stockholm", "sv-SE"),
    ("FI", "Europe/Helsinki", "fi-FI"),
    ("TR", "Europe/Istanbul", "tr-TR"),
    ("ZA", "Africa/Johannesburg", "en-ZA"),
    ("GH", "Africa/Accra", "en-GH"),
    ("CI", "Africa/Abidjan", "fr-CI"),
    ("CD", "Africa/Lubumbashi", "fr-CD"),
    ("TZ", "Africa/Dar_es_Salaam", "sw-TZ"),
    ("MA", "Africa/Casablanca", "ar-MA"),
    ("IN", "Asia/Kolkata", "en-IN"),
    ("NP", "Asia/Kathmandu", "ne-NP"),
    ("MN", "Asia/Ulaanbaatar", "mn-MN"),
    ("ID", "Asia/Jakarta", "id-ID"),
    ("AU", "Australia/Perth", "en-AU"),
    ("AU", "Australia/Sydney", "en-AU"),
    ("AU", "Australia/Adelaide", "en-AU"),
    ("NZ", "Pacific/Auckland", "en-NZ"),
];

/// Size and composition of a round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Number of people who are mentees only.
    pub(super) mentees: usize,
    /// Number of people who are mentors only.
    pub(super) mentors: usize,
    /// Number of people who are mentee and mentor.
    pub(super) both: usize,
    /// Percentage of missing answers.
    pub(super) missing: usize,
    /// Percentage of lists of people and of unusual answers (no consent, closed organisations).
    pub(super) unusual: usize,
    /// Seed of the random numbers.
    pub(super) seed: u64,
}

impl Shape {
    /// The usual composition with this number of mentees and mentors.
    pub(super) fn usual(mentees: usize, mentors: usize) -> Self {
        Self { mentees, mentors, both: 0, missing: 5, unusual: 2, seed: 1 }
    }

    /// Makes the round, with the default policy.
    pub(super) fn make(self) -> Snapshot {
        let mut dice = Dice(self.seed);
        let people = self.mentees + self.mentors + self.both;
        let organisations = people / 40 + 3;
        let names: Vec<ProfileRef> = (0..people)
            .map(|at| {
                let name = format!("organisations/wim-{}/profiles/p{at}", dice.below(organisations));
                ProfileRef::from_name(&name).expect("a good name")
            })
            .collect();
        let start_date = date(2027, 2, 15);
        let participants = (0..people)
            .map(|at| {
                let is_mentee = at < self.mentees + self.both;
                let is_mentor = at >= self.mentees;
                let content = self.person(&mut dice, &names, at, is_mentee, is_mentor, start_date);
                Participant { profile: names[at].clone(), version: 1, content, waiting: None }
            })
            .collect();
        let id = |at: usize| format!("wim-{at}").parse().expect("a good id");
        let mut rules = Vec::new();
        for organisation in 0..organisations {
            let excluded = dice.below(organisations);
            let own = OrganisationRules {
                same_organisation_only: dice.chance(30),
                excluded_organisations: if excluded == organisation {
                    Vec::new()
                } else {
                    vec![id(excluded)]
                },
                limits: PlaceLimits::default(),
            };
            if dice.chance(self.unusual * 3) {
                rules.push((id(organisation), own));
            }
        }
        let mut snapshot = Snapshot {
            start_date,
            end_date: date(2027, 11, 30),
            freeze_time: moment("2027-01-20T12:00:00Z"),
            policy: Policy::default(),
            organisations: rules,
            participants,
            decisions: Vec::new(),
            follows: None,
        };
        snapshot.sort();
        snapshot
    }

    fn person(
        self,
        dice: &mut Dice,
        names: &[ProfileRef],
        me: usize,
        is_mentee: bool,
        is_mentor: bool,
        start: Date,
    ) -> Profile {
        let (country, time_zone, tongue) = dice.pick(&PLACES);
        let given = |dice: &mut Dice| !dice.chance(self.missing);
        let some = |dice: &mut Dice| dice.chance(self.unusual);
        let others = |dice: &mut Dice| -> Vec<ProfileRef> {
            let count = if dice.chance(self.unusual) { 1 + dice.below(3) } else { 0 };
            let mut list: Vec<ProfileRef> = (0..count)
                .map(|_| dice.below(names.len()))
                .filter(|other| *other != me)
                .map(|other| names[other].clone())
                .collect();
            list.sort();
            list.dedup();
            list
        };
        let stage = |dice: &mut Dice| if is_mentor { 3 } else { 1 } + dice.byte(5);
        let employer = dice.below(names.len() / 15 + 2);
        Profile {
            country: Country::from_code(country).expect("a country"),
            time_zone: time_zone.to_owned(),
            weekly_slots: if given(dice) { slots(dice) } else { Vec::new() },
            roster: dice.chance(15).then(|| roster(dice)),
            languages: languages(dice, tongue),
            career_stage: given(dice).then(|| stage(dice)),
            functions: if given(dice) { terms(dice, 1, 2) } else { Terms::EMPTY },
            commodities: if given(dice) { terms(dice, 1, 3) } else { Terms::EMPTY },
            employer: given(dice).then(|| format!("employer-{employer}")),
            competitor_group: dice.chance(40).then(|| format!("group-{}", employer % 7)),
            reporting_line: others(dice),
            meeting_modes: if given(dice) {
                let by_call = dice.chance(90);
                MeetingModes { by_call, in_person: !by_call || dice.chance(30) }
            } else {
                MeetingModes::default()
            },
            goals: if given(dice) { terms(dice, 1, 3) } else { Terms::EMPTY },
            working_styles: if given(dice) { terms(dice, 1, 3) } else { Terms::EMPTY },
            preferred: others(dice),
            avoided: others(dice),
            previous_partners: others(dice),
            mentor_offer: is_mentor.then(|| {
                let max_mentees = 1 + dice.byte(4);
                MentorOffer {
                    min_mentees: Some(dice.byte(max_mentees + 1)),
                    max_mentees,
                    topics: if given(dice) { terms(dice, 3, 8) } else { Terms::EMPTY },
                }
            }),
            mentee_request: is_mentee.then(|| MenteeRequest {
                mentors_wanted: Some(if dice.chance(10) { 2 } else { 1 }),
                topics: if given(dice) { terms(dice, 2, 4) } else { Terms::EMPTY },
                waiting_since: dice.chance(25).then(|| {
                    start.checked_sub(jiff::Span::new().days(i64::from(dice.byte(250)) * 2)).expect("a date")
                }),
            }),
            identity: some(dice).then(|| Identity { shares: terms(dice, 1, 2), wishes: terms(dice, 0, 2) }),
            consents: consents(!some(dice), dice.chance(80)),
        }
    }
}

/// Consents, live or withdrawn.
pub(super) fn consents(matching: bool, identity: bool) -> Vec<Consent> {
    let consent = |purpose, live: bool| Consent {
        purpose,
        give_time: moment("2026-11-01T08:00:00Z"),
        text_version: "2026-1".to_owned(),
        language: "en".to_owned(),
        withdraw_time: (!live).then(|| moment("2027-01-02T08:00:00Z")),
    };
    vec![consent(ConsentPurpose::Matching, matching), consent(ConsentPurpose::Identity, identity)]
}

fn moment(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

fn slots(dice: &mut Dice) -> Vec<WeeklySlot> {
    let mut slots: Vec<WeeklySlot> = (0..=dice.below(4))
        .map(|_| {
            let start = 12 + dice.byte(30);
            WeeklySlot { day: dice.byte(7), start, end: (start + 2 + dice.byte(5)).min(48) }
        })
        .collect();
    if dice.chance(40) {
        let start = dice.pick(&[16, 34, 36]);
        slots.extend((0..5).map(|day| WeeklySlot { day, start, end: start + 6 }));
    }
    slots.sort_unstable();
    slots.dedup();
    slots
}

fn roster(dice: &mut Dice) -> Roster {
    let (days_on, days_off) = dice.pick(&[(14, 14), (8, 6), (7, 7), (20, 10), (5, 2)]);
    let availability =
        dice.pick(&[RosterAvailability::DaysOff, RosterAvailability::DaysOn, RosterAvailability::Always]);
    let first_day_on =
        date(2026, 12, 1).checked_add(jiff::Span::new().days(i64::from(dice.byte(40)))).expect("a date");
    Roster { days_on, days_off, first_day_on: Some(first_day_on), availability }
}

fn languages(dice: &mut Dice, tongue: &str) -> Vec<Language> {
    let language = |tag: &str, level| Language { tag: tag.to_owned(), level };
    let level = |dice: &mut Dice| dice.pick(&LanguageLevel::ALL[..6]);
    let mut list = vec![language(tongue, LanguageLevel::Native)];
    if !tongue.starts_with("en") {
        list.push(language("en", level(dice)));
    }
    if dice.chance(20) && !tongue.starts_with("fr") {
        list.push(language("fr", level(dice)));
    }
    if dice.chance(20) && !tongue.starts_with("es") {
        list.push(language("es", level(dice)));
    }
    list.sort();
    list
}

fn terms<K: Kind>(dice: &mut Dice, least: usize, most: usize) -> Terms<K> {
    let all = K::vocabulary().terms().len();
    let mut bits = 0;
    for _ in 0..least + dice.below(most - least + 1) {
        bits |= 1 << dice.below(all);
    }
    Terms::from_bits(bits)
}

/// Pseudo-random numbers (SplitMix64: Steele, Lea and Flood 2014).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end.max(1) as u64).expect("below a usize")
    }

    fn byte(&mut self, end: u8) -> u8 {
        u8::try_from(self.below(usize::from(end))).expect("below a byte")
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn chance(&mut self, of_hundred: usize) -> bool {
        self.below(100) < of_hundred
    }
}
