//! Pairs per second of the dense pass: all hard rules and all criteria of the default policy, over all pairs of a made-up
//! round, in the tiles that the solver asks for. `cargo bench --bench score`.

extern crate wim_match;

#[path = "support/synthetic.rs"]
mod synthetic;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rayon::prelude::*;
use synthetic::Shape;
use wim_match::engine::encode::Round;
use wim_match::engine::problem::PairScores;
use wim_match::engine::score::Scores;

const TILE: (usize, usize) = (64, 4_096);

fn score(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("score");
    group.sample_size(10);
    for size in [1_000, 5_000, 10_000] {
        let snapshot = Shape::usual(size, size).make();
        let round = Round::encode(&snapshot);
        let scores = Scores::new(&round);
        let (mentees, mentors) = (round.mentees.len(), round.mentors.len());
        group.throughput(Throughput::Elements((mentees * mentors) as u64));
        group.bench_function(BenchmarkId::new("all_pairs", size), |bencher| {
            bencher.iter(|| {
                let rows: Vec<usize> = (0..mentees).step_by(TILE.0).collect();
                rows.into_par_iter().for_each_init(
                    || vec![0; TILE.0 * TILE.1],
                    |out, row| {
                        for column in (0..mentors).step_by(TILE.1) {
                            let rows = row..mentees.min(row + TILE.0);
                            let columns = column..mentors.min(column + TILE.1);
                            let room = rows.len() * columns.len();
                            scores.tile(rows, columns, &mut out[..room]);
                            black_box(&out[..room]);
                        }
                    },
                );
            });
        });
        group.throughput(Throughput::Elements((mentees + mentors) as u64));
        group.bench_function(BenchmarkId::new("encode", size), |bencher| {
            bencher.iter(|| black_box(Scores::new(&Round::encode(&snapshot)).score(0, 0)));
        });
    }
    group.finish();
}

criterion_group!(benches, score);
criterion_main!(benches);
