//! Changes of some fields of a profile.

use super::ProfileDraft;

macro_rules! fields {
    ($($field:ident),+ $(,)?) => {
        /// The fields of a profile that a change may name, as the API spells them.
        pub const FIELDS: &[&str] = &[$(stringify!($field)),+];

        /// The present draft with these fields of the given one.
        #[must_use]
        pub fn patched(present: ProfileDraft, given: ProfileDraft, fields: &[&str]) -> ProfileDraft {
            let is_given = |field| fields.contains(&field);
            ProfileDraft {
                name: present.name,
                $($field: if is_given(stringify!($field)) { given.$field } else { present.$field },)+
            }
        }
    };
}

fields!(
    country,
    time_zone,
    weekly_slots,
    roster,
    languages,
    career_stage,
    functions,
    commodities,
    employer,
    competitor_group,
    reporting_line,
    meeting_modes,
    goals,
    working_styles,
    preferred,
    avoided,
    previous_partners,
    mentor_offer,
    mentee_request,
    identity,
    consents,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_fields_change_and_no_others() {
        let present = ProfileDraft {
            name: "a".to_owned(),
            country: "PE".to_owned(),
            goals: vec!["x".to_owned()],
            ..ProfileDraft::default()
        };
        let given =
            ProfileDraft { name: "b".to_owned(), country: "CL".to_owned(), ..ProfileDraft::default() };
        let changed = patched(present.clone(), given.clone(), &["country"]);
        assert_eq!(changed, ProfileDraft { country: "CL".to_owned(), ..present.clone() });
        let cleared = patched(present.clone(), given.clone(), &["goals"]);
        assert_eq!(cleared, ProfileDraft { goals: Vec::new(), ..present.clone() });
        let all = patched(present.clone(), given.clone(), FIELDS);
        assert_eq!(all, ProfileDraft { name: "a".to_owned(), ..given.clone() });
        assert_eq!(patched(present.clone(), given, &[]), present);
    }
}
