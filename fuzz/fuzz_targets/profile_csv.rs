//! Any bytes are a CSV file of profiles. The reader returns rows and errors and never panics. A row that the domain accepts
//! is written again, and reading what was written gives the same draft.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use wim_match::domain::name::{OrganisationId, ProfileRef};
use wim_match::domain::profile::{Profile, ProfileDraft};
use wim_match::profile_csv::{ProfileReader, ProfileWriter};

/// A header with the columns that a file must have, for inputs that are rows alone.
const HEADER: &[u8] = b"profile_id,country,time_zone,languages\n";

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, text)) = bytes.split_first() else { return };
    let organisation: OrganisationId = "wim-fuzz".parse().expect("a good id");
    let file = if kind % 2 == 0 { text.to_vec() } else { [HEADER, text].concat() };
    let Ok(reader) = ProfileReader::new(file.as_slice(), &organisation) else { return };
    for row in reader.flatten() {
        if let Some(draft) = accepted(&row.draft) {
            assert_eq!(read_again(&draft, &organisation), draft, "a row changes when it is written and read");
        }
    }
});

/// The draft of a stored profile, if the domain accepts a row.
fn accepted(draft: &ProfileDraft) -> Option<ProfileDraft> {
    let me = ProfileRef::from_name(&draft.name).ok()?;
    let now: Timestamp = "2027-01-15T12:00:00Z".parse().expect("a good time");
    let mut stored = Profile::parse(&me, draft, now).ok()?.to_draft(&me);
    // An identity without any answer reads back as no identity.
    stored.identity = stored.identity.filter(|identity| !identity.shares.is_empty() || !identity.wishes.is_empty());
    Some(stored)
}

fn read_again(draft: &ProfileDraft, organisation: &OrganisationId) -> ProfileDraft {
    let mut writer = ProfileWriter::new(Vec::new()).expect("memory can be written");
    writer.write(draft).expect("memory can be written");
    let file = writer.finish().expect("memory can be written");
    let mut rows = ProfileReader::new(file.as_slice(), organisation).expect("the writer's header is good");
    let row = rows.next().expect("one row").expect("the writer's row is good");
    assert!(rows.next().is_none(), "one row is written for each profile");
    row.draft
}
