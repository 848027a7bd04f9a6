//! The table of columns. Reading, writing, the template and the description are derived from it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::domain::folding::words;
use crate::domain::spelling;

/// Longest header cell that is looked up, in bytes.
const MAX_HEADER: usize = 128;

macro_rules! columns {
    ($($column:ident = $name:literal, $fields:expr, $about:literal, $example:literal;)+) => {
        /// A column of the file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Column {
            $(
                #[doc = $about]
                $column,
            )+
        }

        impl Column {
            /// All columns, in the order of the template and of exports.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$column),+];

            /// Its name in the header.
            pub fn name(self) -> &'static str {
                match self { $(Self::$column => $name,)+ }
            }

            /// Description of the column.
            pub fn about(self) -> &'static str {
                match self { $(Self::$column => $about,)+ }
            }

            /// Its cell in the example row of the template.
            pub fn example(self) -> &'static str {
                match self { $(Self::$column => $example,)+ }
            }

            /// Paths of the fields of the API that it contains.
            fn fields(self) -> &'static [&'static str] {
                match self { $(Self::$column => &$fields,)+ }
            }
        }
    };
}

columns! {
    Mentorship = "mentorship", ["mentorship"],
        "The mentorship, ROUND/ID as `wim-match mentorship list` names it. Required.",
        "example-round/0123456789abcdef0123456789abcdef";
    ProfileId = "profile_id", ["profile"],
        "The organisation's own id for the person who has answered. It keeps rows from being mixed up; with it the side may be empty.",
        "PE-001";
    Side = "side", ["check_in.side"],
        "mentor or mentee. Required without profile_id.",
        "mentee";
    Point = "point", ["check_in.point"],
        "The point of the schedule: week_6, middle, end, month_12, month_24 or month_36. Required.",
        "middle";
    Date = "date", ["check_in.date"],
        "The day on which she answered, YYYY-MM-DD. Required.",
        "2027-05-02";
    Meetings = "meetings", ["check_in.answers.meetings"],
        "Meetings held since the start.",
        "5";
    Minutes = "minutes", ["check_in.answers.minutes"],
        "Minutes of all of them.",
        "300";
    Satisfaction = "satisfaction", ["check_in.answers.satisfaction"],
        "Satisfaction, 1 to 5.",
        "4";
    Recommend = "recommend", ["check_in.answers.recommend"],
        "How likely she recommends the programme, 0 to 10.",
        "9";
    GoalsAchieved = "goals_achieved", ["check_in.answers.goals_achieved"],
        "Goals that were achieved.",
        "1";
    GoalsPartly = "goals_partly", ["check_in.answers.goals_partly"],
        "Goals that were achieved in part.",
        "1";
    GoalsMissed = "goals_missed", ["check_in.answers.goals_missed"],
        "Goals that were missed.",
        "0";
    Promoted = "promoted", ["check_in.answers.promoted"],
        "Whether she was promoted since the start: yes or no.",
        "no";
    ChangedRole = "changed_role", ["check_in.answers.changed_role"],
        "Whether she has another role than at the start: yes or no.",
        "no";
    InSector = "in_sector", ["check_in.answers.in_sector"],
        "Whether she works in the sector: yes or no.",
        "yes";
    Instrument = "instrument", ["check_in.measurement", "check_in.measurement.instrument"],
        "An instrument of the literature: mfq_9, memeq, mecs or working_alliance. Only with a score.",
        "mfq_9";
    InstrumentVersion = "instrument_version", ["check_in.measurement.version"],
        "Version of the instrument, as the programme names it.",
        "";
    InstrumentScore = "instrument_score", ["check_in.measurement.score_hundredths"],
        "Mean of the items of the instrument, for example 4.25.",
        "4.25";
}

impl Column {
    /// Whether every file must have it.
    pub fn is_required(self) -> bool {
        matches!(self, Self::Mentorship | Self::Point | Self::Date)
    }

    /// The column of a header cell: its name or its label in any language, without regard to case, accents and punctuation.
    pub(super) fn from_header(text: &str) -> Option<Self> {
        (text.len() <= MAX_HEADER).then(|| LABELS.get(&words(text)).copied()).flatten()
    }

    /// The column that a header cell may mean.
    pub(super) fn meant(text: &str) -> Option<Self> {
        if text.len() > MAX_HEADER {
            return None;
        }
        let wanted = words(text);
        let most = wanted.chars().count() / 4;
        let (_, nearest) = spelling::nearest(&wanted, LABELS.keys().map(String::as_str), most)?;
        LABELS.get(nearest).copied()
    }
}

/// The column of a field of the API; empty for a path without a column.
pub fn column_of(field_path: &str) -> &'static str {
    let is_of = |column: &Column| column.fields().contains(&field_path);
    Column::ALL.iter().find(|column| is_of(column)).map_or("", |column| column.name())
}

/// Description of every column, one paragraph each.
pub fn describe_columns() -> String {
    let mut text = String::from(
        "The first line names the columns, in any order. An empty cell was not answered, which is not 0.\n\
         `wim-match check-in template --organisation ID` fills the first four for everything that is due.\n",
    );
    for column in Column::ALL {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n{}\n    {}\n", column.name(), column.about());
    }
    text
}

/// `data/check_in_columns.csv`: the name of a column, then its label in each language.
static LABELS: LazyLock<HashMap<String, Column>> = LazyLock::new(|| {
    let mut labels: HashMap<String, Column> =
        Column::ALL.into_iter().map(|column| (words(column.name()), column)).collect();
    for line in include_str!("../../data/check_in_columns.csv").lines().skip(1) {
        let mut cells = line.split(';');
        let name = cells.next().unwrap_or_default();
        let column = Column::ALL.into_iter().find(|column| column.name() == name);
        labels.extend(cells.filter_map(|label| Some((words(label), column?))));
    }
    labels
});
