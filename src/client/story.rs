//! A run told to a person: headline numbers, the first matches with their reasons, coverage, who has no match and why,
//! and the proof.

use std::io;

use super::output::{align_right, data, grouped, percent, table};
use super::results::Results;
use crate::domain::policy::Objective;
use crate::domain::run::{Contribution, Coverage, Match, RunSummary, Side, Unmatched};
use crate::domain::vocabulary::{Lang, Region};
use crate::wording;

/// Matches shown in full.
const MATCHES_SHOWN: usize = 5;
/// People without a match shown.
const UNMATCHED_SHOWN: usize = 12;
/// Reasons shown per match.
const REASONS_SHOWN: usize = 3;

/// Prints the whole story.
pub fn tell(results: &Results, lang: Lang) -> io::Result<()> {
    headline(&results.summary)?;
    data("")?;
    first_matches(&results.matches, lang)?;
    data("")?;
    coverage_by_region(&results.summary, lang)?;
    data("")?;
    unmatched(&results.unmatched, lang)?;
    data("")?;
    data(&proof_line(&results.summary))
}

/// One line with the proof, or with its absence.
pub fn proof_line(summary: &RunSummary) -> String {
    let proof = &summary.proof;
    let gap = proof.dual - proof.primal;
    if proof.proved {
        let pairs = grouped(proof.candidates_checked);
        match summary.objective {
            Objective::BestTotal => format!("Optimal, proved over {pairs} eligible pairs, gap {gap}."),
            Objective::Fairest => format!("Fairest, proved over {pairs} eligible pairs, gap {gap}."),
            Objective::Stable => format!("Stable, proved: none of {pairs} eligible pairs blocks it."),
        }
    } else {
        format!("NOT proved optimal: the proof leaves a gap of {gap}.")
    }
}

/// The numbers that come first.
pub fn headline(s: &RunSummary) -> io::Result<()> {
    let share = |part: u64, whole: u64| match whole {
        0 => String::new(),
        whole => format!(" ({} %)", (part * 100 + whole / 2) / whole),
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
    row("Places used", format!("{} of {}{}", s.matches, s.places, share(s.matches, s.places)));
    row(
        "Candidates",
        format!("{} of {} pairs pass every hard rule", grouped(s.candidates), grouped(s.pairs)),
    );
    if s.matches > 0 {
        let scores = [s.best_score, s.median_score, s.worst_score].map(percent);
        row("Score of a match", format!("best {}, median {}, lowest {}", scores[0], scores[1], scores[2]));
    }
    if s.objective != Objective::Stable {
        row("Would rather swap", format!("{} pairs would both prefer each other", grouped(s.blocking_pairs)));
    }
    if let Some(price) = s.price_of_fairness {
        row("Price of fairness", format!("{} points of the total score", grouped(price)));
    }
    let micros: i64 = s.stage_micros.iter().map(|(_, micros)| micros).sum();
    row("Time of the engine", format!("{}.{:03} ms", micros / 1_000, micros % 1_000));
    data(&rows.to_string())
}

fn first_matches(matches: &[Match], lang: Lang) -> io::Result<()> {
    if matches.is_empty() {
        return data("No matches.");
    }
    data(&format!("The first {} of {} matches:", MATCHES_SHOWN.min(matches.len()), matches.len()))?;
    for pair in matches.iter().take(MATCHES_SHOWN) {
        data(&format!("  {}  {}  with  {}", percent(pair.score), pair.mentee.short(), pair.mentor.short()))?;
        for contribution in strongest(pair).into_iter().take(REASONS_SHOWN) {
            data(&format!(
                "           {} {}: {}",
                bar(contribution),
                wording::criterion_label(contribution.criterion, lang),
                wording::render(&contribution.reason, lang)
            ))?;
        }
    }
    Ok(())
}

/// Contributions by their points, the greatest first.
pub fn strongest(pair: &Match) -> Vec<&Contribution> {
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

fn coverage_by_region(summary: &RunSummary, lang: Lang) -> io::Result<()> {
    if summary.regions.is_empty() {
        return Ok(());
    }
    let mut rows = table(&["Region", "Mentees", "matched", "Mentors", "matched"]);
    for (code, coverage) in &summary.regions {
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
    data(&rows.to_string())
}

fn unmatched(unmatched: &[Unmatched], lang: Lang) -> io::Result<()> {
    let mentees: Vec<&Unmatched> = unmatched.iter().filter(|u| u.side == Side::Mentee).collect();
    let mentors = unmatched.len() - mentees.len();
    if mentees.is_empty() {
        data("Every mentee has a match.")?;
    } else {
        data(&format!("{} mentees without a match, each with her reason:", mentees.len()))?;
    }
    for person in mentees.iter().take(UNMATCHED_SHOWN) {
        data(&format!("  {}", person.profile.short()))?;
        for reason in &person.details {
            data(&format!("      {}", wording::render(reason, lang)))?;
        }
    }
    if mentees.len() > UNMATCHED_SHOWN {
        data(&format!("  … and {} more", mentees.len() - UNMATCHED_SHOWN))?;
    }
    match mentors {
        0 => Ok(()),
        1 => data("1 mentor keeps free places for late joiners."),
        mentors => data(&format!("{mentors} mentors keep free places for late joiners.")),
    }
}
