//! How long the best assignment and its proof take, from scores to verdict, on the instance kinds of the field study:
//! `profile` is what real rounds look like (a third of the pairs are candidates, few distinct scores), the others are the
//! classics. Scores are stored beforehand, so that the solver is measured and not the scoring.
//!
//! `stable` and `fairest` are the same for these objectives, blocking pairs counted.
//!
//! `cargo bench --bench assign` runs all; `cargo bench --bench assign -- assign/profile/500` one of them. Compare on an idle
//! machine only; [`wim_match::engine::assign::SolverStatistics`] do not depend on it.

#![expect(clippy::unwrap_used, reason = "a bench may stop at the first thing that goes wrong")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use wim_match::domain::policy::Objective;
use wim_match::engine::assign::assign;
use wim_match::engine::certify::certify;
use wim_match::engine::objective::{check, solve};
use wim_match::engine::observer::Unobserved;
use wim_match::engine::{pair_scores, problem};

#[path = "assign/instance.rs"]
mod instance;

use instance::Instance;

type Case = (&'static str, usize, fn() -> Instance);

fn solve_and_prove(criterion: &mut Criterion) {
    let cases: [Case; 9] = [
        ("profile", 500, || Instance::profile(500, 500, 1, 1)),
        ("profile", 2000, || Instance::profile(2000, 2000, 1, 1)),
        ("profile", 5000, || Instance::profile(5000, 5000, 1, 1)),
        ("seats", 5000, || Instance::profile(5000, 2000, 5, 2)),
        ("contended", 5000, || Instance::profile(5000, 1200, 5, 6)),
        ("uniform", 2000, || Instance::uniform(2000, 1)),
        ("geom", 2000, || Instance::geom(2000, 1)),
        ("int100", 2000, || Instance::int100(2000, 1)),
        ("price-war", 2001, || Instance::new(2001, 500, |_| 4, |_, _| 5)),
    ];
    let mut group = criterion.benchmark_group("assign");
    group.sample_size(10);
    for (kind, mentees, instance) in cases {
        group.bench_function(BenchmarkId::new(kind, mentees), |bencher| {
            let instance = instance();
            let problem = instance.problem();
            bencher.iter(|| {
                let best = assign(black_box(&problem), &Unobserved).unwrap();
                let verdict = certify(&problem, &best.pairs, &best.certificate, &Unobserved).unwrap();
                assert!(verdict.proved());
            });
        });
    }
    group.finish();
}

fn other_objectives(criterion: &mut Criterion) {
    let cases: [Case; 2] = [
        ("profile", 5000, || Instance::profile(5000, 5000, 1, 1)),
        ("seats", 5000, || Instance::profile(5000, 2000, 5, 2)),
    ];
    for objective in [Objective::Stable, Objective::Fairest] {
        let mut group = criterion.benchmark_group(objective.as_str());
        group.sample_size(10);
        for (kind, mentees, instance) in cases {
            group.bench_function(BenchmarkId::new(kind, mentees), |bencher| {
                let instance = instance();
                let problem = instance.problem();
                bencher.iter(|| {
                    let best = solve(black_box(&problem), objective, None, &Unobserved).unwrap();
                    let checked = check(&problem, &best.pairs, &best.evidence, None, &Unobserved).unwrap();
                    assert!(checked.proved);
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, solve_and_prove, other_objectives);
criterion_main!(benches);
