//! A run in sentences and tables for a person: headline numbers, the first matches with their reasons, coverage, everybody
//! without a match with the reason, and the proof.

use super::output::{align_right, table, titled};
use super::results::Results;
use crate::api::convert;
use crate::api::proto::v1;
use crate::domain::message::Message;
use crate::domain::name::ProfileRef;
use crate::domain::policy::Objective;
use crate::domain::recruit::{self, Recruit};
use crate::domain::run::{
    Contribution, Coverage, EquityMeasure, EquityWarning, FollowedPairs, Match, RunSummary, ScoreRange, Side,
    Standing, Unmatched, WholeRound,
};
use crate::domain::vocabulary::{Lang, Region};
use crate::message;
use crate::wording::{self, count, decimal, labelled, percent, score};

/// Matches listed.
const MATCHES_SHOWN: usize = 5;
/// People without a match listed.
const UNMATCHED_SHOWN: usize = 12;
/// Kinds of mentor to recruit listed.
const RECRUITS_SHOWN: usize = 5;
/// Strengths listed per match, before the greatest weak point.
const REASONS_SHOWN: usize = 3;

/// The whole story of a run.
pub fn story(results: &Results, lang: Lang) -> String {
    let sections = [
        headline(&results.summary, lang),
        first_matches(&results.matches, lang),
        coverage_by_region(&results.summary, lang),
        equity(&results.summary, lang),
        unmatched(results, lang),
        whom_to_recruit(&results.unmatched, lang),
        below_minimum(&results.summary, lang),
        proof(&results.summary, lang),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// A sentence on the proof of the result.
pub fn proof(summary: &RunSummary, lang: Lang) -> String {
    let told = match (summary.proof.standing(), summary.objective) {
        (Standing::Optimal, Objective::BestTotal) => message!("Optimal: proved over every pair."),
        (Standing::Optimal, Objective::Fairest) => message!("Fairest: proved over every pair."),
        (Standing::Optimal, Objective::Stable) => message!("Stable: proved that no pair is a blocking pair."),
        (Standing::Bounded { people: Some(people) }, _) => message!(
            "The best result found: {matched} of at most {most|1 mentee|{most} mentees} matched.",
            matched = summary.matched_mentees,
            most = summary.matched_mentees + people
        ),
        (Standing::Bounded { people: None }, _) => {
            message!("The best result found; it is not proved that no result is better.")
        }
        (Standing::Unproved, _) => message!("NOT proved optimal."),
    };
    wording::message(&told, lang)
}

/// Groups of mentees that fall behind the rest by more than chance, a line each.
pub fn equity(summary: &RunSummary, lang: Lang) -> String {
    let warnings = summary.whole_round.iter().flat_map(|whole| &whole.equity);
    let line = |warning: &EquityWarning| {
        let rate = |(part, base): (u64, u64)| {
            percent(&count((part * 100 + base / 2).checked_div(base).unwrap_or_default(), lang), lang)
        };
        let [low, high] = [warning.interval.0, warning.interval.1].map(|end| count(end, lang));
        let (group, own, whole) =
            (wording::equity_group(warning, lang), rate(warning.group), rate(warning.whole));
        let told = match warning.measure {
            EquityMeasure::MatchRate => message!(
                "{group}: {own} of its mentees are matched (95% interval {low} to {high}), of everybody {whole}",
                group = group,
                own = own,
                low = low,
                high = high,
                whole = whole
            ),
            EquityMeasure::Scores => message!(
                "{group}: {own} of its matches reach the median score (95% interval {low} to {high}), of everybody {whole}",
                group = group,
                own = own,
                low = low,
                high = high,
                whole = whole
            ),
        };
        format!("  {}", wording::message(&told, lang))
    };
    let lines: Vec<String> = warnings.map(line).collect();
    if lines.is_empty() {
        return String::new();
    }
    let title = message!("Groups that fall behind by more than chance");
    format!("{}\n{}", wording::message(&title, lang), lines.join("\n"))
}

/// The most important numbers of a run as a list.
pub fn headline(s: &RunSummary, lang: Lang) -> String {
    let of = |part: u64, whole: u64| {
        let told = message!("{part} of {whole}", part = part, whole = whole);
        let share =
            (part * 100 + whole / 2).checked_div(whole).map(|share| percent(&count(share, lang), lang));
        let share = share.map_or_else(String::new, |share| format!(" ({share})"));
        wording::message(&told, lang) + &share
    };
    let mut rows = table(&[]);
    let mut row = |label: Message, value: String| {
        rows.add_row([wording::message(&label, lang), value]);
    };
    row(message!("Mentees matched"), of(s.matched_mentees, s.mentees));
    for tier in s.tiers.iter().filter(|_| s.tiers.len() > 1) {
        let name =
            if tier.tier == 1 { message!("  of these, waitlisted") } else { message!("  of these, new") };
        row(name, of(tier.matched, tier.mentees));
    }
    row(message!("Mentors matched"), of(s.matched_mentors, s.mentors));
    row(message!("Places used"), of(s.filled_places, s.places));
    if let Some(whole) = &s.whole_round {
        let told = message!(
            "{candidates} of {pairs|1 pair|{pairs} pairs} pass every rule on open answers",
            candidates = whole.candidates,
            pairs = whole.pairs
        );
        row(message!("Candidates"), wording::message(&told, lang));
    }
    if let Some(ScoreRange { worst, median, best }) = s.scores {
        let [best, median, worst] = [best, median, worst].map(|points| score(points.into(), lang));
        let told = message!(
            "highest {best}, median {median}, lowest {worst}",
            best = best,
            median = median,
            worst = worst
        );
        row(message!("Score of a match"), wording::message(&told, lang));
    }
    if let Some(FollowedPairs { kept, changed, ended }) = s.followed {
        let told = match ended.filter(|ended| *ended > 0) {
            None => message!("{kept} kept, {changed} changed", kept = kept, changed = changed),
            Some(ended) => message!(
                "{kept} kept, {changed} changed, {ended} ended because a person left",
                kept = kept,
                changed = changed,
                ended = ended
            ),
        };
        row(message!("Pairs of the earlier run"), wording::message(&told, lang));
    }
    if let Some(whole) = &s.whole_round {
        whole_round(whole, s.objective, lang, &mut row);
    }
    rows.to_string()
}

fn whole_round(whole: &WholeRound, objective: Objective, lang: Lang, row: &mut impl FnMut(Message, String)) {
    if objective != Objective::Stable {
        let told = message!(
            "{pairs|1 pair|{pairs} pairs} in which both would score higher; normal when the whole round is optimised",
            pairs = whole.blocking_pairs
        );
        row(message!("Mutually better pairs"), wording::message(&told, lang));
    }
    if let Some(price) = whole.price_of_fairness {
        let told = message!("{points|1 point|{points} points} of the total score", points = price);
        row(message!("Price of fairness"), wording::message(&told, lang));
    }
    if let Some(price) = whole.price_of_stability {
        let told = message!("{points|1 point|{points} points} of the total score", points = price);
        row(message!("Price of stability"), wording::message(&told, lang));
    }
    if let Some(most) = whole.most_matched_mentees {
        row(message!("Mentees matched without stability, at most"), count(most, lang));
    }
    let micros: i64 = whole.stage_micros.iter().map(|(_, micros)| micros).sum();
    let millis = decimal(u64::try_from(micros).unwrap_or_default(), 3, lang);
    row(message!("Engine time"), format!("{millis} ms"));
}

fn first_matches(matches: &[Match], lang: Lang) -> String {
    let heading = match matches.len() {
        0 => return wording::message(&message!("No matches."), lang),
        all if all <= MATCHES_SHOWN => message!("{all|The only match|All {all} matches}:", all = all),
        all => message!("The first {shown} of {all} matches:", shown = MATCHES_SHOWN, all = all),
    };
    let mut lines = vec![wording::message(&heading, lang)];
    for pair in matches.iter().take(MATCHES_SHOWN) {
        let told = message!(
            "  {score}  {mentee}  with  {mentor}",
            score = score(pair.score.into(), lang),
            mentee = pair.mentee.short(),
            mentor = pair.mentor.short()
        );
        lines.push(wording::message(&told, lang));
        let strengths = pair.strengths().into_iter().take(REASONS_SHOWN);
        lines.extend(strengths.chain(pair.weak_points().into_iter().take(1)).map(|contribution| {
            let criterion = wording::criterion_label(contribution.criterion, lang);
            let reason = labelled(criterion, &wording::render(&contribution.reason, lang), lang);
            format!("           {} {reason}", bar(contribution))
        }));
    }
    lines.join("\n")
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
    let header = [
        message!("Region"),
        message!("Mentees"),
        message!("matched mentees"),
        message!("Mentors"),
        message!("matched mentors"),
    ];
    let mut rows = titled(&header, lang);
    for (code, coverage) in &whole.regions {
        let label = Region::from_code(code).map_or(code.as_str(), |region| region.label(lang));
        let Coverage { mentees, matched_mentees, mentors, matched_mentors } = coverage;
        let numbers = [mentees, matched_mentees, mentors, matched_mentors].map(|people| count(*people, lang));
        rows.add_row(std::iter::once(label.to_owned()).chain(numbers));
    }
    align_right(&mut rows, &[1, 2, 3, 4]);
    rows.to_string()
}

fn unmatched(results: &Results, lang: Lang) -> String {
    let (summary, unmatched) = (&results.summary, &results.unmatched);
    let of_side = |side| unmatched.iter().filter(move |u| u.side == side);
    let mentees: Vec<&Unmatched> = of_side(Some(Side::Mentee)).collect();
    let heading = match mentees.len() {
        // A manager sees her own members only.
        0 if summary.whole_round.is_none() && summary.mentees == 0 => {
            message!("No mentee of the organisation is enrolled.")
        }
        0 if summary.whole_round.is_none() => message!("Every mentee of the organisation has a match."),
        0 if summary.mentees == 0 => message!("No mentee is enrolled."),
        0 => message!("Every mentee has a match."),
        without => message!(
            "{mentees|1 mentee|{mentees} mentees} without a match, with the reasons:",
            mentees = without
        ),
    };
    let mut lines = vec![wording::message(&heading, lang)];
    for person in mentees.iter().take(UNMATCHED_SHOWN) {
        lines.push(format!("  {}", person.profile.short()));
        lines.extend(person.details.iter().map(|reason| format!("      {}", wording::render(reason, lang))));
    }
    if mentees.len() > UNMATCHED_SHOWN {
        lines.push(and_more((mentees.len() - UNMATCHED_SHOWN) as u64, lang));
    }
    let roleless: Vec<String> = of_side(None).take(UNMATCHED_SHOWN).map(|u| u.profile.short()).collect();
    if !roleless.is_empty() {
        let told = message!(
            "{people|1 person|{people} people} enrolled with a profile that has no role any more, for example {names}.",
            people = of_side(None).count(),
            names = roleless.join(", ")
        );
        lines.push(wording::message(&told, lang));
    }
    let mentors = of_side(Some(Side::Mentor)).count();
    if mentors > 0 {
        let told = message!(
            "{mentors|1 mentor keeps|{mentors} mentors keep} free places for late joiners.",
            mentors = mentors
        );
        lines.push(wording::message(&told, lang));
    }
    lines.join("\n")
}

/// The kinds of mentor that would serve most of the mentees without a match.
fn whom_to_recruit(unmatched: &[Unmatched], lang: Lang) -> String {
    let recruits = recruit::recruits(unmatched);
    if recruits.is_empty() {
        return String::new();
    }
    let mut lines = vec![wording::message(&message!("Whom to recruit:"), lang)];
    for Recruit { mentor, mentees } in recruits.iter().take(RECRUITS_SHOWN) {
        let named: Vec<String> = mentees.iter().take(UNMATCHED_SHOWN).map(ProfileRef::short).collect();
        let mentor = wording::capitalised(&wording::render(mentor, lang));
        lines.push(format!("  {}", labelled(&mentor, &named.join(", "), lang)));
        if mentees.len() > named.len() {
            lines.push(format!("  {}", and_more((mentees.len() - named.len()) as u64, lang)));
        }
    }
    lines.join("\n")
}

/// Mentors with fewer mentees than their minimum, each with both numbers.
fn below_minimum(summary: &RunSummary, lang: Lang) -> String {
    let (all, named) = (summary.mentors_below_minimum, &summary.below_minimum);
    if all == 0 {
        return String::new();
    }
    let heading =
        message!("{mentors|1 mentor|{mentors} mentors} with fewer mentees than the minimum:", mentors = all);
    let mut lines = vec![wording::message(&heading, lang)];
    for one in named.iter().take(UNMATCHED_SHOWN) {
        let of = message!(
            "{matched} of at least {minimum|1 mentee|{minimum} mentees}",
            matched = one.matched,
            minimum = one.minimum
        );
        lines.push(format!("  {}", labelled(&one.mentor.short(), &wording::message(&of, lang), lang)));
    }
    let more = all.saturating_sub(named.len().min(UNMATCHED_SHOWN) as u64);
    if more > 0 {
        lines.push(and_more(more, lang));
    }
    lines.join("\n")
}

fn and_more(more: u64, lang: Lang) -> String {
    wording::message(&message!("  and {more} more", more = more), lang)
}

/// The explanation of a pair: the verdict, the hard rules that exclude it, and its score by criterion.
pub fn explanation(explained: &v1::ExplainPairResponse, lang: Lang) -> String {
    let text = |reason: &Option<v1::Reason>| reason.clone().unwrap_or_default().text;
    let points = |points: i32| score(u32::try_from(points).unwrap_or_default(), lang);
    let mut lines = vec![text(&explained.verdict)];
    lines.extend(explained.broken_rules.iter().map(|broken| {
        wording::message(&message!("  excluded: {reason}", reason = text(&broken.reason)), lang)
    }));
    let pair = explained.pair.clone().unwrap_or_default();
    let header = [message!("Criterion"), message!("Points"), message!("of at most"), message!("Reason")];
    let mut rows = titled(&header, lang);
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
    lines.push(wording::message(&message!("score {score}", score = points(pair.score)), lang));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::run::Proof;

    #[test]
    fn a_manager_whose_members_are_all_mentors_reads_that_no_mentee_is_of_her_organisation() {
        let told = |whole_round: Option<WholeRound>, lang| {
            let summary = RunSummary { mentors: 2, matched_mentors: 2, whole_round, ..RunSummary::default() };
            let results = Results {
                round: v1::Round::default(),
                dates: [jiff::civil::Date::constant(2027, 3, 1); 2],
                run: v1::Run::default(),
                summary,
                matches: Vec::new(),
                unmatched: Vec::new(),
                organisation_names: BTreeMap::new(),
            };
            unmatched(&results, lang)
        };
        let own = [
            (Lang::En, "No mentee of the organisation is enrolled."),
            (Lang::Fr, "Aucune personne mentorée de l’organisation n’est inscrite."),
            (Lang::Es, "No hay ninguna mentee de la organización inscrita."),
            (Lang::Pt, "Nenhuma mentorada da organização está inscrita."),
        ];
        for (lang, expected) in own {
            assert_eq!(told(None, lang), expected);
        }
        assert_eq!(told(Some(WholeRound::default()), Lang::En), "No mentee is enrolled.");
    }

    #[test]
    fn a_result_that_is_not_proved_is_told_with_what_is_known() {
        let told = |proof| {
            let summary = RunSummary { matched_mentees: 6, proof, ..RunSummary::default() };
            super::proof(&summary, Lang::En)
        };
        assert_eq!(told(Proof::new(true, Some(0))), "Optimal: proved over every pair.");
        let bounded = Proof::new(false, Some(1));
        assert_eq!(told(bounded.clone()), "The best result found: 6 of at most 7 mentees matched.");
        // A manager reads no number about everyone.
        let of_manager = told(Proof { gap: None, ..bounded });
        assert_eq!(of_manager, "The best result found; it is not proved that no result is better.");
        assert_eq!(told(Proof::new(false, None)), "NOT proved optimal.");
    }
}
