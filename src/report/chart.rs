//! Charts as inline SVG: bars, histogram, meter.
//!
//! Horizontal positions are percentages of the width, so that a chart fills its container and its text keeps one readable
//! size from a phone to paper. Colours and patterns are classes of the report's style sheet. Every figure is also written as
//! a word or a number, so that no meaning depends on colour alone.

use maud::{Markup, html};

use super::number::length;

/// Title and description of a chart for screen readers, and the id that connects its parts.
#[derive(Debug, Clone, Copy)]
pub struct Caption<'a> {
    /// Unique within the document.
    pub id: &'a str,
    /// What the chart shows.
    pub title: &'a str,
    /// The main figures of the chart, in one or two sentences.
    pub description: &'a str,
}

/// Meaning of the part of a bar beyond its filled part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// A shortfall, drawn hatched in the colour of missing people.
    Shortfall,
    /// The part that could have been reached, drawn as an empty track.
    Reach,
}

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// Name of the bar.
    pub label: String,
    /// Label and figures as one text, for tooltips and screen readers.
    pub title: String,
    /// Figures of the bar, written at its right end.
    pub value: String,
    /// Length of the filled part.
    pub filled: u64,
    /// Length of the rest.
    pub rest: u64,
}

/// Height of a bar with its line of text, in pixels.
const ROW: usize = 42;
/// Width of a figure beside a bar, in tenths of a pixel: that of the widest fonts in use.
const FIGURE: usize = 86;
/// Height of the bars' area of a histogram.
const PLOT: u64 = 168;
/// Top of the bars' area: room for the marker's label and for the counts above the bars.
const PLOT_TOP: u64 = 44;

/// Horizontal bars, each with its label and figures above it, all to one scale.
pub fn bars(caption: Caption<'_>, rest: Rest, bars: &[Bar]) -> Markup {
    let longest = bars.iter().map(|bar| bar.filled + bar.rest).max().unwrap_or(0);
    let rest_class = if rest == Rest::Shortfall { "shortfall" } else { "reach" };
    figure(
        caption,
        bars.len() * ROW,
        &html! {
            defs {
                pattern id={ (caption.id) "-hatch" } width="6" height="6" patternUnits="userSpaceOnUse"
                    patternTransform="rotate(45)" {
                    rect class="hatch-ground" width="6" height="6" {}
                    rect class="hatch-line" width="2.5" height="6" {}
                }
                linearGradient id={ (caption.id) "-fade" } {
                    stop class="fade" offset="0" stop-opacity="0" {}
                    stop class="fade" offset="1" {}
                }
            }
            @for (i, bar) in bars.iter().enumerate() {
                @let filled = length(bar.filled, longest);
                @let whole = length(bar.filled + bar.rest, longest);
                @let figures = bar.value.chars().count() * FIGURE / 10;
                svg y=(i * ROW) width="100%" height=(ROW) {
                    title { (bar.title) }
                    text class="label" x="0" y="14" { (bar.label) }
                    // Measured from the right end in pixels: a label that is too long fades out before the figures.
                    svg x="100%" width="1" height="20" overflow="visible" {
                        rect x={ "-" (figures + 28) } width="24" height="20" fill={ "url(#" (caption.id) "-fade)" } {}
                        rect class="cover" x={ "-" (figures + 4) } width=(figures + 4) height="20" {}
                        text class="value" x="0" y="14" text-anchor="end" { (bar.value) }
                    }
                    @if longest > 0 {
                        @if bar.rest > 0 {
                            @let fill = (rest == Rest::Shortfall).then(|| format!("url(#{}-hatch)", caption.id));
                            rect class=(rest_class) x="0" y="21" width=(whole) height="11" rx="2" fill=[fill] {}
                        }
                        @if bar.filled > 0 { rect class="filled" x="0" y="21" width=(filled) height="11" rx="2" {} }
                    }
                    line class="base" x1="0" x2="100%" y1="36.5" y2="36.5" {}
                }
            }
        },
    )
}

/// A histogram of bins of equal width, each with its count as a number and as a text. The ticks are at equal distances
/// from end to end. The position of the marker is in ten-thousandths of the width.
pub fn histogram(
    caption: Caption<'_>,
    bins: &[(u64, String)],
    ticks: &[String],
    marker: Option<(u16, &str)>,
) -> Markup {
    let highest = bins.iter().map(|(count, _)| *count).max().unwrap_or(0);
    let height = |bin: u64| (PLOT * bin).checked_div(highest).unwrap_or(0).max(2);
    let base = PLOT_TOP + PLOT;
    let slots = u64::try_from(bins.len() * 100).unwrap_or(u64::MAX);
    let gaps = u64::try_from(ticks.len().saturating_sub(1)).unwrap_or(u64::MAX);
    // Counts of many digits overlap on a narrow screen, where the style sheet leaves them out.
    let count_class = if highest > 99 { "count wide" } else { "count" };
    figure(
        caption,
        usize::try_from(base + 26).unwrap_or(usize::MAX),
        &html! {
            @for (i, (bin, _)) in (0_u64..).zip(bins) {
                @if *bin > 0 {
                    @let height = height(*bin);
                    rect class="filled" x=(length(i * 100 + 7, slots)) y=(base - height) width=(length(86, slots))
                        height=(height) rx="2" {}
                }
            }
            line class="axis" x1="0" x2="100%" y1=(base) y2=(base) {}
            @for (i, tick) in (0_u64..).zip(ticks) {
                @let anchor = if i == 0 { "start" } else if i == gaps { "end" } else { "middle" };
                @let at = if i == 0 { "0".to_owned() } else { length(i, gaps) };
                line class="axis" x1=(at) x2=(at) y1=(base) y2=(base + 5) {}
                text class="tick" x=(at) y=(base + 20) text-anchor=(anchor) { (tick) }
            }
            @if let Some((at, label)) = marker {
                @let x = length(u64::from(at), 10_000);
                @let (anchor, shift) = if at > 5_000 { ("end", "-6") } else { ("start", "6") };
                line class="marker" x1=(x) x2=(x) y1="2" y2=(base) {}
                text class="marker-label" x=(x) dx=(shift) y="13" text-anchor=(anchor) { (label) }
            }
            // The counts come last, so that the marker does not cross them.
            @for (i, (bin, written)) in (0_u64..).zip(bins) {
                @if *bin > 0 {
                    text class=(count_class) x=(length(i * 100 + 50, slots)) y=(base - height(*bin) - 5)
                        text-anchor="middle" { (written) }
                }
            }
        },
    )
}

/// A thin bar of `part` of `whole`, for table cells and tiles. It is hidden from screen readers, because the figure is
/// written beside it.
pub fn meter(part: u64, whole: u64) -> Markup {
    html! {
        svg.meter width="100%" height="6" aria-hidden="true" {
            rect class="reach" width="100%" height="6" rx="3" {}
            @if part > 0 { rect class="filled" width=(length(part, whole)) height="6" rx="3" {} }
        }
    }
}

/// A small square in the look of a part of a bar, for legends.
pub fn swatch(rest: Option<Rest>) -> Markup {
    html! {
        svg.swatch width="14" height="11" aria-hidden="true" {
            @match rest {
                None => rect class="filled" width="14" height="11" rx="2" {},
                Some(Rest::Reach) => rect class="reach" width="14" height="11" rx="2" {},
                Some(Rest::Shortfall) => {
                    rect class="hatch-ground" width="14" height="11" rx="2" {}
                    path class="hatch-stroke" d="M-1 6 5-1M1 11 11-1M7 12 15 2" {}
                }
            }
        }
    }
}

fn figure(caption: Caption<'_>, height: usize, content: &Markup) -> Markup {
    html! {
        svg.chart width="100%" height=(height) role="img"
            aria-labelledby={ (caption.id) "-title " (caption.id) "-desc" } {
            title id={ (caption.id) "-title" } { (caption.title) }
            desc id={ (caption.id) "-desc" } { (caption.description) }
            (content)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTION: Caption<'static> = Caption { id: "c", title: "T", description: "D" };

    fn bar(filled: u64, rest: u64) -> Bar {
        let title = "a <b>: 1 & 2".to_owned();
        Bar { label: "a <b>".to_owned(), title, value: "1 & 2".to_owned(), filled, rest }
    }

    #[test]
    fn the_longest_bar_fills_the_width_and_the_others_keep_its_scale() {
        let svg = bars(CAPTION, Rest::Shortfall, &[bar(30, 10), bar(5, 5)]).into_string();
        assert!(svg.contains(r#"class="shortfall" x="0" y="21" width="100.00%""#), "{svg}");
        assert!(svg.contains(r#"class="filled" x="0" y="21" width="75.00%""#), "{svg}");
        assert!(svg.contains(r#"class="filled" x="0" y="21" width="12.50%""#), "{svg}");
        assert!(svg.contains("a &lt;b&gt;: 1 &amp; 2"), "labels are escaped: {svg}");
    }

    #[test]
    fn charts_of_nothing_are_whole_documents_of_nothing() {
        for svg in [
            bars(CAPTION, Rest::Reach, &[]),
            bars(CAPTION, Rest::Shortfall, &[bar(0, 0)]),
            histogram(CAPTION, &vec![(0, "0".to_owned()); 20], &["0".to_owned(), "1".to_owned()], None),
            histogram(CAPTION, &[], &[], None),
        ] {
            let svg = svg.into_string();
            assert!(svg.contains(r#"<title id="c-title">T</title><desc id="c-desc">D</desc>"#), "{svg}");
            assert!(!svg.contains(r#"class="filled""#), "{svg}");
        }
    }

    #[test]
    fn the_highest_bin_is_as_high_as_the_plot_and_the_marker_stands_at_its_place() {
        let svg = histogram(
            CAPTION,
            &[0, 4, 1, 0].map(|n| (n, n.to_string())),
            &["0".to_owned(), "1".to_owned()],
            Some((7_412, "median")),
        );
        let svg = svg.into_string();
        assert!(svg.contains(r#"x="26.75%" y="44" width="21.50%" height="168""#), "{svg}");
        assert!(svg.contains(r#"x="51.75%" y="170" width="21.50%" height="42""#), "{svg}");
        assert!(svg.contains(r#"class="marker" x1="74.12%" x2="74.12%""#), "{svg}");
    }
}
