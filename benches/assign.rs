//! Measures the best assignment and its proof, from scores to the certifier's verdict, on several kinds of instances.
//!
//! `profile` resembles real rounds: a third of the pairs are candidates, with few distinct scores. The other kinds are the
//! classics of the literature. Scores are stored beforehand, so that the bench measures the solver and not the scoring.
//! The groups `stable` and `fairest` measure these objectives, including the count of blocking pairs.
//!
//! `cargo bench --locked --bench assign` runs all groups; `cargo bench --bench assign -- assign/profile/500` runs one case. Compare
//! times on an idle machine only. The statistics of the solver do not depend on the machine.

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
