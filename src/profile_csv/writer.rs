//! Writes drafts as CSV. The reader returns the same drafts.

use std::io::{self, Write};

use jiff::Timestamp;

use super::column::{Column, EXAMPLES};
use super::{cell, dates, earlier_consents, hours};
use crate::domain::name::ProfileRef;
use crate::domain::profile::{ConsentDraft, ConsentPurpose, ProfileDraft};

/// Writes profiles under the full header: commas, LF, UTF-8 without a byte order mark.
#[derive(Debug)]
pub struct ProfileWriter<W: Write> {
    csv: csv::Writer<W>,
}

impl<W: Write> ProfileWriter<W> {
    /// Writes the header.
    pub fn new(output: W) -> io::Result<Self> {
        let mut csv = csv::Writer::from_writer(output);
        csv.write_record(Column::ALL.map(Column::name)).map_err(io::Error::from)?;
        Ok(Self { csv })
    }

    /// Writes one profile.
    pub fn write(&mut self, draft: &ProfileDraft) -> io::Result<()> {
        let person = ProfileRef::from_name(&draft.name).ok();
        for column in Column::ALL {
            let text = content(draft, person.as_ref(), column);
            self.csv.write_field(cell::guarded(&text).as_bytes()).map_err(io::Error::from)?;
        }
        self.csv.write_record(None::<&[u8]>).map_err(io::Error::from)
    }

    /// Ends the file and returns the output. Without this call the last rows may be missing.
    pub fn finish(mut self) -> io::Result<W> {
        self.csv.flush()?;
        self.csv.into_inner().map_err(|error| io::Error::other(error.to_string()))
    }
}

/// Writes a file to fill in: the header and example rows. Their ids begin with `example-`, which an import refuses; with other
/// ids the rows can be imported.
pub fn write_template<W: Write>(output: W) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(output);
    csv.write_record(Column::ALL.map(Column::name)).map_err(io::Error::from)?;
    for example in 0..EXAMPLES {
        csv.write_record(Column::ALL.map(|column| column.examples()[example])).map_err(io::Error::from)?;
    }
    csv.flush()
}

/// Content of the cell of a column.
fn content(draft: &ProfileDraft, person: Option<&ProfileRef>, column: Column) -> String {
    use Column as C;
    use ConsentPurpose::{Identity, Matching};
    let people = |names: &[String]| {
        cell::list(
            names.iter().map(|name| cell::write_person(name, person.map(|person| &person.organisation))),
        )
    };
    let offer = draft.mentor_offer.as_ref();
    let request = draft.mentee_request.as_ref();
    let identity = draft.identity.as_ref();
    let consent = |purpose| present_consent(draft, purpose);
    let version = |purpose| consent(purpose).map(|consent| consent.text_version.clone()).unwrap_or_default();
    let language = |purpose| consent(purpose).map(|consent| consent.language.clone()).unwrap_or_default();
    let time = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string()).unwrap_or_default();
    match column {
        C::ProfileId => person.map_or_else(|| draft.name.clone(), |person| person.id.to_string()),
        C::Country => draft.country.clone(),
        C::TimeZone => draft.time_zone.clone(),
        C::WeeklyHours => hours::write_slots(&draft.weekly_slots),
        C::Roster => draft.roster.as_ref().map(dates::write_roster).unwrap_or_default(),
        C::Languages => cell::list(draft.languages.iter().map(cell::write_language)),
        C::CareerStage => draft.career_stage.clone(),
        C::Functions => cell::list(&draft.functions),
        C::Commodities => cell::list(&draft.commodities),
        C::Employer => draft.employer.clone(),
        C::CompetitorGroup => draft.competitor_group.clone(),
        C::ReportingLine => people(&draft.reporting_line),
        C::MeetingModes => cell::list(draft.meeting_modes.iter().map(|mode| cell::write_meeting_mode(*mode))),
        C::Goals => cell::list(&draft.goals),
        C::WorkingStyles => cell::list(&draft.working_styles),
        C::Preferred => people(&draft.preferred),
        C::Avoided => people(&draft.avoided),
        C::PreviousPartners => people(&draft.previous_partners),
        C::MinMentees => number(offer.and_then(|o| o.min_mentees)),
        C::MaxMentees => number(offer.and_then(|o| o.max_mentees)),
        C::TopicsOffered => offer.map(|o| cell::list(&o.topics)).unwrap_or_default(),
        C::MentorsWanted => number(request.and_then(|r| r.mentors_wanted)),
        C::TopicsSought => request.map(|r| cell::list(&r.topics)).unwrap_or_default(),
        C::WaitingSince => request.map(|r| r.waiting_since.clone()).unwrap_or_default(),
        C::IdentityShares => identity.map(|i| cell::list(&i.shares)).unwrap_or_default(),
        C::IdentityWishes => identity.map(|i| cell::list(&i.wishes)).unwrap_or_default(),
        C::MatchingVersion => version(Matching),
        C::MatchingLanguage => language(Matching),
        C::MatchingTime => time(consent(Matching).and_then(|c| c.give_time)),
        C::MatchingWithdrawn => time(consent(Matching).and_then(|c| c.withdraw_time)),
        C::IdentityVersion => version(Identity),
        C::IdentityLanguage => language(Identity),
        C::IdentityTime => time(consent(Identity).and_then(|c| c.give_time)),
        C::IdentityWithdrawn => time(consent(Identity).and_then(|c| c.withdraw_time)),
        C::EarlierConsents => earlier_consents(draft),
    }
}

/// A number as a cell; empty for no answer, which differs from 0.
fn number(answer: Option<i32>) -> String {
    answer.map(|number| number.to_string()).unwrap_or_default()
}

/// The last consent of a purpose.
fn present_consent(draft: &ProfileDraft, purpose: ConsentPurpose) -> Option<&ConsentDraft> {
    draft.consents.iter().rfind(|consent| consent.purpose == purpose as i32)
}

fn earlier_consents(draft: &ProfileDraft) -> String {
    // The last consents to matching and to identity answers have columns of their own.
    let last = |at: usize, consent: &ConsentDraft| {
        let has_columns = [ConsentPurpose::Matching, ConsentPurpose::Identity].map(|purpose| purpose as i32);
        has_columns.contains(&consent.purpose)
            && !draft.consents[at + 1..].iter().any(|later| later.purpose == consent.purpose)
    };
    let earlier = draft.consents.iter().enumerate().filter(|(at, consent)| !last(*at, consent));
    cell::list(earlier.filter_map(|(_, consent)| earlier_consents::write_earlier_consent(consent)))
}
