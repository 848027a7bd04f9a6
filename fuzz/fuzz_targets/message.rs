//! Any bytes are a message: a problem with a result to verify, a problem with a published result, or a profile.
//! Decoding and conversion return an error or a value and never panic. A problem is accepted in parts exactly if it is
//! accepted whole. A profile that the domain accepts is the same after a way through the message.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use prost::Message;
use wim_match::api::convert::profile::{draft, message_of_draft};
use wim_match::api::convert::solver::proof::Reader;
use wim_match::api::convert::solver::questions::published;
use wim_match::api::convert::solver::{aim, finish, take_in};
use wim_match::api::proto::v1;
use wim_match::domain::name::ProfileRef;
use wim_match::domain::profile::Profile;
use wim_match::instance::Instance;
use wim_match::instance::builder::Builder;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 3 {
        0 => verify(bytes),
        1 => repair(bytes),
        _ => profile(bytes),
    }
});

fn verify(bytes: &[u8]) {
    let Some(request) = decoded::<v1::VerifyRequest>(bytes) else { return };
    let Ok(aim) = aim(request.problem.as_ref().and_then(|problem| problem.aim)) else { return };
    if let Some(instance) = request.problem.and_then(problem) {
        let mut reader = Reader::new(&instance.names, aim.objective);
        reader.take_in(&request.pairs, request.proof);
        let _ = reader.finish();
    }
}

fn repair(bytes: &[u8]) {
    let Some(request) = decoded::<v1::RepairRequest>(bytes) else { return };
    if let Some(instance) = request.problem.and_then(problem) {
        let (known, gone) = published(&instance.names, &request.published);
        assert!(known.len() as u64 + gone <= request.published.len() as u64, "published pairs are invented");
    }
}

/// The problem of a message, if it is accepted.
fn problem(message: v1::AssignmentProblem) -> Option<Instance> {
    let coverage_first = !message.aim.is_some_and(|aim| aim.total_only);
    let mut people = message.clone();
    let pairs = v1::AssignmentProblem {
        candidates: std::mem::take(&mut people.candidates),
        decisions: std::mem::take(&mut people.decisions),
        ..v1::AssignmentProblem::default()
    };
    let read = |parts: Vec<v1::AssignmentProblem>| {
        let mut builder = Builder::default();
        parts.into_iter().for_each(|part| take_in(&mut builder, part));
        finish(builder, coverage_first).ok()
    };
    let (whole, in_parts) = (read(vec![message]), read(vec![people, pairs]));
    assert_eq!(whole.is_some(), in_parts.is_some(), "a problem in parts is another problem");
    whole
}

fn profile(bytes: &[u8]) {
    let Some(message) = decoded::<v1::Profile>(bytes) else { return };
    let draft_in = draft(message);
    let Ok(me) = ProfileRef::from_name(&draft_in.name) else { return };
    let now: Timestamp = "2027-01-15T12:00:00Z".parse().expect("a good time");
    let Ok(profile) = Profile::parse(&me, &draft_in, now) else { return };
    let sent = message_of_draft(profile.to_draft(&me));
    let again = Profile::parse(&me, &draft(sent), now).expect("an accepted profile is accepted again");
    assert_eq!(again, profile, "a profile changes on its way through the message");
}

/// A message, if the bytes are one; what is encoded again is the same message.
fn decoded<M: Message + Default + PartialEq + Clone>(bytes: &[u8]) -> Option<M> {
    let message = M::decode(bytes).ok()?;
    let again = M::decode(message.encode_to_vec().as_slice()).expect("an encoded message is a message");
    assert!(again == message, "a message changes when it is encoded and decoded");
    Some(message)
}
