//! Statements: each is declared once, with one text for both databases and with its kind. The kind decides which session
//! may run the statement, and what the session adds for its scope. The macro that declares a statement also registers
//! it, so that [`every`] is complete without a second list.

use std::fmt::Write as _;

/// A statement. Both texts are the same unless there is a stated need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement {
    /// Its name in traces: `noun.verb`.
    pub(super) name: &'static str,
    /// Its text for SQLite.
    pub(super) sqlite: &'static str,
    /// Its text for PostgreSQL.
    pub(super) postgres: &'static str,
}

/// A statement that inserts several rows at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bulk {
    /// Its name in traces.
    pub(super) name: &'static str,
    /// The text up to and with `VALUES`.
    pub(super) head: &'static str,
    /// Values per row.
    pub(super) columns: usize,
    /// The text after the rows.
    pub(super) tail: &'static str,
}

/// A statement that reads. Any session may run it, through the session's scope.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query {
    /// The statement for a scope that is not limited.
    pub(super) whole: Statement,
    /// What a scope of organisations makes of the statement.
    pub(super) narrowed: Narrowed,
}

/// What a scope of organisations makes of a query.
#[derive(Debug, Clone, Copy)]
pub(super) enum Narrowed {
    /// The same statement: its rows belong to the alliance, and every caller may read them.
    Shared,
    /// The same statement, which filters by its last value: the organisations, written `,wim-chile,wim-peru,`, or NULL in an
    /// unlimited scope.
    Filtered,
    /// Another statement, which takes an organisation as one more value. It runs once for each organisation of the scope, so
    /// that each walk of an index is as short as for one organisation; whoever asks merges the rows.
    Split(Statement),
    /// No statement: the rows do not exist for organisations.
    Hidden,
}

/// A statement that changes what people read. Only a write session may run it, and a write session ends with a journal
/// line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<S = Statement>(pub(super) S);

/// A statement that changes nothing that people decide or read as a result: leases and progress of a run, staged rows,
/// remembered answers. A housekeeping session may run it; no journal line accompanies it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Upkeep<S = Statement>(pub(super) S);

/// A registered statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Registered {
    /// Its kind, and for a query what a scope of organisations makes of it.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the review of all kinds, a test"))]
    pub(super) kind: &'static str,
    /// Its text.
    pub(super) form: Form,
}

/// The forms of a registered statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// A statement.
    Single(Statement),
    /// A bulk insert.
    Bulk(Bulk),
}

inventory::collect!(Registered);

/// All statements of the store, by name.
pub(super) fn every() -> Vec<Registered> {
    let mut every: Vec<Registered> = inventory::iter::<Registered>.into_iter().copied().collect();
    every.sort_by_key(Registered::name);
    every
}

impl Registered {
    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        match self.form {
            Form::Single(statement) => statement.name,
            Form::Bulk(bulk) => bulk.name,
        }
    }

    /// Its text for one of the databases; a bulk insert has two rows.
    pub(super) fn text(&self, postgres: bool) -> String {
        match self.form {
            Form::Single(statement) if postgres => statement.postgres.to_owned(),
            Form::Single(statement) => statement.sqlite.to_owned(),
            Form::Bulk(bulk) if postgres => bulk.numbered(2),
            Form::Bulk(bulk) => bulk.text(2),
        }
    }
}

impl Bulk {
    /// The text for `rows` rows of SQLite. Its placeholders have no names: SQLite would look each name up among all others.
    pub(super) fn text(&self, rows: usize) -> String {
        self.rows(rows, |text, _| text.push('?'))
    }

    /// The text for `rows` rows with numbered placeholders.
    fn numbered(&self, rows: usize) -> String {
        self.rows(rows, |text, number| {
            // Writing to a String cannot fail.
            let _ = write!(text, "${number}");
        })
    }

    fn rows(&self, rows: usize, mut placeholder: impl FnMut(&mut String, usize)) -> String {
        let mut text = String::with_capacity(self.head.len() + self.tail.len() + rows * self.columns * 7);
        text.push_str(self.head);
        for row in 0..rows {
            text.push_str(if row == 0 { " (" } else { ", (" });
            for column in 1..=self.columns {
                if column > 1 {
                    text.push(',');
                }
                placeholder(&mut text, row * self.columns + column);
            }
            text.push(')');
        }
        text.push_str(self.tail);
        text
    }

    /// The text for any number of rows of PostgreSQL, one array of each type per column: it is parsed once for a thousand
    /// rows, and has as many parameters as there are columns.
    pub(super) fn of_arrays(&self, types: &[&str]) -> String {
        let mut text = String::from(self.head.strip_suffix("VALUES").unwrap_or(self.head));
        text.push_str("SELECT * FROM UNNEST(");
        for (column, kind) in types.iter().enumerate() {
            let comma = if column == 0 { "" } else { ", " };
            let _ = write!(text, "{comma}CAST(${} AS {kind}[])", column + 1);
        }
        text.push(')');
        text.push_str(self.tail);
        text
    }
}

/// Declares and registers the statements of a file, each as `kind NAME = form(…)`:
///
/// - `query NAME = shared(…)`, `filtered(…)`, `hidden(…)`, or `split(whole; of one organisation)`, see [`Narrowed`];
/// - `change NAME = (…)` and `upkeep NAME = (…)`, or `bulk(…)`;
/// - `schema NAME = (…)`, which only the migrations run.
macro_rules! statements {
    ($($kind:ident $name:ident = $($form:ident)? ($($part:tt)+);)+) => {
        $($crate::store::statement::declare!($kind $name $($form)? ($($part)+));)+
    };
}

macro_rules! declare {
    (query $name:ident split($whole:literal, $whole_text:expr; $own:literal, $own_text:expr)) => {
        pub(super) const $name: $crate::store::statement::Query = $crate::store::statement::Query {
            whole: $crate::store::statement::text!($whole, $whole_text),
            narrowed: $crate::store::statement::Narrowed::Split(
                $crate::store::statement::text!($own, $own_text),
            ),
        };
        $crate::store::statement::register!("query, unlimited scope", Single, $name.whole);
        $crate::store::statement::register!(
            "query, scope of one organisation",
            Single,
            $crate::store::statement::text!($own, $own_text)
        );
    };
    (query $name:ident shared($($part:tt)+)) => {
        $crate::store::statement::declare!(@query $name, Shared, "query, shared", $($part)+);
    };
    (query $name:ident filtered($($part:tt)+)) => {
        $crate::store::statement::declare!(@query $name, Filtered, "query, filtered", $($part)+);
    };
    (query $name:ident hidden($($part:tt)+)) => {
        $crate::store::statement::declare!(@query $name, Hidden, "query, hidden", $($part)+);
    };
    (@query $name:ident, $narrowed:ident, $kind:literal, $($part:tt)+) => {
        pub(super) const $name: $crate::store::statement::Query = $crate::store::statement::Query {
            whole: $crate::store::statement::text!($($part)+),
            narrowed: $crate::store::statement::Narrowed::$narrowed,
        };
        $crate::store::statement::register!($kind, Single, $name.whole);
    };
    (change $name:ident bulk($($part:tt)+)) => {
        pub(super) const $name: $crate::store::statement::Change<$crate::store::statement::Bulk> =
            $crate::store::statement::Change($crate::store::statement::Bulk { $($part)+ });
        $crate::store::statement::register!("change", Bulk, $name.0);
    };
    (upkeep $name:ident bulk($($part:tt)+)) => {
        pub(super) const $name: $crate::store::statement::Upkeep<$crate::store::statement::Bulk> =
            $crate::store::statement::Upkeep($crate::store::statement::Bulk { $($part)+ });
        $crate::store::statement::register!("upkeep", Bulk, $name.0);
    };
    (change $name:ident ($($part:tt)+)) => {
        pub(super) const $name: $crate::store::statement::Change =
            $crate::store::statement::Change($crate::store::statement::text!($($part)+));
        $crate::store::statement::register!("change", Single, $name.0);
    };
    (upkeep $name:ident ($($part:tt)+)) => {
        pub(super) const $name: $crate::store::statement::Upkeep =
            $crate::store::statement::Upkeep($crate::store::statement::text!($($part)+));
        $crate::store::statement::register!("upkeep", Single, $name.0);
    };
    (schema $name:ident ($($part:tt)+)) => {
        pub(super) const $name: $crate::store::statement::Statement = $crate::store::statement::text!($($part)+);
        $crate::store::statement::register!("schema", Single, $name);
    };
}

/// A statement from its name and its text; from a text that locks its rows, which SQLite's single writer does not need;
/// or from a pair of texts.
macro_rules! text {
    ($name:literal, $both:expr) => {
        $crate::store::statement::Statement { name: $name, sqlite: $both, postgres: $both }
    };
    ($name:literal, locking: $text:expr) => {
        $crate::store::statement::Statement {
            name: $name,
            sqlite: $text,
            postgres: concat!($text, " FOR NO KEY UPDATE"),
        }
    };
    ($name:literal, sqlite: $sqlite:expr, postgres: $postgres:expr) => {
        $crate::store::statement::Statement { name: $name, sqlite: $sqlite, postgres: $postgres }
    };
}

macro_rules! register {
    ($kind:literal, $form:ident, $statement:expr) => {
        inventory::submit! {
            $crate::store::statement::Registered {
                kind: $kind,
                form: $crate::store::statement::Form::$form($statement),
            }
        }
    };
}

pub(super) use {declare, register, statements, text};

#[cfg(test)]
mod tests {
    use super::*;

    /// Review here what an organisation reads (`shared`), and what no journal line accompanies (`upkeep`).
    #[test]
    fn the_kinds_of_all_statements_are_as_reviewed() {
        let rows: Vec<String> = every().iter().map(|s| format!("{:<38} {}", s.name(), s.kind)).collect();
        insta::assert_snapshot!(rows.join("\n"));
    }

    #[test]
    fn a_statement_has_a_name_of_its_own_and_a_filter_where_its_kind_needs_one() {
        let every = every();
        assert!(every.windows(2).all(|pair| pair[0].name() != pair[1].name()));
        for statement in every.iter().filter(|statement| statement.kind == "query, filtered") {
            let text = statement.text(false);
            let last = (1..20).rev().find(|number| text.contains(&format!("${number}"))).unwrap_or_default();
            let filter = format!("(CAST(${last} AS TEXT) IS NULL OR ${last} LIKE '%,' || ");
            let of_rounds =
                format!("(CAST(${last} AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM round_organisation ");
            assert!(text.contains(&filter) || text.contains(&of_rounds), "{}", statement.name());
        }
    }
}
