//! Reads the compiled-in tables of `data/`.

use super::lang::Lang;

/// Labels of one row, in the order of [`Lang::ALL`].
pub(in crate::domain) type Labels = [&'static str; Lang::COUNT];

/// Rows of a table without its header: `N` columns, the last of which are the labels. Columns are separated by `;` and
/// never quoted.
///
/// # Panics
/// If the header does not end in the tags of all languages in their order, or if a row has another number of columns.
#[expect(clippy::expect_used, reason = "the file is compiled in and a test reads it")]
pub(in crate::domain) fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default().split(';').skip(N - Lang::COUNT);
    assert!(header.eq(Lang::ALL.map(Lang::tag)), "the columns of labels are those of the languages");
    lines.filter(|line| !line.is_empty()).map(|line| {
        let cells: Vec<&'static str> = line.split(';').collect();
        cells.try_into().expect("every row of a compiled-in table has all columns")
    })
}
