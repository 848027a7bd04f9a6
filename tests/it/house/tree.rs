//! Module tree of `src/`: every file parsed, every name of every module, and the file that defines what a path names.
//!
//! Resolution follows `mod`, `use` (with renames, groups and globs) and re-exports. It ignores visibility and types: a
//! path `Type::function` ends at the file of `Type`. Code under `#[cfg(test)]` is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// Re-exports that one lookup follows at most. A longer chain is a `use` of its own name, which is an external crate.
const MAX_HOPS: usize = 16;

/// One file of `src/`.
pub(crate) struct Source {
    /// Path below the package, `src/engine/assign.rs`.
    pub(crate) path: PathBuf,
    /// Names of its module and those around it, from the root: `["engine", "assign"]`. Empty for `lib.rs`.
    pub(crate) module: Vec<String>,
    /// The text.
    pub(crate) text: String,
    /// The text, parsed.
    pub(crate) syntax: syn::File,
    /// Whether the file is compiled for tests alone.
    pub(crate) is_test: bool,
}

impl Source {
    /// The part of the house that holds the file: the first name of its module.
    pub(crate) fn part(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }

    /// Place in the form that editors open.
    pub(crate) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }
}

/// What a module holds under a name. One name may be a module, an import and an item at once.
#[derive(Default)]
struct Name {
    is_item: bool,
    is_module: bool,
    import: Option<Vec<String>>,
}

struct Module {
    file: usize,
    names: BTreeMap<String, Name>,
    globs: Vec<Vec<String>>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A module, by its path from the root.
    Module(Vec<String>),
    /// An item, by the index of the file that defines it.
    Item(usize),
}

/// All files with all modules.
pub(crate) struct Tree {
    /// The files, sorted by path.
    pub(crate) sources: Vec<Source>,
    modules: BTreeMap<Vec<String>, Module>,
}

impl Tree {
    /// Reads `src/` of the package.
    pub(crate) fn of_the_package() -> Self {
        // The variable of the run comes first, so that one compiled test can read another checkout.
        let package =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&package).join("src");
        let mut files = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder of src/") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).expect("a file in UTF-8");
                    let inside = path.strip_prefix(&root).expect("a path below src/");
                    files.push((Path::new("src").join(inside), text));
                }
            }
        }
        assert!(files.len() > 100, "src/ was read");
        Self::new(files)
    }

    /// The tree of files that are given by path and text.
    pub(crate) fn new(mut files: Vec<(PathBuf, String)>) -> Self {
        files.sort();
        let mut sources: Vec<Source> = files.into_iter().map(|(path, text)| source(path, text)).collect();
        let mut modules = BTreeMap::new();
        let mut tests = BTreeSet::new();
        for (file, source) in sources.iter().enumerate() {
            let mut reader =
                ModuleReader { file, at: source.module.clone(), modules: &mut modules, tests: &mut tests };
            reader.enter();
            reader.visit_file(&source.syntax);
        }
        for source in &mut sources {
            source.is_test = (1..=source.module.len()).any(|depth| tests.contains(&source.module[..depth]));
        }
        Self { sources, modules }
    }

    /// The files that the product is made of.
    pub(crate) fn product(&self) -> impl Iterator<Item = (usize, &Source)> {
        self.sources.iter().enumerate().filter(|(_, source)| !source.is_test)
    }

    /// What `path` names in module `from`; `None` for an external crate, a local variable or a generic.
    pub(crate) fn resolve(&self, from: &[String], path: &[String]) -> Option<Target> {
        self.resolve_within(from, path, MAX_HOPS)
    }

    fn resolve_within(&self, from: &[String], path: &[String], hops: usize) -> Option<Target> {
        let hops = hops.checked_sub(1)?;
        let (mut at, mut rest) = match path.first()?.as_str() {
            "crate" => (Target::Module(Vec::new()), &path[1..]),
            "self" => (Target::Module(from.to_vec()), &path[1..]),
            "super" => (Target::Module(parent(from)?), &path[1..]),
            first => (self.lookup(from, first, path.len() > 1, hops)?, &path[1..]),
        };
        while let (Target::Module(module), Some(next)) = (&at, rest.first()) {
            at = match next.as_str() {
                "super" => Target::Module(parent(module)?),
                name => match self.lookup(module, name, rest.len() > 1, hops) {
                    Some(target) => target,
                    // A macro or an `include!` made the name.
                    None => Target::Item(self.modules.get(module)?.file),
                },
            };
            rest = &rest[1..];
        }
        Some(at)
    }

    fn lookup(&self, module: &[String], name: &str, leads_on: bool, hops: usize) -> Option<Target> {
        let hops = hops.checked_sub(1)?;
        let scope = self.modules.get(module)?;
        if let Some(found) = scope.names.get(name) {
            let child = || found.is_module.then(|| Target::Module([module, &[name.to_owned()]].concat()));
            let item = || found.is_item.then_some(Target::Item(scope.file));
            let import = || self.resolve_within(module, found.import.as_ref()?, hops);
            return if leads_on {
                child().or_else(item).or_else(import)
            } else {
                item().or_else(import).or_else(child)
            };
        }
        scope.globs.iter().find_map(|glob| match self.resolve_within(module, glob, hops)? {
            Target::Module(opened) if opened != module => self.lookup(&opened, name, leads_on, hops),
            _ => None,
        })
    }
}

fn parent(module: &[String]) -> Option<Vec<String>> {
    Some(module.split_last()?.1.to_vec())
}

fn source(path: PathBuf, text: String) -> Source {
    let inside = path.strip_prefix("src").expect("a path below src/").with_extension("");
    let mut module: Vec<String> = inside.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(!inside.ends_with("mod"), "{}: a module with a folder is `foo.rs` beside `foo/`", path.display());
    if module == ["lib"] {
        module.clear();
    }
    let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Source { path, module, text, syntax, is_test: false }
}

/// Whether attributes leave an item out of everything but tests.
pub(crate) fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "test")
    })
}

/// Attributes of an item.
pub(crate) fn attributes_of(item: &syn::Item) -> &[syn::Attribute] {
    use syn::Item::{
        Const, Enum, ExternCrate, Fn, ForeignMod, Impl, Macro, Mod, Static, Struct, Trait, TraitAlias, Type,
        Union, Use,
    };
    match item {
        Const(item) => &item.attrs,
        Enum(item) => &item.attrs,
        ExternCrate(item) => &item.attrs,
        Fn(item) => &item.attrs,
        ForeignMod(item) => &item.attrs,
        Impl(item) => &item.attrs,
        Macro(item) => &item.attrs,
        Mod(item) => &item.attrs,
        Static(item) => &item.attrs,
        Struct(item) => &item.attrs,
        Trait(item) => &item.attrs,
        TraitAlias(item) => &item.attrs,
        Type(item) => &item.attrs,
        Union(item) => &item.attrs,
        Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Name of an item that declares one.
pub(crate) fn name_of(item: &syn::Item) -> Option<&syn::Ident> {
    use syn::Item::{Const, Enum, Fn, Macro, Static, Struct, Trait, TraitAlias, Type, Union};
    match item {
        Const(item) => Some(&item.ident),
        Enum(item) => Some(&item.ident),
        Fn(item) => Some(&item.sig.ident),
        Macro(item) => item.ident.as_ref(),
        Static(item) => Some(&item.ident),
        Struct(item) => Some(&item.ident),
        Trait(item) => Some(&item.ident),
        TraitAlias(item) => Some(&item.ident),
        Type(item) => Some(&item.ident),
        Union(item) => Some(&item.ident),
        _ => None,
    }
}

/// One name that a `use` tree brings in.
pub(crate) struct Import {
    /// The path as written.
    pub(crate) path: Vec<String>,
    /// The name in the importing module; `None` for a glob and for `as _`.
    pub(crate) name: Option<String>,
    /// Whether it is a glob.
    pub(crate) is_glob: bool,
    /// Line of its last segment.
    pub(crate) line: usize,
}

/// All names of a `use` tree.
pub(crate) fn imports(tree: &syn::UseTree) -> Vec<Import> {
    let mut found = Vec::new();
    flatten(tree, &mut Vec::new(), &mut found);
    found
}

fn flatten(tree: &syn::UseTree, before: &mut Vec<String>, found: &mut Vec<Import>) {
    let mut push = |ident: &syn::Ident, rename: Option<&syn::Ident>| {
        let mut path = before.clone();
        // `use a::b::{self}` imports `b`.
        if ident != "self" || path.is_empty() {
            path.push(ident.to_string());
        }
        let name = rename.map_or_else(|| path.last().cloned(), |rename| Some(rename.to_string()));
        let name = name.filter(|name| name != "_");
        found.push(Import { path, name, is_glob: false, line: line_of(ident) });
    };
    match tree {
        syn::UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, found);
            before.pop();
        }
        syn::UseTree::Name(name) => push(&name.ident, None),
        syn::UseTree::Rename(rename) => push(&rename.ident, Some(&rename.rename)),
        syn::UseTree::Glob(glob) => {
            let line = glob.star_token.spans[0].start().line;
            found.push(Import { path: before.clone(), name: None, is_glob: true, line });
        }
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, found);
            }
        }
    }
}

/// Line of an identifier.
pub(crate) fn line_of(ident: &syn::Ident) -> usize {
    ident.span().start().line
}

/// Puts the names of a file into the tree, those of its inline modules and of blocks included.
struct ModuleReader<'a> {
    file: usize,
    at: Vec<String>,
    modules: &'a mut BTreeMap<Vec<String>, Module>,
    tests: &'a mut BTreeSet<Vec<String>>,
}

impl ModuleReader<'_> {
    fn enter(&mut self) -> &mut Module {
        let empty = Module { file: self.file, names: BTreeMap::new(), globs: Vec::new() };
        self.modules.entry(self.at.clone()).or_insert(empty)
    }

    fn name(&mut self, name: String) -> &mut Name {
        self.enter().names.entry(name).or_default()
    }
}

impl<'ast> Visit<'ast> for ModuleReader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let for_tests = is_for_tests(attributes_of(item));
        if let syn::Item::Mod(module) = item {
            let name = module.ident.to_string();
            if for_tests {
                self.tests.insert([self.at.as_slice(), &[name]].concat());
                return;
            }
            self.name(name.clone()).is_module = true;
            if module.content.is_some() {
                self.at.push(name);
                self.enter();
                visit::visit_item_mod(self, module);
                self.at.pop();
            }
            return;
        }
        if for_tests {
            return;
        }
        if let Some(name) = name_of(item) {
            self.name(name.to_string()).is_item = true;
        }
        if let syn::Item::Use(item) = item {
            for import in imports(&item.tree) {
                if import.is_glob {
                    self.enter().globs.push(import.path);
                } else if let Some(name) = import.name {
                    self.name(name).import = Some(import.path);
                }
            }
        }
        visit::visit_item(self, item);
    }
}
