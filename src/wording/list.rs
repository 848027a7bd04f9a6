//! Lists inside a sentence.

use super::catalogue::NO_VALUE;
use crate::domain::vocabulary::Lang;

/// `a, b and c`; where an item has a conjunction of its own, `a; b; c`.
pub fn list(items: &[&str], lang: Lang) -> String {
    let conventions = lang.conventions();
    let Some((last, others)) = items.split_last() else { return NO_VALUE.to_owned() };
    if others.is_empty() {
        return (*last).to_owned();
    }
    let special = conventions.and_before;
    let mut conjunctions = [Some(conventions.and), special.map(|(_, and)| and)].into_iter().flatten();
    if conjunctions.any(|and| items.iter().any(|item| item.contains(&format!(" {and} ")))) {
        return items.join(conventions.semicolon);
    }
    let and = match special {
        Some((applies, and)) if applies(last) => and,
        _ => conventions.and,
    };
    format!("{} {and} {last}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_joined_as_each_language_does() {
        assert_eq!(list(&["a"], Lang::En), "a");
        assert_eq!(list(&["a", "b", "c"], Lang::En), "a, b and c");
        assert_eq!(list(&["geología", "informática"], Lang::Es), "geología e informática");
        assert_eq!(list(&["agua", "historia"], Lang::Es), "agua e historia");
        assert_eq!(list(&["agua", "hielo"], Lang::Es), "agua y hielo");
        assert_eq!(list(&["a", "b"], Lang::Fr), "a et b");
    }

    #[test]
    fn items_with_a_conjunction_of_their_own_are_kept_apart_by_semicolons() {
        assert_eq!(
            list(&["geology and exploration", "finance"], Lang::En),
            "geology and exploration; finance"
        );
        assert_eq!(
            list(&["recursos humanos", "finanzas e inversión"], Lang::Es),
            "recursos humanos; finanzas e inversión"
        );
        assert_eq!(
            list(&["finance et économie", "géologie"], Lang::Fr),
            "finance et économie\u{a0}; géologie"
        );
    }
}
