//! Field masks (AIP-134): which fields of a message a change sets.

use crate::domain::violation::Violations;

/// A change of some fields, with the violations of its mask.
#[derive(Debug)]
pub struct Masked<P> {
    patch: P,
    violations: Violations,
}

impl<P: Default> Masked<P> {
    /// Calls `set` with the patch for each path of the mask. `set` returns whether the path is a field that can change. The
    /// path `*` means each of `all`.
    pub fn read(paths: &[String], all: &[&str], mut set: impl FnMut(&mut P, &str) -> bool) -> Self {
        let (mut patch, mut violations) = (P::default(), Violations::of_request());
        if paths.is_empty() {
            let hint = "list the fields to change, or send `*` for all of them";
            violations.push("update_mask", "", "names no field", hint);
        }
        for (at, path) in paths.iter().enumerate() {
            if path == "*" {
                for one in all {
                    set(&mut patch, one);
                }
            } else if !set(&mut patch, path) {
                let hint = format!("use one of: {}", all.join(", "));
                violations.push(
                    format!("update_mask.paths[{at}]"),
                    path,
                    "is no field that this method changes",
                    hint,
                );
            }
        }
        Self { patch, violations }
    }

    /// The change, with the violations of its mask added to `violations`; `None` if there are any.
    pub(super) fn taken(self, violations: &mut Violations) -> Option<P> {
        let is_good = self.violations.is_empty();
        violations.extend(self.violations);
        is_good.then_some(self.patch)
    }
}
