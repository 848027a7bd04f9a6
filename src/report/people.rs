//! Every match with its main strengths and weak points, and every person without a match with the reason and the possible change.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use maud::{Markup, html};

use super::round_report::RoundReport;
use super::words::Words;
use super::{chart, number};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::name::ProfileRef;
use crate::domain::recruit;
use crate::domain::run::{BelowMinimum, Contribution, Match, Side, Unmatched, UnmatchedReason};
use crate::domain::vocabulary::{Kind as _, Lang, Topic};
use crate::wording;

/// Text in the place of something that the report does not know.
const NO_VALUE: &str = "–";
/// Rows that are visible before the reader opens the rest.
const OPEN_ROWS: usize = 25;
/// Most rows in the file: a file with more rows is too large for a phone.
pub(super) const MOST_ROWS: usize = 500;
/// Most strengths, and most weak points, per visible match.
const MOST_REASONS: usize = 3;
/// The same per folded match: on paper a row of two lines is half as high.
const MOST_REASONS_FOLDED: usize = 2;
/// Most kinds of mentor to recruit.
const MOST_RECRUITS: usize = 10;
/// Most topics to recruit for.
const MOST_TOPICS: usize = 6;
/// Most mentees named beside a kind of mentor.
const MOST_NAMED: usize = 12;

/// The matches, the lowest score first.
pub(super) fn matches(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    if report.matches.is_empty() {
        return html! { p.empty { (words.text(report.key("matches_empty"))) } };
    }
    let mut matches: Vec<&Match> = report.matches.iter().collect();
    matches.sort_by_key(|m| (m.score, &m.mentee, &m.mentor));
    let (open, folded) = fold(&matches);
    html! {
        p.lead { (words.text("matches_lead")) }
        (match_table(report, open, MOST_REASONS))
        @if !folded.is_empty() {
            details.more {
                summary { (words.fill("matches_more", &[("more", &words.len(folded))])) }
                (match_table(report, folded, MOST_REASONS_FOLDED))
            }
        }
        @if matches.len() > MOST_ROWS {
            @let shown = words.len(&matches[..MOST_ROWS]);
            p.aside { (words.fill("matches_cut", &[("shown", &shown), ("matches", &words.len(&matches))])) }
        }
    }
}

/// The visible rows and the folded ones.
fn fold<T>(rows: &[T]) -> (&[T], &[T]) {
    rows[..rows.len().min(MOST_ROWS)].split_at(rows.len().min(OPEN_ROWS))
}

fn match_table(report: &RoundReport<'_>, matches: &[&Match], most: usize) -> Markup {
    let words = report.words();
    let [mentee, mentor] = [Side::Mentee, Side::Mentor].map(|side| wording::side_label(side, words.0));
    let [score, reasons, weak] =
        ["matches_score", "matches_reasons", "matches_weak"].map(|key| words.text(key));
    // A match without contributions was read without them, so that nothing is known of its strengths.
    let none = |one: &Match, key| if one.contributions.is_empty() { NO_VALUE } else { words.text(key) };
    html! {
        table.cards.matches {
            thead { tr {
                th scope="col" { (mentee) }
                th scope="col" { (mentor) }
                th scope="col" { (score) }
                th scope="col" { (reasons) }
                th scope="col" { (weak) }
            } }
            tbody {
                @for one in matches {
                    tr {
                        th scope="row" data-label=(mentee) { (person(report, &one.mentee)) }
                        td data-label=(mentor) { (person(report, &one.mentor)) }
                        td.score data-label=(score) {
                            span { (words.score(one.score)) }
                            (chart::meter(u64::from(one.score), 10_000))
                        }
                        td data-label=(reasons) { (lines(&strengths(one, most, words.0), none(one, "matches_reasons_none"))) }
                        td data-label=(weak) { (lines(&weak_points(one, most, words.0), none(one, "matches_weak_none"))) }
                    }
                }
            }
        }
    }
}

fn lines(lines: &[String], none: &str) -> Markup {
    html! {
        @if lines.is_empty() { (none) } @else { ul.reasons { @for line in lines { li { (line) } } } }
    }
}

/// The greatest strengths of a match in words.
pub(super) fn strengths(one: &Match, most: usize, lang: Lang) -> Vec<String> {
    let words = Words(lang);
    one.strengths().into_iter().take(most).map(|given| words.reason(&given.reason)).collect()
}

/// The greatest weak points of a match in words, each with its points.
pub(super) fn weak_points(one: &Match, most: usize, lang: Lang) -> Vec<String> {
    one.weak_points().into_iter().take(most).map(|given| with_points(given, lang)).collect()
}

/// The reason of a contribution, with its points.
pub(super) fn with_points(given: &Contribution, lang: Lang) -> String {
    let words = Words(lang);
    let points = |points: u16| number::percentage_points(u64::from(points) * 100, lang);
    let (reason, got, most) = (words.reason(&given.reason), points(given.points), points(given.max_points));
    words.fill("matches_weak_point", &[("reason", &reason), ("points", &got), ("most", &most)])
}

fn person(report: &RoundReport<'_>, profile: &ProfileRef) -> Markup {
    html! {
        span.person { (profile.id.as_str()) }
        span.organisation { (report.organisation(&profile.organisation)) }
    }
}

/// Every person without a match, mentees first: a mentee without a mentor loses most.
pub(super) fn unmatched(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    html! {
        (whom_to_recruit(report))
        (below_minimum(report))
        @if report.unmatched.is_empty() {
            p.empty { (words.text(report.key("unmatched_empty"))) }
        } @else {
            (unmatched_by_side(report))
        }
    }
}

fn unmatched_by_side(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    html! {
        @for (side, heading) in [
            (Some(Side::Mentee), "unmatched_mentees"),
            (Some(Side::Mentor), "unmatched_mentors"),
            (None, "unmatched_roleless"),
        ] {
            @let people = people_of(report.unmatched, side);
            @if side.is_some() || !people.is_empty() {
                h3 { (words.text(heading)) " " span.tally { (words.len(&people)) } }
                @if people.is_empty() {
                    p.empty { (words.text("unmatched_none")) }
                } @else {
                    p.aside { (reasons_counted(report, &people)) }
                    @let (open, folded) = fold(&people);
                    (unmatched_table(report, open))
                    @if !folded.is_empty() {
                        details.more {
                            summary { (words.fill("unmatched_more", &[("more", &words.len(folded))])) }
                            (unmatched_table(report, folded))
                        }
                    }
                    @if people.len() > MOST_ROWS {
                        @let shown = words.len(&people[..MOST_ROWS]);
                        p.aside {
                            (words.fill("unmatched_cut", &[("shown", &shown), ("people", &words.len(&people))]))
                        }
                    }
                }
            }
        }
    }
}

/// Mentors with fewer mentees than the minimum they set, each with both numbers.
fn below_minimum(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let summary = report.summary;
    let listed = &summary.below_minimum[..summary.below_minimum.len().min(MOST_ROWS)];
    let more = summary.mentors_below_minimum.saturating_sub(listed.len() as u64);
    html! {
        @if summary.mentors_below_minimum > 0 {
            h3 {
                (words.text("below_minimum")) " "
                span.tally { (words.count(summary.mentors_below_minimum)) }
            }
            ul.recruits {
                @for one in listed {
                    li {
                        strong { (one.mentor.id.as_str()) } " – "
                        (below_minimum_figures(report, one))
                        span.excluded { (report.organisation(&one.mentor.organisation)) }
                    }
                }
            }
            @if more > 0 {
                p.aside { (words.fill("unmatched_more", &[("more", &words.count(more))])) }
            }
        }
    }
}

/// The mentees of a mentor, and her minimum.
pub(super) fn below_minimum_figures(report: &RoundReport<'_>, one: &BelowMinimum) -> String {
    let words = report.words();
    let (matched, minimum) = (words.count(one.matched), words.count(one.minimum));
    words.fill("below_minimum_of", &[("matched", &matched), ("minimum", &minimum)])
}

/// The kinds of mentor that would serve most of the mentees without a mentor.
fn whom_to_recruit(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let recruits = recruit::recruits(report.unmatched);
    let (shown, more) = recruits.split_at(recruits.len().min(MOST_RECRUITS));
    // A manager does not see all mentors of the mentees of other organisations.
    let own = report.is_of_one_organisation().then(|| report.own_organisation());
    let sees_all = |one: &&Match| own.is_none_or(|own| own == Some(&one.mentee.organisation));
    let topics = recruit::topics_without_mentor(report.matches.iter().filter(sees_all));
    let topics: Vec<String> = (topics.into_iter().take(MOST_TOPICS))
        .map(|(code, mentees)| {
            let label = Topic::vocabulary().term(code).map_or(code, |term| term.label(words.0));
            format!("{label} ({})", words.count(mentees))
        })
        .collect();
    html! {
        @if !shown.is_empty() || !topics.is_empty() {
            h3 { (words.text("recruit_title")) }
        }
        @if !shown.is_empty() {
            p.aside { (words.text("recruit_lead")) }
            ul.recruits {
                @for recruit in shown {
                    @let (named, others) = recruit.mentees.split_at(recruit.mentees.len().min(MOST_NAMED));
                    li {
                        strong { (words.reason(&recruit.mentor)) } " – "
                        (words.fill("recruit_people", &[("people", &words.len(&recruit.mentees))]))
                        span.excluded {
                            @for (at, mentee) in named.iter().enumerate() {
                                @if at > 0 { ", " }
                                span.name { (mentee.short()) }
                            }
                            @if !others.is_empty() { " … +" (words.len(others)) }
                        }
                    }
                }
            }
            @if !more.is_empty() {
                p.aside { (words.fill("recruit_more", &[("more", &words.len(more))])) }
            }
        }
        @if !topics.is_empty() {
            p.topics { (words.fill("recruit_topics", &[("topics", &topics.join(" · "))])) }
        }
    }
}

/// How many people have each reason, the most frequent first.
fn reasons_counted(report: &RoundReport<'_>, people: &[&Unmatched]) -> String {
    let words = report.words();
    let mut counts: BTreeMap<UnmatchedReason, u64> = BTreeMap::new();
    for one in people {
        *counts.entry(one.reason).or_default() += 1;
    }
    let mut counts: Vec<(UnmatchedReason, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(reason, count)| (Reverse(*count), *reason));
    let counted = |(reason, count): &(UnmatchedReason, u64)| {
        words.labelled(wording::unmatched_label(*reason, words.0), &words.count(*count))
    };
    counts.iter().map(counted).collect::<Vec<_>>().join(" · ")
}

fn people_of(unmatched: &[Unmatched], side: Option<Side>) -> Vec<&Unmatched> {
    let mut people: Vec<&Unmatched> = unmatched.iter().filter(|one| one.side == side).collect();
    people.sort_by_key(|one| &one.profile);
    people
}

fn unmatched_table(report: &RoundReport<'_>, people: &[&Unmatched]) -> Markup {
    let words = report.words();
    let [who, why_label, change, candidates] =
        ["unmatched_person", "unmatched_reason", "unmatched_change", "unmatched_candidates"]
            .map(|key| words.text(key));
    html! {
        table.cards.unmatched {
            thead { tr {
                th scope="col" { (who) }
                th scope="col" { (why_label) }
                th scope="col" { (change) }
                th scope="col" { (candidates) }
            } }
            tbody {
                @for one in people {
                    tr {
                        th scope="row" data-label=(who) { (person(report, &one.profile)) }
                        td data-label=(why_label) {
                            p { (why(report, one)) }
                            @if let Some(excluded) = excluded(report, one) {
                                p.excluded { (words.labelled(words.text("unmatched_excluded"), &excluded)) }
                            }
                        }
                        td data-label=(change) { @for change in changes(report, one) { p { (change) } } }
                        td.score data-label=(candidates) { span { (candidate_figures(report, one)) } }
                    }
                }
            }
        }
    }
}

/// The reason of a person without a match.
pub(super) fn why(report: &RoundReport<'_>, one: &Unmatched) -> String {
    let (reason, rest) = reason_and_changes(one);
    let words = report.words();
    let more = rest.iter().filter(|reason| is_of_least_places(reason)).map(|reason| words.reason(reason));
    let all: Vec<String> = [words.reason(&reason)].into_iter().chain(more).collect();
    all.join(words.0.conventions().semicolon)
}

/// What would change the result, one line each; at least one.
pub(super) fn changes(report: &RoundReport<'_>, one: &Unmatched) -> Vec<String> {
    let words = report.words();
    let (_, changes) = reason_and_changes(one);
    let changes: Vec<&Reason> = changes.iter().filter(|reason| !is_of_least_places(reason)).collect();
    let general = changes
        .iter()
        .all(|reason| is_of_a_mentor(reason))
        .then(|| words.text(change_key(one.reason)).to_owned());
    general.into_iter().chain(changes.iter().map(|change| words.reason(change))).collect()
}

/// How many people of the other side all hard rules allow.
pub(super) fn candidate_figures(report: &RoundReport<'_>, one: &Unmatched) -> String {
    let words = report.words();
    if matches!(one.reason, UnmatchedReason::NoLiveConsent | UnmatchedReason::NoRole) {
        return words.text("unmatched_not_compared").to_owned();
    }
    let people = |count| wording::people(count, words.0);
    let (candidates, counterparts) = (people(one.candidates), people(one.counterparts));
    words.fill(
        report.key("unmatched_candidates_of"),
        &[("candidates", &candidates), ("counterparts", &counterparts)],
    )
}

/// How many people each rule excludes. `None` for a person who still has candidates: the rules are not her reason.
pub(super) fn excluded(report: &RoundReport<'_>, one: &Unmatched) -> Option<String> {
    let lang = report.words().0;
    let mut rules: Vec<_> = one.exclusions.iter().collect();
    rules.sort_by_key(|(rule, people)| (Reverse(**people), **rule));
    let listed: Vec<String> = rules
        .iter()
        .map(|(rule, people)| {
            format!("{}\u{a0}{}", wording::exclusion_label(**rule, lang), wording::people(**people, lang))
        })
        .collect();
    (one.reason == UnmatchedReason::NoCandidate && !listed.is_empty()).then(|| listed.join(" · "))
}

/// Splits the details: the reason is the first, and what belongs to it or would change the result follows.
fn reason_and_changes(one: &Unmatched) -> (Reason, &[Reason]) {
    match one.details.split_first() {
        Some((reason, changes)) => (reason.clone(), changes),
        None => (bare_reason(one), &[]),
    }
}

fn bare_reason(one: &Unmatched) -> Reason {
    Reason::new(match one.reason {
        UnmatchedReason::NoCounterpart => ReasonCode::NoCounterpart,
        UnmatchedReason::NoCandidate => ReasonCode::NoCandidateUncounted,
        UnmatchedReason::Outcompeted => ReasonCode::OutcompetedUncounted,
        UnmatchedReason::PlacesLeftOver => ReasonCode::PlacesLeftOverUncounted,
        UnmatchedReason::NoLiveConsent => ReasonCode::NoLiveConsent,
        UnmatchedReason::NoRole => ReasonCode::NoRole,
    })
}

/// Whether a detail says that least places of a mentor were missed, which is a part of the reason.
fn is_of_least_places(reason: &Reason) -> bool {
    use ReasonCode::{BelowLeastPlaces, LeastPlacesMissed, LeastPlacesMissedUncounted};
    matches!(reason.code, BelowLeastPlaces | LeastPlacesMissed | LeastPlacesMissedUncounted)
}

/// Whether a detail describes the mentor who is needed, and not what else would change the result.
fn is_of_a_mentor(reason: &Reason) -> bool {
    use ReasonCode::{MentorMeetsByCall, MentorMeetsInPerson, MentorWanted};
    matches!(reason.code, MentorWanted | MentorMeetsByCall | MentorMeetsInPerson)
}

fn change_key(reason: UnmatchedReason) -> &'static str {
    match reason {
        UnmatchedReason::NoCounterpart => "change_no_counterpart",
        UnmatchedReason::NoCandidate => "change_no_candidate",
        UnmatchedReason::Outcompeted => "change_outcompeted",
        UnmatchedReason::PlacesLeftOver => "change_places_left_over",
        UnmatchedReason::NoLiveConsent => "change_no_live_consent",
        UnmatchedReason::NoRole => "change_no_role",
    }
}
