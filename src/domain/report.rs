//! Reports: tables of numbers that are frozen at a moment. What a report shows has passed the suppression gate, except the page of
//! an organisation about its own members.
//!
//! Input: what the store counts of published rounds ([`facts`]). Output: a [`Content`], whose canonical JSON never changes again.

pub mod assemble;
pub mod facts;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::name::{OrganisationId, RoundId};
use super::suppression::Withheld;

macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $code)] $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name as stored and in the files of texts.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }
    };
}

codes! {
    /// What a report is about, and for whom.
    ReportKind {
        /// One published round, for coordinators.
        Round = "round",
        /// All published rounds, year on year, for coordinators.
        Programme = "programme",
        /// A year of one organisation beside the alliance, for its manager and for coordinators.
        Annual = "annual",
        /// A year by region, for the Steering Committee and for coordinators.
        Committee = "committee",
    }
}

impl ReportKind {
    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

/// What a report is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReportScope {
    /// This round.
    Round(RoundId),
    /// All published rounds.
    Programme,
    /// The rounds of a year, for an organisation.
    Annual(OrganisationId, i16),
    /// The rounds of a year, for the Steering Committee.
    Committee(i16),
}

impl ReportScope {
    /// The kind of the report.
    pub fn kind(&self) -> ReportKind {
        match self {
            Self::Round(_) => ReportKind::Round,
            Self::Programme => ReportKind::Programme,
            Self::Annual(..) => ReportKind::Annual,
            Self::Committee(_) => ReportKind::Committee,
        }
    }

    /// The round.
    pub fn round(&self) -> Option<&RoundId> {
        if let Self::Round(round) = self { Some(round) } else { None }
    }

    /// The organisation.
    pub fn organisation(&self) -> Option<&OrganisationId> {
        if let Self::Annual(organisation, _) = self { Some(organisation) } else { None }
    }

    /// The year in which the rounds begin.
    pub fn year(&self) -> Option<i16> {
        match self {
            Self::Round(_) | Self::Programme => None,
            Self::Annual(_, year) | Self::Committee(year) => Some(*year),
        }
    }

    /// The scope of a kind with its parts, if they are those of the kind.
    pub fn of(
        kind: ReportKind,
        round: Option<RoundId>,
        organisation: Option<OrganisationId>,
        year: Option<i16>,
    ) -> Option<Self> {
        match (kind, round, organisation, year) {
            (ReportKind::Round, Some(round), None, None) => Some(Self::Round(round)),
            (ReportKind::Programme, None, None, None) => Some(Self::Programme),
            (ReportKind::Annual, None, Some(organisation), Some(year)) => {
                Some(Self::Annual(organisation, year))
            }
            (ReportKind::Committee, None, None, Some(year)) => Some(Self::Committee(year)),
            _ => None,
        }
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Last segment of its name, a UUID.
    pub id: String,
    /// What it is made of.
    pub scope: ReportScope,
    /// Version of the list of parameters by which it counts.
    pub list_version: u32,
    /// Who made it: the id of a principal.
    pub creator: String,
    /// When it was made.
    pub create_time: Timestamp,
    /// SHA-256 of the canonical JSON of its content, in hexadecimal.
    pub digest: String,
    /// Its numbers. A list of reports leaves them out.
    pub content: Option<Content>,
}

impl Report {
    /// Its name, `reports/{report}`.
    pub fn name(&self) -> String {
        format!("reports/{}", self.id)
    }
}

/// The numbers of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Ids of the common parameters that it uses.
    pub parameters: Vec<String>,
    /// The published rounds that it covers, by first day.
    pub rounds: Vec<CoveredRound>,
    /// Its tables, in the order in which they are read.
    pub tables: Vec<Table>,
}

/// A round that a report covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoveredRound {
    /// The round.
    pub round: RoundId,
    /// Its name.
    pub display_name: String,
    /// First day of its mentorships.
    pub start_date: Date,
    /// Last day of its mentorships.
    pub end_date: Date,
    /// Number of the published run.
    pub run: i64,
    /// Version of the policy of that run.
    pub policy_version: i64,
}

codes! {
    /// A table of a report.
    TableId {
        /// From the enrolment to the end, for everybody.
        Funnel = "funnel",
        /// The same for an organisation's own members.
        Own = "own",
        /// The matching in numbers.
        Matching = "matching",
        /// Matches by score.
        Scores = "scores",
        /// By region of the mentee.
        Region = "region",
        /// By best language of the mentee.
        Language = "language",
        /// By career stage of the mentee.
        Stage = "stage",
        /// By organisation of the mentee.
        Organisation = "organisation",
        /// Places that organisations give each other.
        Exchange = "exchange",
        /// Answers of check-ins by side.
        Satisfaction = "satisfaction",
        /// Satisfaction by score.
        Prediction = "prediction",
        /// Mentorships that go on, by month.
        Survival = "survival",
        /// Days until the match.
        TimeToMatch = "time_to_match",
        /// By round.
        Round = "round",
        /// By year.
        Year = "year",
    }
}

codes! {
    /// What the numbers of a column are.
    Unit {
        /// People.
        People = "people",
        /// Mentorships or matches.
        Pairs = "pairs",
        /// A share in whole percent.
        Percent = "percent",
        /// A score, 0 to 10,000, shown as a percentage with two decimals.
        Score = "score",
        /// Points of scores, 10,000 for a full score.
        Points = "points",
        /// A mean of answers from 1 to 5, in hundredths.
        Rating = "rating",
        /// Points from -100 to 100.
        Balance = "balance",
        /// Days.
        Days = "days",
        /// Hours, in tenths.
        Hours = "hours",
        /// A correlation from -1 to 1, in hundredths.
        Correlation = "correlation",
        /// Decisions of reviewers.
        Decisions = "decisions",
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Which one.
    pub id: TableId,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its code, for example `match_rate`.
    pub id: String,
    /// What its numbers are.
    pub unit: Unit,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Code of the group, for example of a region; empty for people who have not answered.
    pub key: String,
    /// The name of an organisation or a round, as it was when the report was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// One for each column.
    pub cells: Vec<Cell>,
}

/// A number of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// The number, in the unit of its column.
    Number(i64),
    /// There is nothing to count, or nobody has answered.
    Nothing,
    /// The number is not published.
    Withheld(Withheld),
}

/// Names by which the rows of organisations are shown.
pub type OrganisationNames = BTreeMap<OrganisationId, String>;
