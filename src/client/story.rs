//! A run in sentences and tables for a person: headline numbers, the first matches with their reasons, coverage, everybody
//! without a match with the reason, and the proof.

use super::output::{align_right, counted, table};
use super::results::Results;
use crate::api::convert;
use crate::api::proto::v1;
use crate::domain::policy::Objective;
use crate::domain::run::{
    Contribution, Coverage, Match, RunSummary, ScoreRange, Side, Unmatched, WholeRound,
};
use crate::domain::vocabulary::{Lang, Region};
use crate::wording::{self, count, labelled, percent, score};

/// Matches listed.
const MATCHES_SHOWN: usize = 5;
/// People without a match listed.
const UNMATCHED_SHOWN: usize = 12;
/// Reasons listed per match.
const REASONS_SHOWN: usize = 3;

/// The whole story of a run.
pub fn story(results: &Results, lang: Lang) -> String {
    let sections = [
        headline(&results.summary, lang),
        first_matches(&results.matches, lang),
        coverage_by_region(&results.summary, lang),
        unmatched(&results.unmatched, lang),
        below_minimum(&results.summary, lang),
        proof(&results.summary, lang),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// A sentence on the proof of the result.
pub fn proof(summary: &RunSummary, lang: Lang) -> String {
    if summary.proof.proved {
        match summary.objective {
            Objective::BestTotal => "Optimal: proved over every pair.".to_owned(),
            Objective::Fairest => "Fairest: proved over every pair.".to_owned(),
            Objective::Stable => "Stable: proved that no pair is a blocking pair.".to_owned(),
        }
    } else {
        match summary.proof.gap {
            Some(people) => format!(
                "NOT proved optimal: a better result could match at most {} more.",
                counted(people, "person", "people", lang)
            ),
            None => "NOT proved optimal.".to_owned(),
        }
    }
}

/// The most important numbers of a run as a list.
pub fn headline(s: &RunSummary, lang: Lang) -> String {
    let share = |part: u64, whole: u64| match whole {
        0 => String::new(),
        whole => format!(" ({})", percent(&((part * 100 + whole / 2) / whole).to_string(), lang)),
    };
    let mut rows = table(&[]);
    let mut row = |label: &str, value: String| {
        rows.add_row([label.to_owned(), value]);
    };
    row(
        "Mentees matched",
        format!("{} of {}{}", s.matched_mentees, s.mentees, share(s.matched_mentees, s.mentees)),
    );
    for tier in s.tiers.iter().filter(|_| s.tiers.len() > 1) {
        let name = if tier.tier == 1 { "  of these, waitlisted" } else { "  of these, new" };
        row(name, format!("{} of {}", tier.matched, tier.mentees));
    }
    row(
        "Mentors matched",
        format!("{} of {}{}", s.matched_mentors, s.mentors, share(s.matched_mentors, s.mentors)),
    );
    row("Places used", format!("{} of {}{}", s.filled_places, s.places, share(s.filled_places, s.places)));
    if let Some(whole) = &s.whole_round {
        row(
            "Candidates",
            format!(
                "{} of {} pass every rule on open answers",
                count(whole.candidates, lang),
                counted(whole.pairs, "pair", "pairs", lang)
            ),
        );
    }
    if let Some(ScoreRange { worst, median, best }) = s.scores {
        let scores = [best, median, worst].map(|points| score(points.into(), lang));
        row("Score of a match", format!("highest {}, median {}, lowest {}", scores[0], scores[1], scores[2]));
    }
    if let Some(whole) = &s.whole_round {
        whole_round(whole, s.objective, lang, &mut row);
    }
    rows.to_string()
}

fn whole_round(whole: &WholeRound, objective: Objective, lang: Lang, row: &mut impl FnMut(&str, String)) {
    if objective != Objective::Stable {
        let pairs = counted(whole.blocking_pairs, "pair", "pairs", lang);
        row(
            "Mutually better pairs",
            format!("{pairs} in which both would score higher; normal when the whole round is optimised"),
        );
    }
    if let Some(price) = whole.price_of_fairness {
        row("Price of fairness", format!("{} of the total score", counted(price, "point", "points", lang)));
    }
    let micros: i64 = whole.stage_micros.iter().map(|(_, micros)| micros).sum();
    row("Engine time", format!("{}.{:03} ms", micros / 1_000, micros % 1_000));
}

fn first_matches(matches: &[Match], lang: Lang) -> String {
    if matches.is_empty() {
        return "No matches.".to_owned();
    }
    let mut lines = vec![match matches.len() {
        1 => "The only match:".to_owned(),
        all if all <= MATCHES_SHOWN => format!("All {all} matches:"),
        all => format!("The first {MATCHES_SHOWN} of {} matches:", count(all as u64, lang)),
    }];
    for pair in matches.iter().take(MATCHES_SHOWN) {
        lines.push(format!(
            "  {}  {}  with  {}",
            score(pair.score.into(), lang),
            pair.mentee.short(),
            pair.mentor.short()
        ));
        lines.extend(strongest(pair).into_iter().take(REASONS_SHOWN).map(|contribution| {
            let criterion = wording::criterion_label(contribution.criterion, lang);
            let reason = labelled(criterion, &wording::render(&contribution.reason, lang), lang);
            format!("           {} {reason}", bar(contribution))
        }));
    }
    lines.join("\n")
}

/// Contributions by their points, the greatest first.
fn strongest(pair: &Match) -> Vec<&Contribution> {
    let mut contributions: Vec<&Contribution> = pair.contributions.iter().collect();
    contributions.sort_by_key(|c| std::cmp::Reverse(c.points));
    contributions
}

/// A contribution as a bar of five cells.
fn bar(contribution: &Contribution) -> String {
    let filled =
        (usize::from(contribution.points) * 5).div_ceil(usize::from(contribution.max_points).max(1)).min(5);
    format!("{}{}", "■".repeat(filled), "□".repeat(5 - filled))
}

fn coverage_by_region(summary: &RunSummary, lang: Lang) -> String {
    let Some(whole) = summary.whole_round.as_ref().filter(|whole| !whole.regions.is_empty()) else {
        return String::new();
    };
    let mut rows = table(&["Region", "Mentees", "matched", "Mentors", "matched"]);
    for (code, coverage) in &whole.regions {
        let label = Region::from_code(code).map_or(code.as_str(), |region| region.label(lang));
        let Coverage { mentees, matched_mentees, mentors, matched_mentors } = coverage;
        rows.add_row([
            label.to_owned(),
            mentees.to_string(),
            matched_mentees.to_string(),
            mentors.to_string(),
            matched_mentors.to_string(),
        ]);
    }
    align_right(&mut rows, &[1, 2, 3, 4]);
    rows.to_string()
}

fn unmatched(unmatched: &[Unmatched], lang: Lang) -> String {
    let of_side = |side| unmatched.iter().filter(move |u| u.side == side);
    let mentees: Vec<&Unmatched> = of_side(Some(Side::Mentee)).collect();
    let mut lines = vec![match mentees.len() as u64 {
        0 => "Every mentee has a match.".to_owned(),
        without => {
            format!("{} without a match, with the reasons:", counted(without, "mentee", "mentees", lang))
        }
    }];
    for person in mentees.iter().take(UNMATCHED_SHOWN) {
        lines.push(format!("  {}", person.profile.short()));
        lines.extend(person.details.iter().map(|reason| format!("      {}", wording::render(reason, lang))));
    }
    if mentees.len() > UNMATCHED_SHOWN {
        lines.push(format!("  and {} more", mentees.len() - UNMATCHED_SHOWN));
    }
    let roleless: Vec<String> = of_side(None).take(UNMATCHED_SHOWN).map(|u| u.profile.short()).collect();
    if !roleless.is_empty() {
        let people = counted(of_side(None).count() as u64, "person", "people", lang);
        let names = roleless.join(", ");
        lines.push(format!(
            "{people} enrolled with a profile that has no role any more, for example {names}."
        ));
    }
    match of_side(Some(Side::Mentor)).count() {
        0 => {}
        1 => lines.push("1 mentor keeps free places for late joiners.".to_owned()),
        mentors => lines.push(format!("{mentors} mentors keep free places for late joiners.")),
    }
    lines.join("\n")
}

/// Mentors with fewer mentees than their minimum, each with both numbers.
fn below_minimum(summary: &RunSummary, lang: Lang) -> String {
    let (all, named) = (summary.mentors_below_minimum, &summary.below_minimum);
    if all == 0 {
        return String::new();
    }
    let mut lines =
        vec![format!("{} with fewer mentees than the minimum:", counted(all, "mentor", "mentors", lang))];
    for one in named.iter().take(UNMATCHED_SHOWN) {
        lines.push(format!("  {}: {} of {}", one.mentor.short(), one.matched, one.minimum));
    }
    let more = all.saturating_sub(named.len().min(UNMATCHED_SHOWN) as u64);
    if more > 0 {
        lines.push(format!("  and {} more", count(more, lang)));
    }
    lines.join("\n")
}

/// The explanation of a pair: the verdict, the hard rules that exclude it, and its score by criterion.
pub fn explanation(explained: &v1::ExplainPairResponse, lang: Lang) -> String {
    let text = |reason: &Option<v1::Reason>| reason.clone().unwrap_or_default().text;
    let points = |points: i32| score(u32::try_from(points).unwrap_or_default(), lang);
    let mut lines = vec![text(&explained.verdict)];
    lines.extend(explained.broken_rules.iter().map(|broken| format!("  excluded: {}", text(&broken.reason))));
    let pair = explained.pair.clone().unwrap_or_default();
    let mut rows = table(&["Criterion", "Points", "of", "Reason"]);
    for contribution in &pair.contributions {
        let criterion = convert::policy::criterion(contribution.criterion);
        rows.add_row([
            wording::criterion_label(criterion, lang).to_owned(),
            points(contribution.points),
            points(contribution.max_points),
            text(&contribution.reason),
        ]);
    }
    align_right(&mut rows, &[1, 2]);
    lines.push(rows.to_string());
    lines.push(format!("score {}", points(pair.score)));
    lines.join("\n")
}
