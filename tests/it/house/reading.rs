//! What the reader of the house test sees, on small trees of files.

use std::path::PathBuf;

use super::circles;
use super::items::{declared, used_names};
use super::paths::{named_by, references};
use super::tree::Tree;

fn tree(files: &[(&str, &str)]) -> Tree {
    Tree::new(files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect())
}

/// Edges between files, as `from -> to` by their names without folder and ending.
fn edges(files: &[(&str, &str)]) -> Vec<String> {
    let tree = tree(files);
    let name =
        |file: usize| tree.sources[file].path.file_stem().expect("a name").to_string_lossy().into_owned();
    let mut edges: Vec<String> =
        references(&tree).keys().map(|&(from, to)| format!("{} -> {}", name(from), name(to))).collect();
    edges.sort();
    edges
}

const LIB: (&str, &str) = ("src/lib.rs", "pub mod a; pub mod b;");
const B: (&str, &str) =
    ("src/b.rs", "pub mod deep; pub use self::deep::Inner; pub struct Own; pub fn of() {}");
const DEEP: (&str, &str) = ("src/b/deep.rs", "pub struct Inner; pub enum Kind { One } make!(Made);");

fn edges_of(text: &str) -> Vec<String> {
    edges(&[LIB, B, DEEP, ("src/a.rs", text)])
}

#[test]
fn a_module_line_and_a_reexport_from_below_are_no_references() {
    assert_eq!(edges_of(""), Vec::<String>::new());
}

#[test]
fn a_path_leads_to_the_file_that_defines_its_item() {
    assert_eq!(edges_of("use crate::b::Own;"), ["a -> b"]);
    assert_eq!(edges_of("use crate::b::{self, deep::Kind};"), ["a -> deep"]);
    assert_eq!(edges_of("use crate::b::{Own, deep::Kind};"), ["a -> b", "a -> deep"]);
    assert_eq!(edges_of("fn f() { super::b::of() }"), ["a -> b"]);
    assert_eq!(edges_of("fn f(x: crate::b::deep::Kind) {}"), ["a -> deep"]);
    assert_eq!(edges_of("fn f() -> u8 { crate::b::deep::Kind::One as u8 }"), ["a -> deep"]);
    assert_eq!(edges_of("impl crate::b::Own { fn g() {} }"), ["a -> b"]);
}

#[test]
fn a_path_through_a_reexport_leads_behind_it() {
    assert_eq!(edges_of("use crate::b::Inner;"), ["a -> deep"]);
    assert_eq!(edges_of("use crate::b::Inner as Outer; fn f(x: Outer) {}"), ["a -> deep"]);
}

#[test]
fn a_module_that_is_imported_counts_by_what_is_taken_from_it() {
    assert_eq!(edges_of("use crate::b;"), Vec::<String>::new());
    assert_eq!(edges_of("use crate::b; fn f() { b::of() }"), ["a -> b"]);
    assert_eq!(edges_of("use crate::b::deep as d; fn f(x: d::Inner) {}"), ["a -> deep"]);
    assert_eq!(edges_of("fn f() { use crate::b; b::of() }"), ["a -> b"]);
}

#[test]
fn a_glob_counts_by_the_names_that_are_used() {
    assert_eq!(edges_of("use crate::b::*;"), Vec::<String>::new());
    assert_eq!(edges_of("use crate::b::*; fn f(x: Own) {}"), ["a -> b"]);
    assert_eq!(edges_of("use crate::b::*; fn f(x: Inner) {}"), ["a -> deep"]);
}

#[test]
fn an_item_that_a_macro_makes_is_in_the_file_of_its_module() {
    assert_eq!(edges_of("use crate::b::deep::Made;"), ["a -> deep"]);
}

#[test]
fn the_tokens_of_macros_are_read() {
    assert_eq!(edges_of("fn f() { assert_eq!(crate::b::of(), 1) }"), ["a -> b"]);
    assert_eq!(edges_of("macro_rules! m { () => { $crate::b::of() } }"), ["a -> b"]);
    assert_eq!(edges_of("use crate::b; fn f() { vec![(1, b::of())] }"), ["a -> b"]);
    assert_eq!(edges_of("m! { use crate::b::{deep::Kind, Own}; }"), ["a -> b", "a -> deep"]);
    assert_eq!(edges_of("use crate::b; fn f() { vec![x.b, 'b', y::b::of()] }"), Vec::<String>::new());
}

#[test]
fn tests_comments_and_other_crates_are_no_references() {
    assert_eq!(edges_of("#[cfg(test)] mod tests { use crate::b::Own; }"), Vec::<String>::new());
    assert_eq!(edges_of("#[cfg(test)] use crate::b::Own;"), Vec::<String>::new());
    assert_eq!(edges_of("#[test] fn f() { crate::b::of() }"), Vec::<String>::new());
    assert_eq!(edges_of("//! [`crate::b::Own`]\n/// `crate::b::of`\nfn f() {}"), Vec::<String>::new());
    assert_eq!(
        edges_of("use b::Own; use ::b::of; fn f() { let s = \"crate::b::of\"; }"),
        Vec::<String>::new()
    );
    let tests = ("src/a/tests.rs", "use crate::b::Own;");
    assert_eq!(edges(&[LIB, B, DEEP, ("src/a.rs", "#[cfg(test)] mod tests;"), tests]), Vec::<String>::new());
    assert_eq!(edges(&[LIB, B, DEEP, ("src/a.rs", "mod tests;"), tests]), ["tests -> b"]);
}

#[test]
fn a_reexport_counts_where_its_module_takes_the_item_or_where_the_item_is_elsewhere() {
    let lib = ("src/lib.rs", "mod b;");
    let parent = ("src/b.rs", "mod deep; pub use self::deep::Inner; fn f(x: Inner) {}");
    assert_eq!(edges(&[lib, parent, DEEP]), ["b -> deep"]);
    assert_eq!(edges_of("pub use crate::b::Own;"), ["a -> b"]);
}

#[test]
fn a_call_of_a_method_from_an_impl_elsewhere_is_a_reference() {
    let elsewhere = "impl crate::b::Own { pub fn only_here(&self) {} pub fn common(&self) {} }";
    let caller = "pub struct Own; fn f(x: Own) { x.only_here(); x.common() } fn common() {}";
    assert_eq!(edges(&[LIB, ("src/a.rs", elsewhere), ("src/b.rs", caller)]), ["a -> b", "b -> a"]);
}

#[test]
fn a_circle_is_reported_with_a_line_for_each_edge() {
    let a = ("src/a.rs", "use crate::b::deep::Kind; pub struct Given;");
    let deep = ("src/b/deep.rs", "use crate::b::Own;\npub enum Kind {}");
    let b = ("src/b.rs", "pub mod deep;\npub struct Own(crate::a::Given);");
    let outside = ("src/c.rs", "use crate::a::Given;");
    let lib = ("src/lib.rs", "mod a; mod b; mod c;");
    assert_eq!(
        circles::report(&tree(&[lib, a, b, deep, outside])),
        ["3 files take items from each other:\n    \
            src/a.rs:1: `crate::b::deep::Kind` is in src/b/deep.rs\n    \
            src/b/deep.rs:1: `crate::b::Own` is in src/b.rs\n    \
            src/b.rs:2: `crate::a::Given` is in src/a.rs"]
    );
    assert_eq!(circles::report(&tree(&[lib, a, DEEP, B, outside])), Vec::<String>::new());
}

#[test]
fn two_circles_are_reported_apart() {
    let lib = ("src/lib.rs", "mod a; mod b; mod c; mod d;");
    let uses = |other: &str| format!("use crate::{other}::Own; pub struct Own;");
    let (a, b, c, d) =
        (uses("b"), uses("a"), uses("d"), uses("{a, c}").replace("::Own; ", "; use crate::c::Own as O; "));
    let found = circles::report(&tree(&[
        lib,
        ("src/a.rs", &a),
        ("src/b.rs", &b),
        ("src/c.rs", &c),
        ("src/d.rs", &d),
    ]));
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn modules_that_take_items_of_files_below_each_other_stand_in_a_circle() {
    let lib = ("src/lib.rs", "mod a; mod b;");
    let a = ("src/a.rs", "use crate::b::Inner; pub struct Given;");
    let b = ("src/b.rs", "mod deep; pub use self::deep::Inner; use crate::a::Given;");
    let circle = tree(&[lib, a, b, DEEP]);
    assert_eq!(circles::report(&circle), Vec::<String>::new(), "no file reaches itself");
    assert_eq!(
        circles::report_modules(&circle),
        ["2 modules take items from each other:\n    \
            src/a.rs:1: `crate::b::Inner` is in src/b/deep.rs\n    \
            src/b.rs:1: `crate::a::Given` is in src/a.rs"]
    );
    // A folder's own files take items of one another, and of their parent.
    let inside = [
        ("src/lib.rs", "mod b;"),
        ("src/b.rs", "mod deep; mod low; fn f(x: deep::Inner) {}"),
        ("src/b/deep.rs", "pub struct Inner(super::low::Low);"),
        ("src/b/low.rs", "pub struct Low;"),
    ];
    assert_eq!(circles::report_modules(&tree(&inside)), Vec::<String>::new());
}

#[test]
fn the_parts_that_a_path_enters_from_the_root_are_seen_in_every_form() {
    let named = |text: &str| {
        let files =
            [("src/lib.rs", "mod engine;"), ("src/engine.rs", "mod assign;"), ("src/engine/assign.rs", text)];
        let tree = tree(&files);
        let file = tree.sources.iter().position(|source| source.module.len() == 2).expect("the deep file");
        named_by(&tree, file).parts.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    assert_eq!(named("use crate::store::Store;"), ["store"]);
    assert_eq!(named("use crate::{\n    domain::{a, b},\n    store,\n};"), ["domain", "domain", "store"]);
    assert_eq!(named("fn f() { let x = crate::clock::Stopwatch::start(); }"), ["clock"]);
    assert_eq!(named("use super::super::store::Store;"), ["store"]);
    assert_eq!(named("fn f() { panic!(\"{}\", crate::store::NAME) }"), ["store"]);
    assert_eq!(
        named("use super::core::x; // crate-like\n/// [`crate::store`]\nfn f() {}"),
        Vec::<String>::new()
    );
}

#[test]
fn a_name_is_used_if_product_code_outside_its_declaration_names_it() {
    let used = |text: &str, name: &str| used_names(&tree(&[("src/lib.rs", text)])).contains(name, 0);
    assert!(used("pub fn f() {} pub fn g() { f() }", "f"));
    assert!(used("pub fn f() {} pub fn g() { assert!(f()) }", "f"));
    assert!(used("pub struct S; impl S { pub fn f(&self) {} } fn g(s: S) { s.f() }", "f"));
    assert!(used("pub struct S; impl From<S> for u8 { fn from(_: S) -> u8 { 0 } }", "S"));
    assert!(used("pub const N: u8 = 1; fn g() { print!(\"{N:>3}\") }", "N"));
    assert!(!used("pub fn f() { f() }", "f"));
    assert!(!used("pub use self::a::f; mod a { pub fn f() {} }", "f"));
    assert!(!used("pub struct S; impl S { pub fn new() -> S { S } }", "S"));
    assert!(!used(
        "pub fn f() {} #[cfg(test)] mod tests { fn g() { super::f() } } #[test] fn h() { f() }",
        "f"
    ));
    let (first, second) = (("src/lib.rs", "pub fn f() {}"), ("src/main.rs", "fn f() { a::f() }"));
    let handed_on = used_names(&tree(&[first, second]));
    assert!(handed_on.contains("f", 0), "a method that hands on to one of its name uses it");
    assert!(!handed_on.contains("f", 1));
    assert!(!used("/// See [`f`].\npub fn g() {} pub fn f() {}", "f"));
}

#[test]
fn declarations_are_seen_with_their_visibility() {
    let text = "pub struct A; enum B {} pub(crate) type C = u8; #[cfg(test)] struct D; impl A { pub fn e() {} fn f() {} }";
    let tree = tree(&[("src/lib.rs", text)]);
    let found: Vec<_> =
        declared(&tree).into_iter().map(|item| (item.name, item.is_pub, item.is_type)).collect();
    let item = |name: &str, is_pub, is_type| (name.to_owned(), is_pub, is_type);
    assert_eq!(
        found,
        [
            item("A", true, true),
            item("B", false, true),
            item("C", false, true),
            item("e", true, false),
            item("f", false, false),
        ]
    );
}
