//! Which calls and runs are traced, and how a trace goes on from one to the next.
//!
//! The decision is made once, where a call or a run begins, and every span inside follows it: a span of a call that is not
//! traced is not even made. A caller that sends a W3C `traceparent` decides for her call; of the other calls a share is
//! traced, up to a number a second. A run is linked to the call that started it by the `traceparent` that is stored with the run.
//!
//! `tracestate` and baggage are not read: they are texts of the caller's choice, and would leave with the spans.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::clock::Stopwatch;

/// Marks a context whose spans are exported.
#[derive(Debug, Clone, Copy)]
struct Traced;

/// Whether spans that are made now are exported.
pub fn is_traced() -> bool {
    Context::map_current(|context| context.get::<Traced>().is_some())
}

/// Calls that are traced in a second at most, of those that decide nothing themselves: a traced call costs several times
/// as much processor time as one that is not.
const MOST_A_SECOND: u64 = 20;

/// Which of the calls that decide nothing themselves are traced.
#[derive(Debug)]
pub struct Sampler {
    /// Of the 2^64 numbers that a call may draw, those below are traced.
    below: u64,
    state: AtomicU64,
    since: Stopwatch,
    /// The last second since the start in which a call was traced, times 256, plus the number of calls traced in it.
    traced: AtomicU64,
}

impl Sampler {
    /// Traces `percent` of the calls, drawn from `seed`, but at most `MOST_A_SECOND`; 100 traces them all.
    pub fn new(percent: u64, seed: u64) -> Self {
        let below = if percent >= 100 { u64::MAX } else { u64::MAX / 100 * percent };
        let (state, traced) = (AtomicU64::new(seed), AtomicU64::new(0));
        Self { below, state, since: Stopwatch::start(), traced }
    }

    /// Whether a call is traced.
    fn traces(&self) -> bool {
        let all = self.below == u64::MAX;
        all || (self.draws() && self.has_room(self.since.elapsed().as_secs()))
    }

    /// Takes one of the places of a second, if there is one left.
    fn has_room(&self, second: u64) -> bool {
        let taken = self.traced.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |traced| match traced {
            _ if traced >> 8 < second => Some(second << 8 | 1),
            _ if traced & 0xff < MOST_A_SECOND => Some(traced + 1),
            _ => None,
        });
        taken.is_ok()
    }

    /// Draws for a call: SplitMix64 of Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
    fn draws(&self) -> bool {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31) < self.below
    }
}

/// Makes the span of a call, whose header `traceparent` decides whether it is traced, or else `sampler`.
pub fn of_call(traceparent: Option<&str>, sampler: &Sampler, make: impl FnOnce() -> Span) -> Span {
    match traceparent.and_then(parse) {
        Some(parent) if !parent.is_sampled() => make(),
        Some(parent) => within(&Context::new().with_remote_span_context(parent), make),
        None if sampler.traces() => within(&Context::new(), make),
        None => make(),
    }
}

/// Makes the span of a run, which is always traced: runs are few. It is linked to the call that started the run.
pub fn of_run(traceparent: Option<&str>, make: impl FnOnce() -> Span) -> Span {
    let span = within(&Context::new(), make);
    if let Some(start) = traceparent.and_then(parse) {
        span.add_link(start);
    }
    span
}

fn within(context: &Context, make: impl FnOnce() -> Span) -> Span {
    let _guard = context.with_value(Traced).attach();
    make()
}

/// The `traceparent` of the present span; `None` if it is not traced.
pub fn traceparent() -> Option<String> {
    Context::map_current(|context| format(context.span().span_context()))
}

/// The id of the trace that a span belongs to; `None` if it is not traced.
pub fn id_of(span: &Span) -> Option<String> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let trace = context.span().span_context().trace_id();
    (context.get::<Traced>().is_some() && trace != opentelemetry::TraceId::INVALID).then(|| trace.to_string())
}

fn parse(text: &str) -> Option<SpanContext> {
    let carrier = HashMap::from([("traceparent".to_owned(), text.to_owned())]);
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    let parent = context.span().span_context().clone();
    parent.is_valid().then_some(parent)
}

fn format(context: &SpanContext) -> Option<String> {
    context.is_valid().then(|| {
        format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags().to_u8())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sampler_traces_its_share() {
        for percent in [0, 1, 5, 50, 100] {
            let sampler = Sampler::new(percent, 7);
            let drawn = (0..100_000).filter(|_| sampler.draws()).count();
            let expected = usize::try_from(percent).expect("a small number") * 1_000;
            assert!(drawn.abs_diff(expected) < 500, "{drawn} of {expected}");
        }
    }

    #[test]
    fn a_sampler_traces_a_bounded_number_of_calls_a_second() {
        let sampler = Sampler::new(99, 7);
        for second in [0, 1, 2, 60] {
            let traced = (0..1_000).filter(|_| sampler.has_room(second)).count();
            assert_eq!(traced as u64, MOST_A_SECOND, "second {second}");
        }
        assert!(!sampler.has_room(59), "a call that was slow to ask");
        assert!((0..1_000).all(|_| Sampler::new(100, 7).traces()), "all of them");
        assert!(!(0..1_000).all(|_| sampler.traces()));
    }

    #[test]
    fn a_traceparent_is_read_as_the_convention_writes_it() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(parse(good).as_ref().and_then(format).as_deref(), Some(good));
        for bad in
            ["", "canary", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", &format!("{good}-x")]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
        let zero = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        assert_eq!(parse(zero), None);
    }
}
