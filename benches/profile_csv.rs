//! Measures how many rows per second an import reads and an export writes, on one core.
//!
//! `cargo bench --locked --bench profile_csv`; the figure to read is `elem/s`. One element is one full row of a synthetic profile.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wim_match::demo::alliance::synthesise;
use wim_match::domain::profile::ProfileDraft;
use wim_match::profile_csv::{ProfileReader, ProfileWriter};

const ROWS: usize = 10_000;

fn written(drafts: &[ProfileDraft]) -> Vec<u8> {
    let mut writer = ProfileWriter::new(Vec::new()).expect("memory can be written");
    for draft in drafts {
        writer.write(draft).expect("memory can be written");
    }
    writer.finish().expect("memory can be written")
}

fn profile_csv(criterion: &mut Criterion) {
    let alliance = synthesise(ROWS, 1);
    let profiles = || (0..alliance.organisations.len()).flat_map(|at| alliance.profiles_of(at));
    let drafts: Vec<ProfileDraft> = profiles().collect();
    let file = written(&drafts);
    let organisation = &alliance.organisations[0].id;
    let mut group = criterion.benchmark_group("profile_csv");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("read", |bench| {
        bench.iter(|| {
            let reader = ProfileReader::new(file.as_slice(), organisation).expect("a header");
            reader.map(|row| black_box(row.expect("a good row")).line).max()
        });
    });
    group.bench_function("write", |bench| bench.iter(|| written(black_box(&drafts)).len()));
    group.bench_function("synthesise", |bench| {
        bench.iter(|| profiles().map(|draft| black_box(draft).languages.len()).sum::<usize>());
    });
    group.finish();
}

criterion_group!(benches, profile_csv);
criterion_main!(benches);
