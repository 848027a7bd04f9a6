//! Paths of the product code: which file takes an item from which other file, and which part names which.
//!
//! A `mod` line is no reference. A re-export of something below the re-exporting module is none either: it only places a
//! name. Every other `use`, every path in code and every path in the tokens of a macro is a reference to the file that
//! defines the item. A method in an `impl` outside the file of its type counts where its name is unique.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::tree::{Source, Target, Tree, attributes_of, imports, is_for_tests, line_of};

/// One place that takes an item from another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Line in the file that takes.
    pub(crate) line: usize,
    /// Index of the file that gives.
    pub(crate) to: usize,
    /// The path as written.
    pub(crate) path: String,
}

/// What one file names.
#[derive(Default)]
pub(crate) struct Named {
    /// Items of other files.
    pub(crate) references: Vec<Reference>,
    /// Modules of the root that are written out, with their line: `crate::x`, and `super` paths that lead up to the root.
    pub(crate) parts: Vec<(usize, String)>,
}

/// What the file with the index `file` names.
pub(crate) fn named_by(tree: &Tree, file: usize) -> Named {
    let source = &tree.sources[file];
    let mut reader = PathReader { tree, file, at: source.module.clone(), named: Named::default() };
    reader.visit_file(&source.syntax);
    reader.named
}

/// All references between different product files: from, to, and the first place of each.
pub(crate) fn references(tree: &Tree) -> BTreeMap<(usize, usize), Reference> {
    let mut edges = BTreeMap::new();
    for (file, _) in tree.product() {
        for reference in named_by(tree, file).references {
            edges.entry((file, reference.to)).or_insert(reference);
        }
    }
    for (file, reference) in calls_of_foreign_impls(tree) {
        edges.entry((file, reference.to)).or_insert(reference);
    }
    edges
}

struct PathReader<'a> {
    tree: &'a Tree,
    file: usize,
    at: Vec<String>,
    named: Named,
}

impl PathReader<'_> {
    fn take(&mut self, line: usize, path: &[String]) {
        if let Some(Target::Item(to)) = self.tree.resolve(&self.at, path)
            && to != self.file
        {
            self.named.references.push(Reference { line, to, path: path.join("::") });
        }
    }

    /// Notes the part that a written path enters from the root.
    fn enter_part(&mut self, line: usize, path: &[String]) {
        let ups = path.iter().take_while(|segment| *segment == "super").count();
        let from_the_root =
            path.first().is_some_and(|first| first == "crate") || ups > 0 && ups == self.at.len();
        if from_the_root && let Some(part) = path.get(ups.max(1)) {
            self.named.parts.push((line, part.clone()));
        }
    }

    /// Reads the paths in the tokens of a macro: each run of identifiers joined by `::` that no dot precedes.
    fn take_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is_colon =
            |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.take_tokens(group.stream()),
                TokenTree::Ident(first) => {
                    let after = |sign: char| {
                        at > 0
                            && matches!(&tokens[at - 1], TokenTree::Punct(punct) if punct.as_char() == sign)
                    };
                    let skip = after('.') || after('\'') || is_colon_pair(&tokens, at);
                    let mut path = vec![first.to_string()];
                    while is_colon(at + 1) && is_colon(at + 2) {
                        match tokens.get(at + 3) {
                            Some(TokenTree::Ident(next)) => path.push(next.to_string()),
                            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                                self.take_group(&path, group.stream());
                                break;
                            }
                            _ => break,
                        }
                        at += 3;
                    }
                    if !skip {
                        self.enter_part(line_of(first), &path);
                        self.take(line_of(first), &path);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Reads a `use` group in the tokens of a macro.
    fn take_group(&mut self, before: &[String], tokens: TokenStream) {
        let Ok(tree) = syn::parse2::<syn::UseTree>(
            TokenTree::Group(proc_macro2::Group::new(Delimiter::Brace, tokens)).into(),
        ) else {
            return;
        };
        for import in imports(&tree) {
            let path = [before, &import.path].concat();
            self.enter_part(import.line, &path);
            self.take(import.line, &path);
        }
    }
}

/// Whether `::` stands before a token.
fn is_colon_pair(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize| matches!(&tokens[at], TokenTree::Punct(punct) if punct.as_char() == ':');
    at >= 2 && colon(at - 1) && colon(at - 2)
}

impl<'ast> Visit<'ast> for PathReader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_for_tests(attributes_of(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.at.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.at.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_reexport = !matches!(item.vis, syn::Visibility::Inherited);
        for import in imports(&item.tree) {
            self.enter_part(import.line, &import.path);
            let target = self.tree.resolve(&self.at, &import.path);
            let below = |to: usize| self.tree.sources[to].module.starts_with(&self.at);
            if !(is_reexport && matches!(target, Some(Target::Item(to)) if below(to))) {
                self.take(import.line, &import.path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let line = path.segments.first().map_or(0, |segment| line_of(&segment.ident));
            self.enter_part(line, &names);
            self.take(line, &names);
        }
        visit::visit_path(self, path);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        // A constant in a pattern looks like a binding.
        if pattern.ident.to_string().starts_with(char::is_uppercase) {
            self.take(line_of(&pattern.ident), &[pattern.ident.to_string()]);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.take_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

/// Calls of methods that an `impl` outside the file of its type defines, under a name that no other file defines.
fn calls_of_foreign_impls(tree: &Tree) -> Vec<(usize, Reference)> {
    let mut defined: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    let mut foreign: BTreeMap<String, usize> = BTreeMap::new();
    for (file, source) in tree.product() {
        let mut reader = MethodReader { tree, source, file, defined: &mut defined, foreign: &mut foreign };
        reader.visit_file(&source.syntax);
    }
    foreign.retain(|name, _| defined[name].len() == 1);
    let mut calls = Vec::new();
    for (file, source) in tree.product() {
        CallReader { file, foreign: &foreign, calls: &mut calls }.visit_file(&source.syntax);
    }
    calls
}

struct MethodReader<'a> {
    tree: &'a Tree,
    source: &'a Source,
    file: usize,
    defined: &'a mut BTreeMap<String, BTreeSet<usize>>,
    foreign: &'a mut BTreeMap<String, usize>,
}

impl<'ast> Visit<'ast> for MethodReader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if is_for_tests(attributes_of(item)) {
            return;
        }
        if let syn::Item::Impl(item) = item
            && item.trait_.is_none()
            && let syn::Type::Path(of) = &*item.self_ty
        {
            let path: Vec<String> =
                of.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let target = self.tree.resolve(&self.source.module, &path);
            if matches!(target, Some(Target::Item(file)) if file != self.file) {
                for member in &item.items {
                    if let syn::ImplItem::Fn(method) = member {
                        self.foreign.insert(method.sig.ident.to_string(), self.file);
                    }
                }
            }
        }
        visit::visit_item(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.defined.entry(signature.ident.to_string()).or_default().insert(self.file);
        visit::visit_signature(self, signature);
    }
}

struct CallReader<'a> {
    file: usize,
    foreign: &'a BTreeMap<String, usize>,
    calls: &'a mut Vec<(usize, Reference)>,
}

impl<'ast> Visit<'ast> for CallReader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_for_tests(attributes_of(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if let Some(&to) = self.foreign.get(&call.method.to_string())
            && to != self.file
        {
            let path = format!(".{}()", call.method);
            self.calls.push((self.file, Reference { line: line_of(&call.method), to, path }));
        }
        visit::visit_expr_method_call(self, call);
    }
}
