//! The nearest known name to a misspelt one, for hints.

/// Most characters of a name that are compared: the names of all tables are shorter, and the cost is the product of both
/// lengths.
const MOST_CHARS: usize = 64;

/// The known name with the fewest typing errors (Levenshtein distance) and their number; among equals the first in
/// byte order.
pub(crate) fn nearest<'a>(
    wanted: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<(usize, &'a str)> {
    let end = wanted.char_indices().nth(MOST_CHARS).map_or(wanted.len(), |(end, _)| end);
    let wanted = &wanted[..end];
    known.into_iter().map(|name| (strsim::levenshtein(wanted, name), name)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_with_the_fewest_errors_is_found_also_for_a_huge_text() {
        let known = ["topic", "goal", "tonic"];
        assert_eq!(nearest("gaol", known), Some((2, "goal")));
        assert_eq!(nearest("toxic", known), Some((1, "tonic")), "of equals the first in byte order");
        assert_eq!(nearest("", []), None);
        let huge = "é".repeat(1 << 20);
        assert_eq!(nearest(&huge, known).map(|(errors, _)| errors), Some(MOST_CHARS));
    }
}
