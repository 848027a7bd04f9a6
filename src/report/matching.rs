//! Distribution of the scores, contribution of the criteria, exclusions by rule, and time of the stages.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::chart::{Bar, Caption, Rest};
use super::round_report::RoundReport;
use super::{chart, number};
use crate::domain::policy::HardRule;
use crate::domain::run::WholeRound;
use crate::wording;

/// Width of a bin of the score histogram, in points.
const BIN: u16 = 500;

/// The distribution of the scores.
pub(super) fn scores(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let summary = report.summary;
    let Some(range) = summary.scores else {
        return html! { p.empty { (words.text("scores_empty")) } };
    };
    let (worst, median, best) =
        (words.score(range.worst), words.score(range.median), words.score(range.best));
    let matches = words.count(summary.matches);
    let description = words.fill(
        "scores_description",
        &[("matches", &matches), ("worst", &worst), ("median", &median), ("best", &best)],
    );
    let ticks = ["0", "25", "50", "75", "100"].map(|tick| wording::percent(tick, words.0));
    let bins: Vec<(u64, String)> = summary.score_histogram.iter().map(|n| (*n, words.count(*n))).collect();
    let marker = words.fill("scores_median", &[("median", &median)]);
    let caption = Caption { id: "histogram", title: words.text("scores_title"), description: &description };
    let edge = |bin: u16| words.score((bin * BIN).min(10_000));
    html! {
        p.lead { (words.text("scores_lead")) }
        div.panel {
            (chart::histogram(caption, &bins, &ticks, Some((range.median, &marker))))
            details.same {
                summary { (words.text("table_same")) }
                table {
                    thead { tr {
                        th scope="col" { (words.text("scores_score")) }
                        th.number scope="col" { (words.text("scores_matches")) }
                    } }
                    tbody {
                        @for (bin, (_, written)) in (0_u16..).zip(&bins).filter(|(_, (matches, _))| *matches > 0) {
                            tr {
                                th scope="row" {
                                    (words.fill("scores_range", &[("from", &edge(bin)), ("to", &edge(bin + 1))]))
                                }
                                td.number { (written) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Mean contribution of each criterion within its maximum.
pub(super) fn criteria(report: &RoundReport<'_>, whole: &WholeRound) -> Markup {
    let words = report.words();
    if report.summary.matches == 0 {
        return html! { p.empty { (words.text("scores_empty")) } };
    }
    let mut criteria: Vec<_> = whole.criteria.iter().filter(|mean| mean.max_points > 0).collect();
    criteria.sort_by_key(|mean| Reverse(mean.max_points));
    let points = |hundredths: u64| number::percentage_points(hundredths, words.0);
    let bars: Vec<Bar> = criteria
        .iter()
        .map(|mean| {
            let most = u64::from(mean.max_points) * 100;
            let filled = mean.mean_points_hundredths.min(most);
            let value = words.fill("criteria_value", &[("mean", &points(filled)), ("most", &points(most))]);
            let label = wording::criterion_label(mean.criterion, words.0);
            let title = words.labelled(label, &value);
            Bar { label: label.to_owned(), title, value, filled, rest: most - filled }
        })
        .collect();
    let mean = points(criteria.iter().map(|mean| mean.mean_points_hundredths).sum());
    let description = words.fill("criteria_description", &[("mean", &mean)]);
    let caption = Caption { id: "means", title: words.text("criteria_title"), description: &description };
    html! {
        p.lead { (words.text("criteria_lead")) " " (description) }
        div.panel {
            ul.legend {
                li { (chart::swatch(None)) (words.text("criteria_reached")) }
                li { (chart::swatch(Some(Rest::Reach))) (words.text("criteria_reach")) }
            }
            (chart::bars(caption, Rest::Reach, &bars))
            details.same {
                summary { (words.text("table_same")) }
                table {
                    thead { tr {
                        th scope="col" { (words.text("criteria_criterion")) }
                        th.number scope="col" { (words.text("criteria_reached")) }
                        th.number scope="col" { (words.text("criteria_reach")) }
                    } }
                    tbody {
                        @for (mean, bar) in criteria.iter().zip(&bars) {
                            tr {
                                th scope="row" { (bar.label) }
                                td.number { (points(mean.mean_points_hundredths)) }
                                td.number { (points(u64::from(mean.max_points) * 100)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Number of pairs that each hard rule excludes, and the time of each stage.
pub(super) fn rules(report: &RoundReport<'_>, whole: &WholeRound) -> Markup {
    let words = report.words();
    let mut rules: Vec<(HardRule, u64)> = whole.exclusions.iter().map(|(rule, n)| (*rule, *n)).collect();
    rules.retain(|(_, pairs)| *pairs > 0);
    rules.sort_by_key(|(rule, pairs)| (Reverse(*pairs), *rule));
    let bars: Vec<Bar> = rules
        .iter()
        .map(|(rule, pairs)| {
            let count = words.count(*pairs);
            let value = match number::share(*pairs, whole.pairs, words.0) {
                Some(share) => words.fill("rules_value_share", &[("pairs", &count), ("share", &share)]),
                None => count,
            };
            let label = wording::exclusion_label(*rule, words.0);
            let title = words.labelled(label, &value);
            Bar { label: label.to_owned(), title, value, filled: *pairs, rest: 0 }
        })
        .collect();
    let description = words.fill(
        "rules_description",
        &[("pairs", &words.count(whole.pairs)), ("candidates", &words.count(whole.candidates))],
    );
    let caption = Caption { id: "exclusions", title: words.text("rules_title"), description: &description };
    html! {
        p.lead { (description) @if !bars.is_empty() { " " (words.text("rules_lead")) } }
        @if bars.is_empty() {
            p.empty { (words.text("rules_empty")) }
        } @else {
            div.panel {
                (chart::bars(caption, Rest::Reach, &bars))
                details.same {
                    summary { (words.text("table_same")) }
                    table {
                        thead { tr {
                            th scope="col" { (words.text("rules_rule")) }
                            th.number scope="col" { (words.text("rules_pairs")) }
                        } }
                        tbody {
                            @for (rule, pairs) in &rules {
                                tr { th scope="row" { (wording::exclusion_label(*rule, words.0)) } td.number { (words.count(*pairs)) } }
                            }
                        }
                    }
                }
            }
        }
        (times(report, whole))
    }
}

fn times(report: &RoundReport<'_>, whole: &WholeRound) -> Markup {
    let words = report.words();
    let stages = &whole.stage_micros;
    let total: i64 = stages.iter().map(|(_, micros)| micros.max(&0)).sum();
    html! {
        @if !stages.is_empty() {
            div.panel.times {
                h3 { (words.text("times_title")) }
                dl {
                    @for (stage, micros) in stages {
                        div { dt { (wording::stage_label(*stage, words.0)) } dd { (number::duration(*micros, words.0)) } }
                    }
                    div.total { dt { (words.text("times_total")) } dd { (number::duration(total, words.0)) } }
                }
            }
        }
    }
}
