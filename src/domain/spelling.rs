//! The nearest known name to a misspelt one, for hints.
//!
//! A lookup costs little even for hostile input: a wanted name has at most 64 characters, and names whose length or letters
//! are too different are left out before the distance is computed.

/// Most characters of a name that are compared: the names of all tables are shorter, and the cost is the product of both
/// lengths.
const MOST_CHARS: usize = 64;

/// The known name with the fewest typing errors (optimal string alignment: an exchange of neighbours is one error), if it has
/// at most `most`, and their number. Among equals the first in byte order.
pub(crate) fn nearest<'a>(
    wanted: &str,
    known: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> Option<(usize, &'a str)> {
    if wanted.chars().nth(MOST_CHARS).is_some() {
        return None;
    }
    let (length, letters) = (wanted.chars().count(), letters(wanted));
    let may_be_near = |name: &&str| {
        // One error adds one letter to one of the two sets, or one to each.
        name.chars().count().abs_diff(length) <= most
            && usize::try_from((self::letters(name) ^ letters).count_ones())
                .is_ok_and(|many| many <= 2 * most)
    };
    let near = known.into_iter().filter(may_be_near);
    near.map(|name| (strsim::osa_distance(wanted, name), name)).filter(|(errors, _)| *errors <= most).min()
}

/// The letters of a name as a set of bits.
fn letters(name: &str) -> u64 {
    name.chars().fold(0, |set, c| set | 1 << (u32::from(c) % 64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_name_with_the_fewest_errors_is_found() {
        let known = ["topic", "goal", "tonic"];
        assert_eq!(nearest("gaol", known, 2), Some((1, "goal")));
        assert_eq!(nearest("toxic", known, 2), Some((1, "tonic")), "of equals the first in byte order");
        assert_eq!(nearest("toxicity", known, 2), None);
        assert_eq!(nearest("", [], 9), None);
        assert_eq!(nearest(&"é".repeat(1 << 20), known, usize::MAX / 4), None, "a huge text is near nothing");
    }

    proptest! {
        #[test]
        fn the_filter_leaves_out_no_near_name(wanted in "[a-dé]{0,6}", known in "[a-dé]{0,6}", most in 0..7_usize) {
            let errors = strsim::osa_distance(&wanted, &known);
            let found = nearest(&wanted, [known.as_str()], most);
            prop_assert_eq!(found, (errors <= most).then_some((errors, known.as_str())));
        }
    }
}
