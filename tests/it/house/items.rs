//! Items that the product code declares, and the names that it uses.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::tree::{Tree, attributes_of, is_for_tests, line_of, name_of};

/// An item that is declared under a name.
pub(crate) struct Declared {
    /// Index of its file.
    pub(crate) file: usize,
    /// Line of its name.
    pub(crate) line: usize,
    /// Its name.
    pub(crate) name: String,
    /// Whether other crates may name it.
    pub(crate) is_pub: bool,
    /// Whether it is a struct, an enum, a union, a trait or an alias of a type.
    pub(crate) is_type: bool,
}

/// All items and inherent functions of the product code.
pub(crate) fn declared(tree: &Tree) -> Vec<Declared> {
    let mut found = Vec::new();
    for (file, source) in tree.product() {
        DeclarationReader { file, found: &mut found }.visit_file(&source.syntax);
    }
    found
}

struct DeclarationReader<'a> {
    file: usize,
    found: &'a mut Vec<Declared>,
}

impl DeclarationReader<'_> {
    fn declare(&mut self, name: &syn::Ident, visibility: &syn::Visibility, is_type: bool) {
        self.found.push(Declared {
            file: self.file,
            line: line_of(name),
            name: name.to_string(),
            is_pub: matches!(visibility, syn::Visibility::Public(_)),
            is_type,
        });
    }
}

impl<'ast> Visit<'ast> for DeclarationReader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if is_for_tests(attributes_of(item)) {
            return;
        }
        let (visibility, is_type) = match item {
            syn::Item::Const(item) => (Some(&item.vis), false),
            syn::Item::Enum(item) => (Some(&item.vis), true),
            syn::Item::Fn(item) => (Some(&item.vis), false),
            syn::Item::Static(item) => (Some(&item.vis), false),
            syn::Item::Struct(item) => (Some(&item.vis), true),
            syn::Item::Trait(item) => (Some(&item.vis), true),
            syn::Item::Type(item) => (Some(&item.vis), true),
            syn::Item::Union(item) => (Some(&item.vis), true),
            _ => (None, false),
        };
        if let (Some(name), Some(visibility)) = (name_of(item), visibility) {
            self.declare(name, visibility, is_type);
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        match item {
            syn::ImplItem::Fn(item) if !is_for_tests(&item.attrs) => {
                self.declare(&item.sig.ident, &item.vis, false);
            }
            syn::ImplItem::Const(item) if !is_for_tests(&item.attrs) => {
                self.declare(&item.ident, &item.vis, false);
            }
            _ => {}
        }
    }
}

/// Names that the product code uses.
#[derive(Default)]
pub(crate) struct Used {
    names: BTreeSet<String>,
    /// Names that a declaration of the same name uses, with its file: a recursion, or a method that hands on to another.
    within_their_own: BTreeSet<(String, usize)>,
}

impl Used {
    /// Whether the item `name`, which `file` declares, is used outside its own declaration.
    pub(crate) fn contains(&self, name: &str, file: usize) -> bool {
        self.names.contains(name)
            || self.within_their_own.iter().any(|(used, within)| used == name && *within != file)
    }
}

/// Reads which names the product code uses.
///
/// A `use` line, the declaration itself, and the `impl` blocks of a type are no use of its name. Two items of one name
/// count as one: what is reported as unused is unused, but not all that is unused is reported.
pub(crate) fn used_names(tree: &Tree) -> Used {
    let mut reader = UseReader::default();
    for (file, source) in tree.product() {
        reader.file = file;
        reader.visit_file(&source.syntax);
    }
    reader.used
}

#[derive(Default)]
struct UseReader {
    file: usize,
    /// Names of the declarations that are open.
    inside: Vec<String>,
    used: Used,
}

impl UseReader {
    fn within(&mut self, name: String, read: impl FnOnce(&mut Self)) {
        self.inside.push(name);
        read(self);
        self.inside.pop();
    }

    fn take(&mut self, name: String) {
        if self.inside.contains(&name) {
            self.used.within_their_own.insert((name, self.file));
        } else {
            self.used.names.insert(name);
        }
    }

    /// Takes the names that a format string captures: `"{NAME}_{other}"`.
    fn take_captures(&mut self, text: &str) {
        for (at, _) in text.match_indices('{') {
            let name = text[at + 1..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            self.take(name);
        }
    }

    fn take_tokens(&mut self, tokens: TokenStream) {
        let mut declares = false;
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.take_tokens(group.stream()),
                TokenTree::Ident(name) => {
                    let name = name.to_string();
                    if !declares {
                        self.take(name.clone());
                    }
                    declares = name == "fn";
                }
                TokenTree::Literal(text) => self.take_captures(&text.to_string()),
                TokenTree::Punct(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for UseReader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if is_for_tests(attributes_of(item)) || matches!(item, syn::Item::Use(_)) {
            return;
        }
        let of = match item {
            syn::Item::Impl(item) => match &*item.self_ty {
                syn::Type::Path(of) => of.path.segments.last().map(|segment| segment.ident.to_string()),
                _ => None,
            },
            item => name_of(item).map(ToString::to_string),
        };
        match of {
            Some(name) => self.within(name, |reader| visit::visit_item(reader, item)),
            None => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            self.within(item.sig.ident.to_string(), |reader| visit::visit_impl_item_fn(reader, item));
        }
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.within(item.ident.to_string(), |reader| visit::visit_impl_item_const(reader, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.within(item.sig.ident.to_string(), |reader| visit::visit_trait_item_fn(reader, item));
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        // The name itself is no use.
        visit::visit_generics(self, &signature.generics);
        signature.inputs.iter().for_each(|input| self.visit_fn_arg(input));
        self.visit_return_type(&signature.output);
    }

    fn visit_ident(&mut self, name: &'ast syn::Ident) {
        self.take(name.to_string());
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.take_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}
