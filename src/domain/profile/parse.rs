//! Parsing of a profile: all rules about a single profile. A rule that fails adds a violation and continues with a
//! stand-in value, so that one parse finds all violations. The stand-in never leaves this module.

mod consent;
mod people;
mod text;
mod week;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::text::{bounded, date, head, hint_for_code, latest, optional_text, small, terms};
use super::{
    Identity, IdentityDraft, Language, MeetingModes, MenteeRequest, MenteeRequestDraft, MentorOffer,
    MentorOfferDraft, Profile, ProfileDraft, time_zone,
};
use crate::domain::everyday::{Everyday, means};
use crate::domain::field_rule;
use crate::domain::language::{self, LanguageLevel};
use crate::domain::name::ProfileRef;
use crate::domain::violation::{MAX_LISTED, Violations};
use crate::domain::vocabulary::{Country, Kind, Stage, Vocabulary};
use crate::domain::warning::{Warning, WarningCode, Warnings};
use crate::message;

/// Most languages of one person.
const MAX_LANGUAGES: usize = field_rule::PROFILE_LANGUAGES.max_items;
/// Most meeting modes that a draft may list, repeats included.
const MAX_MODES: usize = field_rule::PROFILE_MEETING_MODES.max_items;
/// Most mentees of one mentor.
const MAX_MENTEES: i32 = field_rule::MENTOR_OFFER_MAX_MENTEES.most;

impl Profile {
    /// Parses the content of a draft, or returns all violations. `me` is the name of the profile: the profile's own
    /// lists must not contain `me`, and short names in lists (`{own id}`) mean people of the same organisation. Consent
    /// and waiting dates after `now` are violations.
    pub fn parse(me: &ProfileRef, draft: &ProfileDraft, now: Timestamp) -> Result<Self, Violations> {
        Self::parse_with_warnings(me, draft, now, MAX_LISTED).map(|(profile, _)| profile)
    }

    /// Parses the content of a draft as [`Profile::parse`] does, and returns what its sender should look at. The first `most`
    /// violations are listed.
    pub fn parse_with_warnings(
        me: &ProfileRef,
        draft: &ProfileDraft,
        now: Timestamp,
        most: usize,
    ) -> Result<(Self, Vec<Warning>), Violations> {
        let mut warnings = Warnings::default();
        let mut found = Violations::at_most(most);
        let violations = &mut found;
        // An unknown country is replaced by any other, so that the parse finds the other violations too.
        let given_country = country(&draft.country, violations);
        let Some(country) = given_country.or_else(|| Country::from_code("PE")) else {
            return Err(found);
        };
        let profile = Profile {
            country,
            time_zone: zone(&draft.time_zone, given_country, violations),
            weekly_slots: week::slots(&draft.weekly_slots, violations),
            roster: draft.roster.as_ref().map(|roster| week::roster(roster, violations)),
            languages: languages(&draft.languages, violations),
            career_stage: career_stage(&draft.career_stage, violations),
            functions: terms("functions", &draft.functions, violations),
            commodities: terms("commodities", &draft.commodities, violations),
            employer: employer("employer", &draft.employer, violations, &mut warnings),
            competitor_group: employer(
                "competitor_group",
                &draft.competitor_group,
                violations,
                &mut warnings,
            ),
            reporting_line: people::list("reporting_line", &draft.reporting_line, me, violations),
            meeting_modes: meeting_modes(&draft.meeting_modes, violations),
            goals: terms("goals", &draft.goals, violations),
            working_styles: terms("working_styles", &draft.working_styles, violations),
            preferred: people::preferred(draft, me, violations),
            avoided: people::list("avoided", &draft.avoided, me, violations),
            previous_partners: people::list("previous_partners", &draft.previous_partners, me, violations),
            mentor_offer: draft.mentor_offer.as_ref().and_then(|offer| mentor_offer(offer, violations)),
            mentee_request: draft
                .mentee_request
                .as_ref()
                .map(|request| mentee_request(request, now, violations)),
            identity: draft.identity.as_ref().and_then(|answers| identity(answers, draft, now, violations)),
            consents: consent::list(&draft.consents, now, violations),
        };
        let mut all = profile.warnings();
        all.extend(warnings.into_vec());
        found.finish((profile, all))
    }
}

/// The key of an employer or of a group of employers. A word that names none is a missing answer, with a warning: otherwise
/// all people without an employer would be colleagues.
fn employer(field: &str, text: &str, violations: &mut Violations, warnings: &mut Warnings) -> Option<String> {
    let named = optional_text(field, text, violations)?;
    if means(&named, Everyday::NoAnswer) || means(&named, Everyday::NoEmployer) {
        warnings.push(field, &named, WarningCode::NoAnswer);
        return None;
    }
    Some(named)
}

fn country(code: &str, violations: &mut Violations) -> Option<Country> {
    let country = (code.len() == 2).then(|| Country::from_code(code)).flatten();
    if country.is_none() {
        let meant: Vec<&str> = Country::named(code).into_iter().map(Country::code).collect();
        let hint = match &meant[..] {
            [] => message!("use two capital letters, for example PE"),
            [one] => message!("write {code}", code = *one),
            several => message!("write one of {names}", names = several.join(", ")),
        };
        violations.push("country", head(code), "is not an ISO 3166-1 alpha-2 country code", hint);
    }
    country
}

/// The time zone of a person whose country is not known, in the database's own spelling.
pub fn zone_of(name: &str, violations: &mut Violations) -> String {
    zone(name, None, violations)
}

fn zone(name: &str, country: Option<Country>, violations: &mut Violations) -> String {
    if let Some(zone) = time_zone::named(name) {
        return zone.to_owned();
    }
    let what = if time_zone::is_fixed(name) {
        "is an offset or an abbreviation, which does not change its clocks as a place does"
    } else {
        "is not a time zone of the IANA database"
    };
    violations.push("time_zone", head(name), what, time_zone::proposal(name, country));
    String::new()
}

fn languages(spoken: &[(String, i32)], violations: &mut Violations) -> Vec<Language> {
    if spoken.is_empty() {
        let hint = "give at least one language with its level, for example es native";
        violations.push("languages", "", "is empty", hint);
    }
    let mut languages: Vec<Language> = Vec::with_capacity(spoken.len().min(MAX_LANGUAGES));
    for (i, (tag, level)) in bounded("languages", spoken, MAX_LANGUAGES, violations).iter().enumerate() {
        let level = LanguageLevel::from_number(*level).unwrap_or_else(|| {
            violations.push(
                format!("languages[{i}].level"),
                level,
                "is not a language level",
                "use 1 to 6 for A1 to C2, or 7 for NATIVE",
            );
            LanguageLevel::A1
        });
        let Some(tag) = language::normalise(tag) else {
            let hint = match &language::named(tag)[..] {
                [] => message!("begin with a language code of 2 or 3 letters, for example es or es-PE"),
                [one] => message!("write {code}", code = *one),
                several => message!("write one of {names}", names = several.join(", ")),
            };
            violations.push(format!("languages[{i}].tag"), head(tag), "is not a BCP 47 language tag", hint);
            continue;
        };
        let language = Language { tag, level };
        if let Some(earlier) = languages.iter().find(|earlier| earlier.primary() == language.primary()) {
            violations.push(
                format!("languages[{i}].tag"),
                &language.tag,
                message!("is the same language as the earlier entry {tag}", tag = &earlier.tag),
                "keep the entry with the higher level",
            );
        } else {
            languages.push(language);
        }
    }
    languages.sort_unstable();
    languages
}

fn career_stage(code: &str, violations: &mut Violations) -> Option<u8> {
    if code.is_empty() {
        return None;
    }
    let vocabulary: &Vocabulary = Stage::vocabulary();
    let position = (code.len() <= text::MAX_CODE_LENGTH).then(|| vocabulary.position(code)).flatten();
    if position.is_none() {
        violations.push(
            "career_stage",
            head(code),
            "is not a code of the vocabulary `career_stage`",
            hint_for_code(vocabulary, code),
        );
    }
    position.map(|position| position + 1)
}

fn meeting_modes(numbers: &[i32], violations: &mut Violations) -> MeetingModes {
    let mut modes = MeetingModes::default();
    for (i, number) in bounded("meeting_modes", numbers, MAX_MODES, violations).iter().enumerate() {
        match number {
            1 => modes.by_call = true,
            2 => modes.in_person = true,
            _ => violations.push(
                format!("meeting_modes[{i}]"),
                number,
                "is not a meeting mode",
                "use 1 for a call or video, 2 for a meeting in person",
            ),
        }
    }
    modes
}

fn mentor_offer(offer: &MentorOfferDraft, violations: &mut Violations) -> Option<MentorOffer> {
    let topics = terms("mentor_offer.topics", &offer.topics, violations);
    let Some(most) = offer.max_mentees else {
        violations.push(
            "mentor_offer.max_mentees",
            "",
            "is missing",
            "give the most mentees that she takes, or leave out all answers of a mentor",
        );
        return None;
    };
    if !(0..=MAX_MENTEES).contains(&most) {
        violations.push(
            "mentor_offer.max_mentees",
            most,
            message!("is outside 0 to {most}", most = MAX_MENTEES),
            "give the most mentees that she takes; 0 if she takes none now",
        );
    }
    if let Some(fewest) =
        offer.min_mentees.filter(|fewest| !(0..=most.clamp(0, MAX_MENTEES)).contains(fewest))
    {
        violations.push(
            "mentor_offer.min_mentees",
            fewest,
            message!("is outside 0 to {most}, the most mentees that she takes", most = most),
            "use 0 if she accepts any number of mentees",
        );
    }
    Some(MentorOffer { min_mentees: offer.min_mentees.map(small), max_mentees: small(most), topics })
}

fn mentee_request(
    request: &MenteeRequestDraft,
    now: Timestamp,
    violations: &mut Violations,
) -> MenteeRequest {
    if let Some(wanted) = request.mentors_wanted.filter(|wanted| !(0..=2).contains(wanted)) {
        violations.push(
            "mentee_request.mentors_wanted",
            wanted,
            "is outside 0 to 2",
            "give the number of mentors that she seeks; 0 if she seeks none now",
        );
    }
    let field = "mentee_request.waiting_since";
    let topics = terms("mentee_request.topics", &request.topics, violations);
    let waiting_since = match request.waiting_since.as_str() {
        "" => None,
        text => date(field, text, violations),
    };
    let latest = latest(now).to_zoned(TimeZone::UTC).date();
    if waiting_since.is_some_and(|since| since > latest) {
        violations.push(field, &request.waiting_since, "is in the future", "give no date for a new mentee");
    }
    // A request without any answer is one for a mentor: no file could tell it from no request.
    let silent = topics.is_empty() && waiting_since.is_none();
    let mentors_wanted = request.mentors_wanted.map(small).or(silent.then_some(1));
    MenteeRequest { mentors_wanted, topics, waiting_since }
}

fn identity(
    answers: &IdentityDraft,
    draft: &ProfileDraft,
    now: Timestamp,
    violations: &mut Violations,
) -> Option<Identity> {
    if answers.shares.is_empty() && answers.wishes.is_empty() {
        return None;
    }
    // Consents are read as given: a wrong consent is reported at its own field only.
    if !draft
        .consents
        .iter()
        .any(|consent| consent.purpose == 2 && consent::is_open(consent.withdraw_time, now))
    {
        // The violation does not repeat the answers: they are a special category of personal data without consent.
        violations.push(
            "identity",
            "",
            "has answers without a live consent for identity",
            "record her consent to the use of these answers with the version and language of its text and its time, or leave \
             the answers out",
        );
    }
    let shares = terms("identity.shares", &answers.shares, violations);
    let wishes = terms("identity.wishes", &answers.wishes, violations);
    Some(Identity { shares, wishes })
}

#[cfg(test)]
mod tests;
