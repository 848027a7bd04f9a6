//! The extract for the record of processing activities of an organisation (General Data Protection Regulation, Article 30).

use super::markdown::Markdown;
use super::round_state_label;
use crate::domain::message::Message;
use crate::domain::processing::ProcessingRecord;
use crate::domain::vocabulary::Lang;
use crate::message;

/// The extract, in Markdown. `terms` says what is deleted by itself, and after which time.
pub fn processing_record(record: &ProcessingRecord, terms: &[(Message, Message)], lang: Lang) -> String {
    let mut text = Markdown::new(lang);
    let controller = &record.controller;
    text.title(&message!("Record of processing activities: matching of mentors and mentees"));
    text.heading(&message!("Controller"));
    text.paragraph(&message!(
        "{name}, {country} ({id}). The Secretariat of the Alliance answers for data protection of the shared service.",
        name = &controller.content.display_name,
        country = controller.content.country,
        id = controller.id.name()
    ));
    text.heading(&message!("Purposes and legal basis"));
    for purpose in [
        message!("form pairs of mentors and mentees: consent to matching"),
        message!("use identity answers for it: a consent of its own"),
        message!(
            "form pairs with people of another country: a consent of its own, where the policy of a round asks for it"
        ),
        message!("follow the mentorships up, and count people in statistics: a consent of its own for each"),
    ] {
        text.item(&purpose);
    }
    text.heading(&message!("People"));
    text.paragraph(&message!(
        "Members who offer or seek mentoring: {people} on record, {consenting} with a live consent to matching, {restricted} whose data is kept and not used.",
        people = record.people,
        consenting = record.consenting,
        restricted = record.restricted
    ));
    text.heading(&message!("Categories of data"));
    for category in [
        message!("an id that the organisation chose; neither name nor e-mail address"),
        message!(
            "country, time zone, hours, languages, career stage, functions, commodities, employer, topics, goals, working styles"
        ),
        message!("in confidence: people preferred or avoided, previous partners, reporting line"),
        message!("special category, only with a consent of its own: identity answers"),
        message!("consents with text version, language, times and who recorded them"),
    ] {
        text.item(&category);
    }
    rounds(record, &mut text);
    text.heading(&message!("Time limits for erasure"));
    for (what, kept) in terms {
        text.item(&message!("{what}: {kept}", what = what.clone(), kept = kept.clone()));
    }
    text.heading(&message!("Security"));
    for measure in [
        message!("each organisation reads its own members alone; roles have a beginning and an end"),
        message!("every change has an entry in an audit that cannot be altered unnoticed"),
        message!("connections are encrypted, and only hashes of secrets are stored"),
    ] {
        text.item(&measure);
    }
    text.finish()
}

/// Who receives data: the organisations and the working group of each round in which the organisation takes part.
fn rounds(record: &ProcessingRecord, text: &mut Markdown) {
    text.heading(&message!("Recipients: the working group, and the organisations of these rounds"));
    if record.rounds.is_empty() {
        text.paragraph(&message!("The organisation has enrolled nobody in a round."));
    }
    for round in &record.rounds {
        let state = round_state_label(round.state, text.lang());
        let agreement = if round.agreement.is_empty() {
            message!("no agreement is named")
        } else {
            message!("agreement {agreement}", agreement = &round.agreement)
        };
        text.item(&message!(
            "{name} ({id}, {state}): {people|1 person|{people} people} enrolled; {agreement}",
            name = &round.display_name,
            id = round.id.name(),
            state = state,
            people = round.people,
            agreement = agreement
        ));
    }
}
