mod curated;
mod generator;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};

use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday, date};
use jiff::tz::TimeZone;

use self::generator::write_sample;
use super::{Alliance, sample, synthesise};
use crate::domain::language::LanguageLevel;
use crate::domain::name::ProfileRef;
use crate::domain::organisation::OrganisationContent;
use crate::domain::profile::{ConsentPurpose, Language, Profile, ProfileDraft};
use crate::domain::vocabulary::Region;

/// A moment before the sample's round, when its profiles must be right.
fn now() -> Timestamp {
    "2026-11-01T00:00:00Z".parse().expect("a time")
}

/// Everybody, ordered by organisation and id.
fn profiles(alliance: &Alliance) -> impl Iterator<Item = ProfileDraft> + '_ {
    (0..alliance.organisations.len()).flat_map(|organisation| alliance.profiles_of(organisation))
}

fn parsed(alliance: &Alliance) -> Vec<(ProfileRef, Profile)> {
    let parse = |draft: ProfileDraft| {
        let me = ProfileRef::from_name(&draft.name).expect("a name");
        let profile = Profile::parse(&me, &draft, now()).unwrap_or_else(|wrong| panic!("{me}: {wrong:?}"));
        (me, profile)
    };
    profiles(alliance).map(parse).collect()
}

fn works_in(profile: &Profile) -> BTreeSet<&str> {
    profile
        .languages
        .iter()
        .filter(|spoken| spoken.level >= LanguageLevel::B2)
        .map(Language::primary)
        .collect()
}

fn mentors(people: &[(ProfileRef, Profile)]) -> Vec<&(ProfileRef, Profile)> {
    people.iter().filter(|(_, profile)| profile.mentor_offer.is_some()).collect()
}

fn mentees(people: &[(ProfileRef, Profile)]) -> Vec<&(ProfileRef, Profile)> {
    people.iter().filter(|(_, profile)| profile.mentee_request.is_some()).collect()
}

/// Run once with `WIM_MATCH_WRITE_SAMPLE=1` after a change of the generator.
#[test]
fn the_sample_files_are_what_the_generator_makes_byte_for_byte() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
    if env::var_os("WIM_MATCH_WRITE_SAMPLE").is_some() {
        write_sample(&shipped).expect("the sample can be written");
    }
    let fresh = tempfile::tempdir().expect("a folder");
    write_sample(fresh.path()).expect("the sample can be written");
    let names = |folder: &Path| -> BTreeSet<String> {
        let entries = fs::read_dir(folder.join("profiles")).expect("a folder");
        entries
            .map(|entry| format!("profiles/{}", entry.expect("an entry").file_name().to_string_lossy()))
            .collect()
    };
    assert_eq!(names(&shipped), names(fresh.path()));
    for name in names(fresh.path()).iter().map(String::as_str).chain(["organisations.csv"]) {
        let [ours, theirs] =
            [&shipped, &fresh.path().to_path_buf()].map(|folder| fs::read(folder.join(name)).expect(name));
        assert!(ours == theirs, "sample/{name} is not what the generator makes");
    }
}

#[test]
fn the_sample_is_as_large_and_as_wide_as_promised() {
    let sample = sample();
    let people = parsed(&sample);
    assert_eq!((mentees(&people).len(), mentors(&people).len()), (112, 90));
    assert!(sample.organisations.len() >= 24);
    for organisation in &sample.organisations {
        let content =
            OrganisationContent::parse(&organisation.id, &organisation.draft).expect("a good organisation");
        assert!(content.display_name.ends_with("(synthetic sample)"));
    }
    for (draft, (me, profile)) in profiles(&sample).zip(&people) {
        assert_eq!(draft, profile.to_draft(me), "a row of the sample is written as an export would write it");
    }
    assert!(sample.organisations.iter().any(|organisation| organisation.draft.same_organisation_only));
    assert!(
        sample.organisations.iter().any(|organisation| !organisation.draft.excluded_organisations.is_empty())
    );
    let countries: BTreeSet<&str> = people.iter().map(|(_, profile)| profile.country.code()).collect();
    assert!(countries.len() >= 33, "{} countries", countries.len());
    let regions: BTreeSet<&str> = people.iter().map(|(_, profile)| profile.country.region().code()).collect();
    let wanted = "005 011 013 014 015 017 018 021 030 034 035 039 053 054 143 145 151 154 155";
    assert_eq!(regions, wanted.split(' ').collect());
    assert!(wanted.split(' ').all(|code| Region::from_code(code).is_some()));
    let languages: BTreeSet<&str> = people.iter().flat_map(|(_, profile)| works_in(profile)).collect();
    assert!(
        ["en", "fr", "es", "pt", "mn", "qu", "ru", "sw", "zu", "id"]
            .iter()
            .all(|tag| languages.contains(tag)),
        "{languages:?}"
    );
}

#[test]
fn the_sample_has_every_kind_of_answer_and_of_silence() {
    let people = parsed(&sample());
    let count = |is: &dyn Fn(&Profile) -> bool| people.iter().filter(|(_, profile)| is(profile)).count();
    let at_least = |least: usize, what: &str, is: &dyn Fn(&Profile) -> bool| {
        let found = count(is);
        assert!(found >= least, "{found} {what}");
    };
    at_least(6, "in both roles", &|p| p.mentor_offer.is_some() && p.mentee_request.is_some());
    at_least(12, "rosters", &|p| p.roster.is_some());
    for zone in [
        "Australia/Darwin",
        "Australia/Adelaide",
        "Asia/Kolkata",
        "America/St_Johns",
        "America/Santiago",
        "Australia/Sydney",
        "America/Toronto",
        "Europe/London",
    ] {
        at_least(1, zone, &|p| p.time_zone == zone);
    }
    at_least(10, "without hours", &|p| p.weekly_slots.is_empty());
    at_least(10, "without stage", &|p| p.career_stage.is_none());
    at_least(10, "without functions", &|p| p.functions.is_empty());
    at_least(10, "without ways of meeting", &|p| p.meeting_modes.is_empty());
    at_least(20, "without employer", &|p| p.employer.is_none());
    at_least(5, "mentors without topics", &|p| p.mentor_offer.is_some_and(|offer| offer.topics.is_empty()));
    at_least(5, "mentees without topics", &|p| {
        p.mentee_request.is_some_and(|request| request.topics.is_empty())
    });
    at_least(3, "minimum places", &|p| p.mentor_offer.is_some_and(|offer| offer.min_mentees == Some(2)));
    at_least(2, "who want two mentors", &|p| {
        p.mentee_request.is_some_and(|request| request.mentors_wanted == Some(2))
    });
    at_least(8, "who wait", &|p| p.mentee_request.is_some_and(|request| request.waiting_since.is_some()));
    at_least(4, "identity wishes", &|p| p.identity.is_some_and(|identity| !identity.wishes.is_empty()));
    at_least(4, "preferences", &|p| !p.preferred.is_empty());
    at_least(2, "reporting lines", &|p| !p.reporting_line.is_empty());
    at_least(2, "without a live consent", &|p| !p.consents_to(ConsentPurpose::Matching, now()));
    assert!(count(&|p| !p.consents_to(ConsentPurpose::Matching, now())) <= 6, "nearly everybody consents");
    at_least(1, "renewed consents", &|p| p.consents.len() >= 2 && p.identity.is_none());
    let by_name: BTreeMap<&ProfileRef, &Profile> = people.iter().map(|(me, profile)| (me, profile)).collect();
    let mutual = |list: fn(&Profile) -> &Vec<ProfileRef>| {
        let both_ways = |me: &ProfileRef, other: &ProfileRef| list(by_name[other]).contains(me);
        people
            .iter()
            .flat_map(|(me, profile)| list(profile).iter().map(move |other| (me, other)))
            .partition::<Vec<_>, _>(|(me, other)| both_ways(me, other))
    };
    let (mutual_avoid, one_sided_avoid) = mutual(|profile| &profile.avoided);
    assert!(
        mutual_avoid.len() >= 4 && !one_sided_avoid.is_empty(),
        "{} and {}",
        mutual_avoid.len(),
        one_sided_avoid.len()
    );
    let (partners, one_sided) = mutual(|profile| &profile.previous_partners);
    assert!(partners.len() >= 4 && one_sided.is_empty(), "{} and {}", partners.len(), one_sided.len());
}

#[test]
fn mongolian_is_scarce_and_some_people_cannot_be_served() {
    let people = parsed(&sample());
    let only = |profile: &Profile, tag: &str| works_in(profile) == BTreeSet::from([tag]);
    let mentees = mentees(&people);
    let mentors = mentors(&people);
    let mentors_in =
        |tag: &'static str| mentors.iter().filter(move |(_, profile)| works_in(profile).contains(tag));
    assert_eq!(mentees.iter().filter(|(_, profile)| only(profile, "mn")).count(), 3);
    assert_eq!(
        mentors_in("mn")
            .map(|(_, profile)| profile.mentor_offer.expect("an offer").max_mentees)
            .collect::<Vec<_>>(),
        [1]
    );
    assert_eq!(mentees.iter().filter(|(_, profile)| only(profile, "ho")).count(), 1);
    assert_eq!(mentors_in("ho").count(), 0);
    let employers: BTreeSet<_> = mentors_in("ru").map(|(_, profile)| profile.employer.clone()).collect();
    assert_eq!(employers.len(), 1, "{employers:?}");
    assert!(mentees.iter().any(|(_, profile)| only(profile, "ru") && employers.contains(&profile.employer)));
    let (_, far) =
        mentees.iter().find(|(_, profile)| profile.country.code() == "GW").expect("the mentee far away");
    assert!(only(far, "pt") && far.meeting_modes.in_person && !far.meeting_modes.by_call);
    assert!(mentors.iter().all(|(_, profile)| profile.country.code() != "GW"));
    assert!(
        mentors_in("pt")
            .all(|(_, profile)| profile.meeting_modes.by_call && !profile.meeting_modes.in_person)
    );
}

/// Half hours of the week, in UTC, in which someone can meet on the days of `week`.
fn hours(profile: &Profile, monday: jiff::civil::Date) -> BTreeSet<i64> {
    let zone = TimeZone::get(&profile.time_zone).expect("a zone");
    assert_eq!(monday.weekday(), Weekday::Monday);
    let midnight: DateTime = monday.into();
    let half_hours = profile.weekly_slots.iter().flat_map(|slot| {
        (slot.start..slot.end).map(move |half_hour| i64::from(slot.day) * 48 + i64::from(half_hour))
    });
    let at = |half_hour: i64| midnight.saturating_add(jiff::SignedDuration::from_mins(30 * half_hour));
    let moment = |half_hour| at(half_hour).to_zoned(zone.clone()).expect("a moment").timestamp().as_second();
    half_hours.map(|half_hour| moment(half_hour).rem_euclid(7 * 86_400) / 1_800).collect()
}

/// The hard rules of the default policy, written down again as plainly as possible; rosters are left out.
fn candidates(alliance: &Alliance, people: &[(ProfileRef, Profile)]) -> Vec<Vec<usize>> {
    let mondays = [date(2027, 1, 18), date(2027, 4, 5), date(2027, 7, 12)];
    let weeks: Vec<[BTreeSet<i64>; 3]> =
        people.iter().map(|(_, profile)| mondays.map(|monday| hours(profile, monday))).collect();
    let rules: BTreeMap<_, _> = alliance.organisations.iter().map(|o| (&o.id, &o.draft)).collect();
    let allows = |a: &ProfileRef, b: &ProfileRef| {
        let draft = rules[&a.organisation];
        (!draft.same_organisation_only || a.organisation == b.organisation)
            && !draft.excluded_organisations.contains(&b.organisation.name())
    };
    let differ = |a: &Option<String>, b: &Option<String>| a.is_none() || a != b;
    let allowed = |i: usize, j: usize| {
        let ((mentee_ref, mentee), (mentor_ref, mentor)) = (&people[i], &people[j]);
        let (a, b) = (mentee.meeting_modes, mentor.meeting_modes);
        let gap = mentor
            .career_stage
            .zip(mentee.career_stage)
            .map(|(above, below)| i16::from(above) - i16::from(below));
        let named = |list: &dyn Fn(&Profile) -> &Vec<ProfileRef>| {
            list(mentee).contains(mentor_ref) || list(mentor).contains(mentee_ref)
        };
        i != j
            && [mentee, mentor].iter().all(|profile| profile.consents_to(ConsentPurpose::Matching, now()))
            && differ(&mentee.employer, &mentor.employer)
            && differ(&mentee.competitor_group, &mentor.competitor_group)
            && !works_in(mentee).is_disjoint(&works_in(mentor))
            && (mentee.weekly_slots.is_empty()
                || mentor.weekly_slots.is_empty()
                || weeks[i].iter().zip(&weeks[j]).all(|(x, y)| !x.is_disjoint(y)))
            && gap.is_none_or(|gap| (0..=5).contains(&gap))
            && (a.is_empty() || b.is_empty() || a.by_call && b.by_call || a.in_person && b.in_person)
            && !named(&|profile| &profile.avoided)
            && !named(&|profile| &profile.previous_partners)
            && !named(&|profile| &profile.reporting_line)
            && allows(mentee_ref, mentor_ref)
            && allows(mentor_ref, mentee_ref)
    };
    (0..people.len())
        .map(|i| match people[i].1.mentee_request {
            Some(_) => {
                (0..people.len()).filter(|j| people[*j].1.mentor_offer.is_some() && allowed(i, *j)).collect()
            }
            None => Vec::new(),
        })
        .collect()
}

/// Seats `mentee`, moving others if need be (Kuhn's augmenting paths).
fn seat(
    mentee: usize,
    candidates: &[Vec<usize>],
    people: &[(ProfileRef, Profile)],
    seats: &mut Vec<Vec<usize>>,
    seen: &mut Vec<bool>,
) -> bool {
    for mentor in candidates[mentee].clone() {
        if std::mem::replace(&mut seen[mentor], true) {
            continue;
        }
        let places = people[mentor].1.mentor_offer.expect("a mentor").max_mentees;
        if seats[mentor].len() < usize::from(places) {
            seats[mentor].push(mentee);
            return true;
        }
        for at in 0..seats[mentor].len() {
            if seat(seats[mentor][at], candidates, people, seats, seen) {
                seats[mentor][at] = mentee;
                return true;
            }
        }
    }
    false
}

#[test]
fn most_mentees_of_the_sample_can_be_matched_but_not_all() {
    let sample = sample();
    let people = parsed(&sample);
    let candidates = candidates(&sample, &people);
    let mut seats = vec![Vec::new(); people.len()];
    let matched = (0..people.len())
        .filter(|mentee| seat(*mentee, &candidates, &people, &mut seats, &mut vec![false; people.len()]))
        .count();
    let without = people
        .iter()
        .zip(&candidates)
        .filter(|((_, p), c)| p.mentee_request.is_some() && c.is_empty())
        .count();
    let mut degrees: Vec<usize> = candidates.iter().map(Vec::len).filter(|degree| *degree > 0).collect();
    degrees.sort_unstable();
    let places: u32 =
        people.iter().filter_map(|(_, p)| p.mentor_offer).map(|offer| u32::from(offer.max_mentees)).sum();
    let told = format!(
        "{matched} of 112 can be matched, {without} have no candidate, degrees {degrees:?}, {places} places"
    );
    assert!((97..=104).contains(&matched), "{told}");
    assert!((4..=9).contains(&without), "{told}");
    assert!(degrees[degrees.len() / 2] >= 8, "{told}");
}

#[test]
fn a_synthetic_alliance_is_valid_and_the_same_every_time_and_person_by_person() {
    let alliance = synthesise(3_000, 7);
    let people = parsed(&alliance);
    assert_eq!(people.len(), 3_000);
    assert!(
        people.is_sorted_by(|(a, _), (b, _)| a < b),
        "ordered by organisation and own id, without repeats"
    );
    let again: Vec<ProfileDraft> = profiles(&synthesise(3_000, 7)).collect();
    assert!(again.iter().eq(&profiles(&alliance).collect::<Vec<_>>()));
    let other: Vec<ProfileDraft> = profiles(&synthesise(3_000, 8)).collect();
    assert!(again != other);
    let known: BTreeSet<&ProfileRef> = people.iter().map(|(me, _)| me).collect();
    for (me, profile) in &people {
        let named =
            [&profile.preferred, &profile.avoided, &profile.previous_partners, &profile.reporting_line];
        assert!(
            named.iter().all(|list| list.iter().all(|other| known.contains(other))),
            "{me} names a stranger"
        );
    }
    let last = synthesise(1_000_000, 7).profiles_of(35).last().expect("somebody");
    assert_eq!(last.name, "organisations/wim-zambia/profiles/ZM-25510");
}
