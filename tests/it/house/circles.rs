//! Circles of files and of modules: the strongly connected components of the references.
//!
//! A module counts with everything below it. So `a.rs` that takes an item of `b/deep.rs` and `b.rs` that takes an item of
//! `a.rs` are a circle of the modules `a` and `b`, although no file reaches itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::paths::{Reference, references};
use super::tree::Tree;

/// Files that reach each other, by index.
pub(crate) type Circle = BTreeSet<usize>;

/// All circles among `edges`, each with two files at least, in the order of their first files.
pub(crate) fn circles(edges: &BTreeMap<(usize, usize), Reference>) -> Vec<Circle> {
    let files: BTreeSet<usize> = edges.keys().flat_map(|&(from, to)| [from, to]).collect();
    let reach: BTreeMap<usize, Circle> = files.iter().map(|&file| (file, reached(edges, file))).collect();
    let mut found: Vec<Circle> = Vec::new();
    for &file in &files {
        if reach[&file].contains(&file) && !found.iter().any(|circle| circle.contains(&file)) {
            found.push(reach[&file].iter().copied().filter(|to| reach[to].contains(&file)).collect());
        }
    }
    found
}

/// Files that one file reaches by one edge or more.
fn reached(edges: &BTreeMap<(usize, usize), Reference>, file: usize) -> Circle {
    let (mut found, mut open) = (Circle::new(), vec![file]);
    while let Some(from) = open.pop() {
        for &(_, to) in edges.range((from, 0)..=(from, usize::MAX)).map(|(edge, _)| edge) {
            if found.insert(to) {
                open.push(to);
            }
        }
    }
    found
}

/// The circles of the tree in words: each with its files, and with one line of each edge inside.
pub(crate) fn report(tree: &Tree) -> Vec<String> {
    let edges = references(tree);
    let circles = circles(&edges);
    circles.iter().map(|circle| describe(tree, &edges, circle)).collect()
}

/// The circles among the modules of each folder, in words. Parents and children are no neighbours: [`report`] has their
/// circles.
pub(crate) fn report_modules(tree: &Tree) -> Vec<String> {
    let references = references(tree);
    let mut names: BTreeSet<Vec<String>> = BTreeSet::new();
    let mut neighbours = Vec::new();
    for (&(from, to), reference) in &references {
        let (taker, giver) = (&tree.sources[from].module, &tree.sources[to].module);
        let depth = taker.iter().zip(giver).take_while(|(one, other)| one == other).count();
        if taker.len() > depth && giver.len() > depth {
            let pair = (taker[..=depth].to_vec(), giver[..=depth].to_vec());
            names.extend([pair.0.clone(), pair.1.clone()]);
            neighbours.push((pair, from, reference));
        }
    }
    let names: Vec<Vec<String>> = names.into_iter().collect();
    let index = |name: &Vec<String>| names.binary_search(name).expect("a known module");
    let mut edges: BTreeMap<(usize, usize), Reference> = BTreeMap::new();
    for ((taker, giver), _, reference) in &neighbours {
        edges.entry((index(taker), index(giver))).or_insert_with(|| (*reference).clone());
    }
    circles(&edges)
        .iter()
        .map(|circle| {
            let mut text = format!("{} modules take items from each other:", circle.len());
            for ((taker, giver), from, reference) in &neighbours {
                if circle.contains(&index(taker)) && circle.contains(&index(giver)) {
                    let at = tree.sources[*from].at(reference.line);
                    let to = tree.sources[reference.to].path.display();
                    write!(text, "\n    {at}: `{}` is in {to}", reference.path).expect("text grows");
                }
            }
            text
        })
        .collect()
}

fn describe(tree: &Tree, edges: &BTreeMap<(usize, usize), Reference>, circle: &Circle) -> String {
    let mut text = format!("{} files take items from each other:", circle.len());
    for &from in circle {
        for (&(_, to), reference) in edges.range((from, 0)..=(from, usize::MAX)) {
            if circle.contains(&to) {
                let (at, to) = (tree.sources[from].at(reference.line), tree.sources[to].path.display());
                write!(text, "\n    {at}: `{}` is in {to}", reference.path).expect("text grows");
            }
        }
    }
    text
}
