//! Permissions: the one table of roles and actions. The store's scope decides on the rows that a role may read or write.

use crate::domain::caller::{Caller, Role};
use crate::error::{Error, Result};

macro_rules! actions {
    ($(#[doc = $doc:literal] $action:ident = $method:literal: $coordinator:literal, $manager:literal;)+) => {
        /// An action of a caller: one per method of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action { $(#[doc = $doc] $action,)+ }

        impl Action {
            /// All actions.
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$action),+];

            /// The method as the API names it, `Service/Method`.
            pub fn method(self) -> &'static str {
                match self { $(Self::$action => $method,)+ }
            }

            /// Whether a coordinator and an organisation manager are permitted.
            fn allowed(self) -> (bool, bool) {
                match self { $(Self::$action => ($coordinator, $manager),)+ }
            }
        }
    };
}

actions! {
    // action                                                            coordinator, organisation manager
    /// Register an organisation.
    CreateOrganisation = "OrganisationService/CreateOrganisation":       true,  false;
    /// Read an organisation.
    GetOrganisation = "OrganisationService/GetOrganisation":             true,  true;
    /// List organisations.
    ListOrganisations = "OrganisationService/ListOrganisations":         true,  true;
    /// Import profiles.
    ImportProfiles = "ProfileService/ImportProfiles":                    false, true;
    /// Read a profile.
    GetProfile = "ProfileService/GetProfile":                            false, true;
    /// List profiles.
    ListProfiles = "ProfileService/ListProfiles":                        false, true;
    /// Export profiles.
    ExportProfiles = "ProfileService/ExportProfiles":                    false, true;
    /// Open a round.
    CreateRound = "RoundService/CreateRound":                            true,  false;
    /// Read a round.
    GetRound = "RoundService/GetRound":                                  true,  true;
    /// List rounds.
    ListRounds = "RoundService/ListRounds":                              true,  true;
    /// Enrol members.
    EnrolProfiles = "RoundService/EnrolProfiles":                        false, true;
    /// Start a run.
    StartRun = "RunService/StartRun":                                  true,  false;
    /// Read a run.
    GetRun = "RunService/GetRun":                                      true,  true;
    /// List runs.
    ListRuns = "RunService/ListRuns":                                  true,  true;
    /// Watch a run.
    WatchRun = "RunService/WatchRun":                                  true,  true;
    /// Cancel a run.
    CancelRun = "RunService/CancelRun":                                true,  false;
    /// Check the proof of a run.
    VerifyRun = "RunService/VerifyRun":                                true,  false;
    /// List matches.
    ListMatches = "RunService/ListMatches":                            true,  true;
    /// List people without a match.
    ListUnmatched = "RunService/ListUnmatched":                        true,  true;
    /// Explain a pair.
    ExplainPair = "RunService/ExplainPair":                            true,  true;
    /// Solve a problem that the caller brings.
    Solve = "SolverService/Solve":                                       true,  true;
    /// The same, of any size.
    SolveStream = "SolverService/SolveStream":                           true,  true;
    /// Check a result and its proof.
    Verify = "SolverService/Verify":                                     true,  true;
    /// The same, of any size.
    VerifyStream = "SolverService/VerifyStream":                         true,  true;
    /// Compute the cost of a change of a result.
    WhatIf = "SolverService/WhatIf":                                     true,  true;
    /// Repair a published result.
    Repair = "SolverService/Repair":                                     true,  true;
    /// Report shortages.
    Diagnose = "SolverService/Diagnose":                                 true,  true;
}

impl Action {
    /// `Ok` if the caller's role permits the action. Checked before the request is read (AIP-211).
    pub fn permit(self, caller: &Caller) -> Result<()> {
        let (coordinator, manager) = self.allowed();
        let allowed = match caller.role {
            Role::Coordinator => coordinator,
            Role::OrganisationManager(_) => manager,
        };
        if allowed {
            Ok(())
        } else {
            let required = if coordinator { Role::COORDINATOR } else { Role::ORGANISATION_MANAGER };
            Err(Error::PermissionDenied { role: caller.role.as_str(), action: self.method(), required })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::vocabulary::Lang;
    use crate::wording;

    #[test]
    fn every_method_of_the_contract_has_a_row_in_the_table_and_no_other_has() {
        use prost::Message as _;
        let set =
            prost_types::FileDescriptorSet::decode(crate::api::proto::DESCRIPTORS).expect("descriptors");
        let mut contract: Vec<String> = set
            .file
            .iter()
            .filter(|file| file.package() == "wim.mentorship.v1")
            .flat_map(|file| &file.service)
            .flat_map(|service| service.method.iter().map(|m| format!("{}/{}", service.name(), m.name())))
            .collect();
        let mut table: Vec<String> = Action::ALL.iter().map(|action| action.method().to_owned()).collect();
        contract.sort();
        table.sort();
        assert_eq!(contract, table);
    }

    #[test]
    fn every_action_and_role_has_words_in_every_language() {
        for lang in Lang::ALL {
            for action in Action::ALL {
                let (coordinator, manager) = action.allowed();
                let role = match (coordinator, manager) {
                    (true, true) => continue,
                    (true, false) => Role::OrganisationManager("wim-peru".parse().expect("an id")),
                    _ => Role::Coordinator,
                };
                let caller = Caller { token_id: "1".to_owned(), role };
                let denied = action.permit(&caller).expect_err("is denied").message();
                let words = wording::message(&denied, lang);
                let method = action.method().rsplit('/').next().expect("a method");
                let raw = [method, Role::COORDINATOR, Role::ORGANISATION_MANAGER];
                let raw = raw.iter().find(|code| words.contains(*code) && **code != "coordinator");
                assert_eq!(raw, None, "{}: {words}", lang.tag());
            }
        }
    }

    #[test]
    fn the_table_of_permissions_is_as_reviewed() {
        let row = |action: &Action| {
            let (coordinator, manager) = action.allowed();
            let yes = |allowed| if allowed { "yes" } else { "-" };
            format!("{:<42} {:<12} {}", action.method(), yes(coordinator), yes(manager))
        };
        let rows: Vec<String> = Action::ALL.iter().map(row).collect();
        insta::assert_snapshot!(rows.join("\n"));
    }
}
