//! An invented round for the report's tests: 112 mentees and 90 mentors of 24 organisations, with every case of the report.
//! The figures of the summary are counted from the matches, so that tests can compare the two.

use std::collections::BTreeMap;

use jiff::civil::date;

use super::round_report::RoundReport;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::policy::{Criterion, HardRule, Policy};
use crate::domain::run::{
    Contribution, Coverage, CriterionMean, Match, Proof, RunSummary, ScoreRange, Side, Stage, TierCoverage,
    Unmatched, UnmatchedReason, WholeRound,
};
use crate::domain::suppression::PeopleCount;
use crate::domain::vocabulary::Lang;

const ORGANISATIONS: [&str; 24] = [
    "Women in Mining Atacama Sur",
    "Réseau Femmes et Mines du Haut-Fouta",
    "Mujeres Mineras de la Sierra Alta",
    "WIM Eyre Basin",
    "Women in Mining & Resources of the Northern Copper Belt",
    "Kvinner i Berg Nordmarka",
    "WIM Tarkwa Hills",
    "Altai Women in Mining",
    "Rede Mulheres na Mineração do Vale do Jequié",
    "WIM Karoo",
    "Femmes Minières de l'Abitibi Nord",
    "WIM Sulu Sea",
    "Damen im Bergbau Erzrand",
    "WIM Great Lakes Rift",
    "Mujeres en Minería Río Colorado",
    "WIM Pilbara East",
    "Women in Mining Ostrava Basin",
    "WIM Limpopo Bend",
    "Savanna Women in Extractives",
    "WIM Cariboo",
    "Gobi Women in Mining",
    "WIM Lapland",
    "Mujeres Mineras del Altiplano",
    "Isles Quarry Women",
];
const REGIONS: [&str; 24] = [
    "005", "011", "013", "053", "014", "154", "011", "143", "005", "018", "021", "035", "155", "014", "005",
    "053", "151", "018", "011", "021", "030", "154", "005", "154",
];

/// A round with the input of a report.
pub(super) struct Round {
    pub(super) summary: RunSummary,
    pub(super) matches: Vec<Match>,
    pub(super) unmatched: Vec<Unmatched>,
    pub(super) names: BTreeMap<OrganisationId, String>,
}

/// Pseudo-random numbers, the same in every run (Lehmer's generator with the constants of Park and Miller, 1988).
struct Lot(u64);

impl Lot {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        self.0 % bound
    }
}

impl Round {
    /// A round of 112 mentees and 90 mentors in 24 organisations.
    pub(super) fn realistic() -> Self {
        Self::of(112, 90, 24)
    }

    /// A round of the given size; eight of 112 mentees find no mentor.
    pub(super) fn of(mentees: usize, mentors: usize, organisations: usize) -> Self {
        let lot = &mut Lot(20_270_301);
        // The smaller of two draws: a few large organisations and many small ones.
        let home = |lot: &mut Lot| {
            let draw = |lot: &mut Lot| usize::try_from(lot.below(organisations as u64)).unwrap();
            draw(lot).min(draw(lot))
        };
        let mentees: Vec<(usize, ProfileRef)> = (0..mentees).map(|i| profile(home(lot), "E", i)).collect();
        let mentors: Vec<(usize, ProfileRef)> = (0..mentors).map(|i| profile(home(lot), "R", i)).collect();
        let mut round = Self {
            summary: RunSummary::default(),
            matches: Vec::new(),
            unmatched: Vec::new(),
            names: (0..organisations).map(|o| (organisation(o), title(o))).collect(),
        };
        let mut served = vec![false; mentors.len()];
        for (i, (_, mentee)) in mentees.iter().enumerate() {
            if i % 14 == 9 || mentors.is_empty() {
                round.unmatched.push(without_mentor(mentee, i, mentors.len()));
            } else {
                let at = usize::try_from(lot.below(mentors.len() as u64 * 4 / 5 + 1)).unwrap();
                served[at] = true;
                round.matches.push(pair(mentee, &mentors[at].1, lot));
            }
        }
        for ((_, mentor), _) in mentors.iter().zip(&served).filter(|(_, served)| !**served) {
            round.unmatched.push(without_mentee(mentor, lot, mentees.len()));
        }
        round.count(&mentees, &mentors, &served);
        round
    }

    fn count(&mut self, mentees: &[(usize, ProfileRef)], mentors: &[(usize, ProfileRef)], served: &[bool]) {
        let matched = |i: usize| i % 14 != 9 && !mentors.is_empty();
        let summary = &mut self.summary;
        let mut whole = WholeRound::default();
        for (i, (home, mentee)) in mentees.iter().enumerate() {
            for group in [
                whole.regions.entry(REGIONS[home % 24].to_owned()).or_default(),
                whole.organisations.entry(mentee.organisation.clone()).or_default(),
            ] {
                group.mentees += 1;
                group.matched_mentees += u64::from(matched(i));
            }
        }
        for ((home, mentor), served) in mentors.iter().zip(served) {
            for group in [
                whole.regions.entry(REGIONS[home % 24].to_owned()).or_default(),
                whole.organisations.entry(mentor.organisation.clone()).or_default(),
            ] {
                group.mentors += 1;
                group.matched_mentors += u64::from(*served);
            }
        }
        let all: Coverage = whole.organisations.values().fold(Coverage::default(), |a, b| Coverage {
            mentees: a.mentees + b.mentees,
            matched_mentees: a.matched_mentees + b.matched_mentees,
            mentors: a.mentors + b.mentors,
            matched_mentors: a.matched_mentors + b.matched_mentors,
        });
        let mut scores: Vec<u16> = self.matches.iter().map(|m| m.score).collect();
        scores.sort_unstable();
        summary.mentees = all.mentees;
        summary.matched_mentees = all.matched_mentees;
        summary.mentors = all.mentors;
        summary.matched_mentors = all.matched_mentors;
        summary.matches = scores.len() as u64;
        summary.filled_places = summary.matches;
        summary.places = summary.matches + all.mentors / 3;
        whole.pairs = all.mentees * all.mentors;
        whole.candidates = (whole.pairs * 34 / 100).max(summary.matches);
        summary.total_score = scores.iter().map(|s| u64::from(*s)).sum();
        summary.scores = ScoreRange::of_sorted(&scores);
        summary.score_histogram = vec![0; 20];
        for score in &scores {
            summary.score_histogram[usize::from(score / 500).min(19)] += 1;
        }
        summary.proof = Proof::new(true, Some(0));
        let waiting = (all.mentees / 5).min(all.matched_mentees);
        summary.tiers = vec![
            TierCoverage { tier: 1, mentees: waiting, matched: waiting },
            TierCoverage { tier: 2, mentees: all.mentees - waiting, matched: all.matched_mentees - waiting },
        ];
        whole.exclusions = [
            (HardRule::SamePerson, 11),
            (HardRule::Employer, 214),
            (HardRule::CompetitorGroup, 95),
            (HardRule::Language, 4_106),
            (HardRule::WeeklyOverlap, 2_377),
            (HardRule::StageGap, 1_930),
            (HardRule::Organisation, 402),
        ]
        .into_iter()
        .map(|(rule, pairs)| (rule, pairs * whole.pairs / 10_080))
        .collect();
        whole.criteria = means(&self.matches);
        whole.stage_micros = Stage::ALL.into_iter().zip([830, 2_910, 4_402, 1_204, 5_120, 9_871]).collect();
        summary.whole_round = Some(whole);
    }

    /// The report of the round.
    pub(super) fn report(&self) -> RoundReport<'_> {
        RoundReport {
            round_title: "Role Models and Mentors, Spring 2027",
            start_date: date(2027, 3, 1),
            end_date: date(2027, 8, 31),
            run: "rounds/2027-spring/runs/3",
            generated_at: "2027-02-11T14:05:00Z".parse().unwrap(),
            policy_version: 2,
            engine_version: "1",
            input_digest: "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
            result_digest: "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
            summary: &self.summary,
            matches: &self.matches,
            unmatched: &self.unmatched,
            organisation_names: &self.names,
            lang: Lang::En,
            synthetic: true,
        }
    }
}

fn organisation(at: usize) -> OrganisationId {
    format!("wim-{at:03}").parse().unwrap()
}

fn title(at: usize) -> String {
    ORGANISATIONS.get(at).map_or_else(|| format!("WIM Chapter {at}"), |name| (*name).to_owned())
}

fn profile(home: usize, kind: &str, at: usize) -> (usize, ProfileRef) {
    (
        home,
        ProfileRef {
            organisation: organisation(home),
            id: format!("{kind}-{:04}", at * 7 + 3).parse().unwrap(),
        },
    )
}

fn pair(mentee: &ProfileRef, mentor: &ProfileRef, lot: &mut Lot) -> Match {
    let contributions: Vec<Contribution> = (Policy::default().max_points().into_iter())
        .filter(|(criterion, points)| *points > 0 && !criterion.is_private())
        .map(|(criterion, max_points)| {
            let share = (400 + lot.below(700)).min(1_000);
            let points = u16::try_from(u64::from(max_points) * share / 1_000).unwrap();
            Contribution { criterion: Some(criterion), points, max_points, reason: reason(criterion, share) }
        })
        .chain([Contribution {
            criterion: None,
            points: 0,
            max_points: 636,
            reason: Reason::new(ReasonCode::PrivateAnswers),
        }])
        .collect();
    let score = contributions.iter().map(|c| c.points).sum();
    Match { mentee: mentee.clone(), mentor: mentor.clone(), score, contributions, pinned: false }
}

fn reason(criterion: Criterion, share: u64) -> Reason {
    let part = usize::try_from(share / 250).unwrap().max(1);
    let first = |codes: [&str; 4]| codes[..part.min(4)].join(",");
    match criterion {
        Criterion::Topics => {
            let topics = ["leading_crews", "career_planning", "difficult_conversations", "visibility"];
            let (offered, missing) = topics.split_at(part.min(4));
            Reason::new(ReasonCode::TopicsCovered)
                .with("covered", part)
                .with("sought", 4)
                .with("topics", offered.join(","))
                .with("missing", missing.join(","))
        }
        Criterion::Functions => Reason::new(ReasonCode::FunctionsShared)
            .with("common", part.min(2))
            .with("sought", 2)
            .with("functions", first(["geology_exploration", "mine_planning", "", ""])),
        Criterion::CareerStage => Reason::new(ReasonCode::StageAbove).with("steps", part.min(3)),
        Criterion::Language => Reason::new(ReasonCode::LanguageNative).with("language", "es"),
        Criterion::WeeklyOverlap => Reason::new(ReasonCode::OverlapMinutes).with("minutes", share / 2),
        Criterion::Goals => Reason::new(ReasonCode::GoalsShared)
            .with("common", part)
            .with("all", 4)
            .with("goals", first(["get_promoted", "build_network", "gain_confidence", "lead_people"])),
        Criterion::WorkingStyle => Reason::new(ReasonCode::StylesShared)
            .with("common", 2)
            .with("all", 3)
            .with("styles", "structured,challenge"),
        Criterion::WaitingTime => Reason::new(ReasonCode::Waited).with("days", share / 5),
        Criterion::RegionNear => Reason::new(ReasonCode::SameRegion).with("region", "005"),
        other => Reason::new(ReasonCode::MissingAnswer).with("criterion", other.as_str()),
    }
}

fn without_mentor(mentee: &ProfileRef, at: usize, mentors: usize) -> Unmatched {
    let counterparts = u32::try_from(mentors).unwrap();
    let none = Unmatched {
        profile: mentee.clone(),
        side: Some(Side::Mentee),
        reason: UnmatchedReason::NoCounterpart,
        counterparts: PeopleCount::Exact(counterparts),
        candidates: PeopleCount::Exact(0),
        exclusions: BTreeMap::new(),
        details: vec![Reason::new(ReasonCode::NoCounterpart)],
    };
    match at / 14 % 4 {
        _ if mentors == 0 => none,
        0 => Unmatched {
            reason: UnmatchedReason::NoCandidate,
            exclusions: BTreeMap::from([
                (HardRule::Language, PeopleCount::Exact(counterparts)),
                (HardRule::StageGap, PeopleCount::Exact(counterparts / 3)),
                (HardRule::Employer, PeopleCount::Exact(2)),
            ]),
            details: vec![
                Reason::new(ReasonCode::NoCandidate).with("counterparts", counterparts),
                Reason::new(ReasonCode::SingleRuleRelaxed).with("rule", "language").with("candidates", 17),
            ],
            ..none
        },
        1 => Unmatched {
            reason: UnmatchedReason::NoCandidate,
            exclusions: BTreeMap::from([
                (HardRule::WeeklyOverlap, PeopleCount::Exact(counterparts - 5)),
                (HardRule::Language, PeopleCount::Exact(counterparts / 2)),
            ]),
            details: vec![
                Reason::new(ReasonCode::NoCandidate).with("counterparts", counterparts),
                Reason::new(ReasonCode::SeveralRules),
            ],
            ..none
        },
        2 => Unmatched {
            reason: UnmatchedReason::NoLiveConsent,
            details: vec![Reason::new(ReasonCode::NoLiveConsent)],
            ..none
        },
        _ => Unmatched {
            reason: UnmatchedReason::Outcompeted,
            candidates: PeopleCount::Exact(6),
            exclusions: BTreeMap::from([(HardRule::Language, PeopleCount::Exact(counterparts - 6))]),
            details: vec![Reason::new(ReasonCode::Outcompeted).with("candidates", 6)],
            ..none
        },
    }
}

fn without_mentee(mentor: &ProfileRef, lot: &mut Lot, mentees: usize) -> Unmatched {
    let candidates = u32::try_from(lot.below(30) + 1).unwrap();
    Unmatched {
        profile: mentor.clone(),
        side: Some(Side::Mentor),
        reason: UnmatchedReason::PlacesLeftOver,
        counterparts: PeopleCount::Exact(u32::try_from(mentees).unwrap()),
        candidates: PeopleCount::Exact(candidates),
        exclusions: BTreeMap::new(),
        details: vec![Reason::new(ReasonCode::PlacesLeftOver).with("candidates", candidates)],
    }
}

fn means(matches: &[Match]) -> Vec<CriterionMean> {
    let Some(first) = matches.first() else { return Vec::new() };
    (first.contributions.iter().enumerate())
        .map(|(at, contribution)| {
            let sum: u64 = matches.iter().map(|m| u64::from(m.contributions[at].points)).sum();
            CriterionMean {
                criterion: contribution.criterion,
                mean_points_hundredths: sum * 100 / matches.len() as u64,
                max_points: contribution.max_points,
            }
        })
        .collect()
}
