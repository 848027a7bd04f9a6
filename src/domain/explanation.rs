//! Reasons as codes and parameters. `wording` renders them in a language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $code:ident [$($parameter:literal),*],)+) => {
        /// Codes of reasons, a closed set. The list after each code names its parameters.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum ReasonCode { $($(#[$doc])* $code,)+ }

        impl ReasonCode {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// Names of the parameters that a reason of this code carries.
            pub fn parameters(self) -> &'static [&'static str] {
                match self { $(Self::$code => &[$($parameter),*],)+ }
            }
        }
    };
}

reason_codes! {
    /// A criterion whose answer is missing on one side or both: its neutral value counts.
    MissingAnswer ["criterion"],
    /// `covered` of `sought` topics are offered; `topics` lists them.
    TopicsCovered ["covered", "sought", "topics"],
    /// None of the `sought` topics is offered.
    TopicsNone ["sought"],
    /// The mentor knows `common` of the mentee's `sought` functions.
    FunctionsShared ["common", "sought", "functions"],
    /// The mentor knows none of the mentee's functions.
    FunctionsNone ["sought"],
    /// The mentor knows `common` of the mentee's `sought` commodities.
    CommoditiesShared ["common", "sought", "commodities"],
    /// The mentor knows none of the mentee's commodities.
    CommoditiesNone ["sought"],
    /// The mentor's career stage is `steps` above the mentee's.
    StageAbove ["steps"],
    /// Both are at the same career stage.
    StageSame [],
    /// The mentor's career stage is `steps` below the mentee's.
    StageBelow ["steps"],
    /// Both are native speakers of `language`.
    LanguageNative ["language"],
    /// The weaker of the two speaks `language` at `level`.
    LanguageCommon ["language", "level"],
    /// No language in common.
    LanguageNone [],
    /// At least `minutes` common per week over the whole round.
    OverlapMinutes ["minutes"],
    /// Both live in `country`.
    SameCountry ["country"],
    /// Both live in `region`, in different countries.
    SameRegion ["region"],
    /// They live on one continent, in different regions.
    SameContinent [],
    /// They live on different continents.
    DifferentContinents [],
    /// They can meet by `modes`: `call`, `in_person` or both.
    ModesShared ["modes"],
    /// They have no way of meeting in common.
    ModesNone [],
    /// `common` of `all` goals are the same.
    GoalsShared ["common", "all", "goals"],
    /// No goal in common.
    GoalsNone [],
    /// `common` of `all` working styles are the same.
    StylesShared ["common", "all", "styles"],
    /// No working style in common.
    StylesNone [],
    /// The mentee has waited `days` days.
    Waited ["days"],
    /// The mentee is new.
    NotWaited [],
    /// The two have been partners before.
    PartnersBefore [],
    /// The two have not been partners before.
    PartnersNew [],
    /// All private criteria together.
    PrivateAnswers [],
    /// Hard rule: the same person.
    RuleSamePerson [],
    /// Hard rule: same employer.
    RuleEmployer [],
    /// Hard rule: competing employers.
    RuleCompetitorGroup [],
    /// Hard rule: no common language at `level`.
    RuleLanguage ["level"],
    /// Hard rule: `minutes` common per week where `required` are asked for.
    RuleWeeklyOverlap ["minutes", "required"],
    /// Hard rule: the mentor is `steps` stages above, outside `min`..`max`.
    RuleStageGap ["steps", "min", "max"],
    /// Hard rule: previous partners.
    RulePreviousPartner [],
    /// Hard rule: an organisation's own rules.
    RuleOrganisation [],
    /// Hard rule: the score, with private criteria, is below `required`.
    RuleMinScore ["required"],
    /// Hard rule: the other direction of the pair is the candidate.
    RuleMutual [],
    /// Hard rule: a private reason.
    RulePrivate [],
    /// Hard rule: no common way of meeting.
    RuleMeetingMode [],
    /// Unmatched: nobody of the other side is enrolled.
    NoCounterpart [],
    /// Unmatched: the hard rules exclude all `counterparts`.
    NoCandidate ["counterparts"],
    /// Unmatched mentee: other mentees have all places of her `candidates` candidates.
    Outcompeted ["candidates"],
    /// Unmatched mentor: her `candidates` candidates all have mentors.
    PlacesLeftOver ["candidates"],
    /// Unmatched: consent not live when the round was frozen.
    NoLiveConsent [],
    /// Without hard rule `rule`, the person would have `candidates` candidates.
    SingleRuleRelaxed ["rule", "candidates"],
    /// At least two hard rules exclude each counterpart.
    SeveralRules [],
    /// The pair is matched.
    VerdictMatched [],
    /// The pair is excluded by hard rules.
    VerdictExcluded [],
    /// The pair is a candidate with `score`, but no match of the assignment.
    VerdictNotChosen ["score"],
    /// Quotas: the floors of `groups` require `asked` matches, but only `possible` are possible.
    FloorsUnmet ["groups", "asked", "possible"],
    /// Quotas: these `mentees` together prevent the floors.
    FloorsMentees ["mentees"],
    /// Quotas: these `mentors`, with `places` places together, prevent the floors.
    FloorsMentors ["mentors", "places"],
    /// All are of one `organisation`.
    SharedOrganisation ["organisation"],
    /// All live in one `region`.
    SharedRegion ["region"],
    /// All speak `languages` and no others.
    SharedLanguages ["languages"],
    /// All can meet by `modes` only.
    SharedModes ["modes"],
}

/// A reason: a code and its parameters. Values are numbers or codes of vocabularies (several joined by `,`), never
/// words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The code.
    pub code: ReasonCode,
    /// The parameters that the code names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

impl Reason {
    /// A reason without parameters.
    pub fn new(code: ReasonCode) -> Self {
        Self { code, parameters: BTreeMap::new() }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        debug_assert!(self.code.parameters().contains(&name), "{:?} has no parameter {name}", self.code);
        self.parameters.insert(name.to_owned(), value.to_string());
        self
    }
}

impl ReasonCode {
    /// The code as the API spells it, for example `TOPICS_COVERED`.
    pub fn as_str(self) -> String {
        let mut spelt = String::new();
        for (i, c) in format!("{self:?}").chars().enumerate() {
            if c.is_ascii_uppercase() && i > 0 {
                spelt.push('_');
            }
            spelt.push(c.to_ascii_uppercase());
        }
        spelt
    }
}

impl std::str::FromStr for ReasonCode {
    type Err = String;

    fn from_str(spelt: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|code| code.as_str() == spelt).ok_or_else(|| spelt.to_owned())
    }
}
