//! The table of columns. Reading, writing, the template and the documentation are derived from it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::domain::folding::words;
use crate::domain::spelling;

/// Beginning of the ids of the template's people. Such an id is refused, so that nobody imports the template unedited.
pub const EXAMPLE_PREFIX: &str = "example-";

/// Number of example rows in the template.
pub const EXAMPLES: usize = 3;

/// Properties of a column.
#[derive(Debug)]
struct Spec {
    name: &'static str,
    required: bool,
    /// Paths of the API's fields that this column contains; a path includes every path below it.
    fields: &'static [&'static str],
    about: &'static str,
    /// A mentor, a mentee, and a person in both roles.
    examples: [&'static str; EXAMPLES],
}

macro_rules! columns {
    ($($column:ident = $name:literal $(($required:ident))?, $fields:expr, $about:literal, $examples:expr;)+) => {
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
            pub const ALL: [Self; COUNT] = [$(Self::$column),+];
        }

        const COUNT: usize = [$($name),+].len();

        static SPECS: [Spec; COUNT] = [$(Spec {
            name: $name,
            required: is_required!($($required)?),
            fields: &$fields,
            about: $about,
            examples: $examples,
        }),+];
    };
}

macro_rules! is_required {
    () => {
        false
    };
    (required) => {
        true
    };
}

columns! {
    ProfileId = "profile_id" (required), ["name"],
        "The organisation's own id for the person: 1 to 64 of A-Z, a-z, 0-9, `.`, `_`, `-`. Never a name or an e-mail address.",
        ["example-mentor", "example-mentee", "example-both"];
    Country = "country" (required), ["country", "region"],
        "Where she lives: ISO 3166-1 alpha-2, for example PE.",
        ["PE", "CL", "AU"];
    TimeZone = "time_zone" (required), ["time_zone"],
        "IANA time zone of a place, for example America/Lima.",
        ["America/Lima", "America/Santiago", "Australia/Darwin"];
    WeeklyHours = "weekly_hours", ["weekly_slots"],
        "List of the hours of a usual week in which she can meet, in her own time zone, in half hours: `Mon 18:00-20:00`, `Mon-Fri 07:00-08:30`, and `Fri 22:00-02:00` over midnight.",
        ["Tue 18:00-20:00 | Thu 18:00-20:00", "Mon-Fri 19:00-21:00", "Mon 12:00-13:00 | Sat 09:00-11:30"];
    Roster = "roster", ["roster"],
        "Work roster as days on/days off, the first day at work of any one cycle, and when the weekly hours hold: on days `off` (usual), on days `on`, or `always`. For example `14/14 from 2027-01-04 off`.",
        ["", "14/14 from 2027-01-04 off", ""];
    Languages = "languages" (required), ["languages"],
        "List of BCP 47 tags, each with a level of the Common European Framework or `native`: `es native | en C1`.",
        ["es native | en C1", "es native | en B1", "en native"];
    CareerStage = "career_stage", ["career_stage"],
        "Code of the vocabulary career_stage.",
        ["senior_manager", "early_career", "professional"];
    Functions = "functions", ["functions"],
        "List of codes of the vocabulary function.",
        ["mine_planning | mining_engineering", "geology_exploration", "environment"];
    Commodities = "commodities", ["commodities"],
        "List of codes of the vocabulary commodity.",
        ["copper | zinc", "copper", ""];
    Employer = "employer", ["employer"],
        "The organisation's key of her employer, up to 64 characters. People of one employer are not matched unless the round allows it.",
        ["company-17", "company-4", ""];
    CompetitorGroup = "competitor_group", ["competitor_group"],
        "Key shared by employers that compete and must not be paired, up to 64 characters.",
        ["", "", ""];
    ReportingLine = "reporting_line", ["reporting_line"],
        "List of the people above her in her reporting line.",
        ["", "", ""];
    MeetingModes = "meeting_modes", ["meeting_modes"],
        "List of the ways she can meet: `virtual`, `in_person`.",
        ["virtual", "virtual | in_person", "virtual"];
    Goals = "goals", ["goals"],
        "List of codes of the vocabulary goal.",
        ["reach_executive | give_back", "build_network | gain_confidence", "get_promoted"];
    WorkingStyles = "working_styles", ["working_styles"],
        "List of codes of the vocabulary working_style.",
        ["listening | challenge", "structured", "informal"];
    Preferred = "preferred", ["preferred"],
        "List of the people she would like to be matched with. Private.",
        ["", "example-mentor", ""];
    Avoided = "avoided", ["avoided"],
        "List of the people she must never be matched with. Private.",
        ["", "", "other-organisation/example-17"];
    PreviousPartners = "previous_partners", ["previous_partners"],
        "List of the people she has been matched with before.",
        ["", "", ""];
    MinMentees = "min_mentees", ["mentor_offer.min_mentees"],
        "Mentors: fewest mentees that make the offer worthwhile; empty or 0 for no minimum.",
        ["", "", ""];
    MaxMentees = "max_mentees", ["mentor_offer"],
        "Mentors: most mentees, 1 to 20. Empty for everybody who is no mentor; 0 for a mentor who takes nobody now.",
        ["2", "", "1"];
    TopicsOffered = "topics_offered", ["mentor_offer.topics"],
        "Mentors: list of codes of the vocabulary topic.",
        ["career_planning | leadership | negotiation", "", "technical_depth"];
    MentorsWanted = "mentors_wanted", ["mentee_request"],
        "Mentees: number of mentors sought, 1 or 2. Empty for everybody who is no mentee; 0 for a mentee who seeks nobody now.",
        ["", "1", "1"];
    TopicsSought = "topics_sought", ["mentee_request.topics"],
        "Mentees: list of codes of the vocabulary topic.",
        ["", "career_planning | fifo_life", "promotion | esg"];
    WaitingSince = "waiting_since", ["mentee_request.waiting_since"],
        "Mentees: since when she has been waiting, YYYY-MM-DD; empty if she is new.",
        ["", "2026-05-01", ""];
    IdentityShares = "identity_shares", ["identity"],
        "List of codes of the vocabulary identity that she shares. Only with a consent of its own. Private.",
        ["", "", ""];
    IdentityWishes = "identity_wishes", ["identity.wishes"],
        "List of codes of the vocabulary identity that she wishes her partner to share. Only with a consent of its own. Private.",
        ["", "", ""];
    MatchingVersion = "consent_matching_version", ["consents.matching.text_version"],
        "Version of the text by which she agreed to take part in matching.",
        ["2026-1", "2026-1", "2026-1"];
    MatchingLanguage = "consent_matching_language", ["consents.matching.language"],
        "BCP 47 tag of the language that text was in.",
        ["es", "es", "en"];
    MatchingTime = "consent_matching_time", ["consents", "consents.matching"],
        "When she agreed: a day, or a moment such as 2026-10-02T14:05:00Z.",
        ["2026-10-02T14:05:00Z", "2026-10-05", "2026-10-05"];
    MatchingWithdrawn = "consent_matching_withdrawn", ["consents.matching.withdraw_time"],
        "When she took it back; empty while it holds.",
        ["", "", ""];
    IdentityVersion = "consent_identity_version", ["consents.identity.text_version"],
        "Version of the text by which she agreed to the use of her identity answers.",
        ["", "", ""];
    IdentityLanguage = "consent_identity_language", ["consents.identity.language"],
        "BCP 47 tag of the language that text was in.",
        ["", "", ""];
    IdentityTime = "consent_identity_time", ["consents.identity"],
        "When she agreed to that.",
        ["", "", ""];
    IdentityWithdrawn = "consent_identity_withdrawn", ["consents.identity.withdraw_time"],
        "When she took that back; empty while it holds.",
        ["", "", ""];
    EarlierConsents = "earlier_consents", ["consents.earlier"],
        "List of consents before the present ones, as an export writes it: `matching es 2025-09-01T08:00:00Z to 2026-01-15T10:00:00Z version 2025-1`.",
        ["", "", ""];
}

impl Column {
    /// Its name in the header.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Whether every file must have it.
    pub fn is_required(self) -> bool {
        self.spec().required
    }

    /// Description of the column, in one or two sentences.
    pub fn about(self) -> &'static str {
        self.spec().about
    }

    /// The column's cells in the example rows of the template.
    pub fn examples(self) -> [&'static str; EXAMPLES] {
        self.spec().examples
    }

    /// The column of a header cell: its name or its label in any language, without regard to case, accents and punctuation.
    pub(super) fn from_header(text: &str) -> Option<Self> {
        let is_short = text.len() <= MAX_HEADER;
        is_short.then(|| HEADERS.labels.get(&words(text)).copied()).flatten()
    }

    /// The columns that a header cell may mean: those of which it is a usual name, else the one with the nearest name.
    pub(super) fn meant(text: &str) -> Vec<Self> {
        if text.len() > MAX_HEADER {
            return Vec::new();
        }
        let wanted = words(text);
        if let Some(columns) = HEADERS.usual.get(&wanted) {
            return columns.clone();
        }
        let most = wanted.chars().count() / 4;
        let nearest = spelling::nearest(&wanted, HEADERS.labels.keys().map(String::as_str), most);
        nearest.and_then(|(_, label)| HEADERS.labels.get(label)).copied().into_iter().collect()
    }

    /// Whether a word such as `n/a` in the column is no answer: not where an answer is required, and not in free text, which the
    /// profile judges.
    pub(super) fn may_say_no_answer(self) -> bool {
        !self.is_required() && !matches!(self, Self::Employer | Self::CompetitorGroup)
    }

    /// Whether the column holds a number.
    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::MinMentees | Self::MaxMentees | Self::MentorsWanted)
    }

    /// Whether the column holds the version of a consent text, in which yes and no are mistakes.
    pub(super) fn is_version(self) -> bool {
        matches!(self, Self::MatchingVersion | Self::IdentityVersion)
    }

    fn spec(self) -> &'static Spec {
        &SPECS[self as usize]
    }
}

/// The column of a field of the API, for example `topics_offered` for `mentor_offer.topics[2]`; empty for a path without a
/// column. The first consent counts as the one for matching, and any other as the one for identity.
pub fn column_of(field_path: &str) -> &'static str {
    let path = match consent_part(field_path) {
        Some((0, part)) => format!("consents.matching.{part}"),
        Some((_, part)) => format!("consents.identity.{part}"),
        None => without_indices(field_path),
    };
    holding(&path).map_or("", Column::name)
}

/// Reads `consents[{at}].{part}`.
fn consent_part(field_path: &str) -> Option<(usize, &str)> {
    let (at, part) = field_path.strip_prefix("consents[")?.split_once(']')?;
    Some((at.parse().ok()?, part.trim_start_matches('.')))
}

/// Description of every column, one paragraph each.
pub fn describe_columns() -> String {
    let mut text = String::from(
        "The first line names the columns, in any order; only those marked with * must be there. An empty cell is a \
         missing answer.\nItems of a list are separated by | or by a line break.\nPeople are named by their id in your \
         organisation, or as {organisation}/{id} in another.\n",
    );
    for column in Column::ALL {
        let mark = if column.is_required() { "*" } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(text, "\n{}{mark}\n    {}\n", column.name(), column.about());
    }
    text
}

/// The column with the longest field path that is `path` or leads to it.
fn holding(path: &str) -> Option<Column> {
    let reach = |field: &str| {
        path.strip_prefix(field).filter(|rest| rest.is_empty() || rest.starts_with('.')).map(|_| field.len())
    };
    let reached = |column: Column| column.spec().fields.iter().filter_map(|field| reach(field)).max();
    let best = Column::ALL.into_iter().filter_map(|column| Some((reached(column)?, column)));
    best.max_by_key(|(length, column)| (*length, std::cmp::Reverse(*column as usize)))
        .map(|(_, column)| column)
}

/// `path` without `[…]`.
fn without_indices(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|c| {
            inside = (inside || *c == '[') && *c != ']';
            !inside && *c != ']'
        })
        .collect()
}

/// Longest header cell that is looked up, in bytes.
const MAX_HEADER: usize = 128;

/// The columns by their words.
struct Headers {
    /// By name and label.
    labels: HashMap<String, Column>,
    /// By usual name; a name of no column, such as `notes`, has none.
    usual: HashMap<String, Vec<Column>>,
}

/// `data/columns.csv`: the code of a column, then for each language its label and its usual names.
static HEADERS: LazyLock<Headers> = LazyLock::new(|| {
    let mut headers = Headers { labels: HashMap::new(), usual: HashMap::new() };
    for column in Column::ALL {
        headers.labels.insert(words(column.name()), column);
    }
    for line in include_str!("../../data/columns.csv").lines().skip(1) {
        let mut cells = line.split(';');
        let code = cells.next().unwrap_or_default();
        let column = Column::ALL.into_iter().find(|column| column.name() == code);
        for names in cells {
            for (at, name) in names.split(',').enumerate() {
                match column {
                    Some(column) if at == 0 => {
                        headers.labels.insert(words(name), column);
                    }
                    _ => {
                        let meant = headers.usual.entry(words(name)).or_default();
                        meant.extend(column.filter(|column| !meant.contains(column)));
                    }
                }
            }
        }
    }
    headers
});
