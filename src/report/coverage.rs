//! Mentees with and without a mentor, by priority, region and organisation.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::chart::{Bar, Caption, Rest};
use super::round_report::RoundReport;
use super::words::Words;
use super::{chart, number};
use crate::domain::run::{Coverage, TierCoverage};
use crate::domain::vocabulary::Region;

/// Most organisations with a bar of their own.
const MOST_BARS: usize = 30;

/// A group with the name that the report shows.
struct Group {
    label: String,
    coverage: Coverage,
}

/// The whole section; `None` if the reader sees no group.
pub(super) fn section(report: &RoundReport<'_>) -> Option<Markup> {
    let is_empty = report.is_of_one_organisation() && tier_groups(report).len() < 2;
    (!is_empty).then(|| all_groups(report))
}

fn all_groups(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let base = words.count(number::PERCENT_BASE);
    html! {
        p.lead { (words.fill("coverage_lead", &[("base", &base)])) }
        @if report.summary.mentees == 0 {
            p.empty { (words.text("coverage_empty")) }
        } @else {
            ul.legend {
                li { (chart::swatch(None)) (words.text("coverage_matched")) }
                li { (chart::swatch(Some(Rest::Shortfall))) (words.text("coverage_unmatched")) }
            }
            div.columns {
                div {
                    (tiers(report))
                    (regions(report))
                }
                div { (organisations(report)) }
            }
        }
    }
}

/// Mentees by priority.
fn tier_groups(report: &RoundReport<'_>) -> Vec<Group> {
    let words = report.words();
    let group = |tier: &TierCoverage| Group {
        label: words.text(if tier.tier == 1 { "tier_waitlisted" } else { "tier_others" }).to_owned(),
        coverage: Coverage { mentees: tier.mentees, matched_mentees: tier.matched, ..Coverage::default() },
    };
    report.summary.tiers.iter().map(group).filter(|group| group.coverage.mentees > 0).collect()
}

fn tiers(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let groups = tier_groups(report);
    html! {
        // A single tier would repeat the headline.
        @if groups.len() > 1 {
            div.panel {
                h3 { (words.text("coverage_tier")) }
                (bars(words, "tiers", "coverage_tier", &groups, None))
            }
        }
    }
}

fn regions(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let label = |code: &str| match Region::from_code(code) {
        Some(region) => region.label(words.0).to_owned(),
        None => code.to_owned(),
    };
    let whole = report.summary.whole_round.as_ref();
    let mut groups: Vec<Group> = (whole.into_iter().flat_map(|whole| &whole.regions))
        .map(|(code, coverage)| Group { label: label(code), coverage: *coverage })
        .collect();
    groups.sort_by_key(|group| Reverse(group.coverage.mentees));
    let (drawn, mentors_only): (Vec<Group>, Vec<Group>) =
        groups.into_iter().partition(|group| group.coverage.mentees > 0);
    html! {
        @if !drawn.is_empty() {
            div.panel.tabled[!mentors_only.is_empty()] {
                h3 { (words.text("coverage_region")) }
                (bars(words, "regions", "coverage_region", &drawn, None))
                (mentors_only_note(words, &mentors_only))
                (table(words, "coverage_region", &[&drawn, &mentors_only], mentors_only.is_empty()))
            }
        }
    }
}

fn organisations(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let whole = report.summary.whole_round.as_ref();
    let groups = whole
        .into_iter()
        .flat_map(|whole| &whole.organisations)
        .map(|(id, coverage)| Group { label: report.organisation(id).to_owned(), coverage: *coverage });
    let (mut drawn, mentors_only): (Vec<Group>, Vec<Group>) =
        groups.partition(|group| group.coverage.mentees > 0);
    // Shares are compared as fractions of a common denominator. The sort is stable: equal shares stay ordered by id.
    drawn.sort_by(|a, b| {
        let (a, b) = (&a.coverage, &b.coverage);
        let scaled = |x: &Coverage, y: &Coverage| u128::from(x.matched_mentees) * u128::from(y.mentees);
        scaled(a, b).cmp(&scaled(b, a)).then(b.mentees.cmp(&a.mentees))
    });
    let rest = drawn.get(MOST_BARS..).filter(|rest| !rest.is_empty()).map(|rest| Group {
        label: words.fill("coverage_rest", &[("organisations", &words.len(rest))]),
        coverage: rest.iter().fold(Coverage::default(), |sum, group| add(sum, group.coverage)),
    });
    let shown = &drawn[..drawn.len().min(MOST_BARS)];
    html! {
        @if !drawn.is_empty() {
            div.panel.tabled[!mentors_only.is_empty() || rest.is_some()] {
                h3 { (words.text("coverage_organisation")) }
                @if drawn.len() > 1 { p.aside { (words.text("coverage_organisation_order")) } }
                (bars(words, "organisations", "coverage_organisation", shown, rest.as_ref()))
                (mentors_only_note(words, &mentors_only))
                (table(words, "coverage_organisation", &[&drawn, &mentors_only],
                    mentors_only.is_empty() && rest.is_none()))
            }
        }
    }
}

fn add(a: Coverage, b: Coverage) -> Coverage {
    Coverage {
        mentees: a.mentees + b.mentees,
        matched_mentees: a.matched_mentees + b.matched_mentees,
        mentors: a.mentors + b.mentors,
        matched_mentors: a.matched_mentors + b.matched_mentors,
    }
}

fn mentors_only_note(words: Words, groups: &[Group]) -> Markup {
    html! {
        @if !groups.is_empty() {
            p.aside { (words.fill("coverage_mentors_only", &[("groups", &words.len(groups))])) }
        }
    }
}

/// Bars of `groups`, and below them one bar of all others together. The last bar has a scale of its own: on the common
/// scale it would make the others invisible.
fn bars(words: Words, id: &str, title: &str, groups: &[Group], others: Option<&Group>) -> Markup {
    let all = groups.iter().chain(others).fold(Coverage::default(), |sum, group| add(sum, group.coverage));
    let description = words.fill(
        "coverage_description",
        &[
            ("matched", &words.count(all.matched_mentees)),
            ("total", &words.count(all.mentees)),
            ("groups", &words.len(groups)),
        ],
    );
    let drawn: Vec<Bar> = groups.iter().map(|group| bar(words, group)).collect();
    let caption = Caption { id, title: words.text(title), description: &description };
    html! {
        (chart::bars(caption, Rest::Shortfall, &drawn))
        @if let Some(others) = others {
            div.others {
                (chart::bars(Caption { id: "others", title: &others.label, ..caption }, Rest::Shortfall,
                    &[bar(words, others)]))
            }
        }
    }
}

fn bar(words: Words, group: &Group) -> Bar {
    let Coverage { mentees, matched_mentees: matched, .. } = group.coverage;
    let (total, part) = (words.count(mentees), words.count(matched));
    let value = match number::share(matched, mentees, words.0) {
        Some(share) => {
            words.fill("coverage_value_share", &[("matched", &part), ("total", &total), ("share", &share)])
        }
        None => words.fill("coverage_value", &[("matched", &part), ("total", &total)]),
    };
    let title = words.labelled(&group.label, &value);
    Bar { label: group.label.clone(), title, value, filled: matched, rest: mentees.saturating_sub(matched) }
}

fn table(words: Words, title: &str, groups: &[&[Group]], complete: bool) -> Markup {
    html! {
        // On paper the table is left out if the bars already show every group.
        details class=(if complete { "same" } else { "fuller" }) {
            summary { (words.text("coverage_table")) }
            div.scroll tabindex="0" role="region" aria-label=(words.text(title)) {
                table {
                    thead { tr {
                        th scope="col" { (words.text("coverage_group")) }
                        th.number scope="col" { (words.text("coverage_mentees")) }
                        th.number scope="col" { (words.text("coverage_matched")) }
                        th.number scope="col" { (words.text("coverage_mentors")) }
                        th.number scope="col" { (words.text("coverage_mentors_matched")) }
                    } }
                    tbody {
                        @for group in groups.iter().copied().flatten() {
                            tr {
                                th scope="row" { (group.label) }
                                td.number { (words.count(group.coverage.mentees)) }
                                td.number { (words.count(group.coverage.matched_mentees)) }
                                td.number { (words.count(group.coverage.mentors)) }
                                td.number { (words.count(group.coverage.matched_mentors)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
