//! The caller: a principal with the roles of her live grants, from the credential and never from the request.

use super::grant::Role;

/// An authenticated caller. Her rights are the union of her roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Id of the principal, which the journal records as the actor.
    pub principal: String,
    /// The roles of her live grants, each once.
    pub roles: Vec<Role>,
}

/// Name of the operator at the machine, as the journal records her.
const OPERATOR: &str = "operator";

impl Caller {
    /// The operator at the machine itself, who acts as the Secretariat and has no credential.
    pub fn operator() -> Self {
        Self { principal: OPERATOR.to_owned(), roles: vec![Role::Secretariat] }
    }

    /// The caller, narrowed to one of her roles; `None` if she does not hold it.
    #[must_use]
    pub fn acting_as(self, role: &Role) -> Option<Self> {
        let roles = vec![role.clone()];
        self.roles.contains(role).then_some(Self { roles, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_acts_in_one_of_her_own_roles_and_in_no_other() {
        let role = |text: &str| text.parse::<Role>().expect("a role");
        let roles = vec![role("coordinator"), role("organisation-manager@wim-peru")];
        let caller = Caller { principal: "p".to_owned(), roles };
        let narrowed = caller.clone().acting_as(&role("organisation-manager@wim-peru"));
        assert_eq!(narrowed.map(|caller| caller.roles), Some(vec![role("organisation-manager@wim-peru")]));
        for other in ["organisation-manager@wim-kenya", "secretariat", "expert@wim-peru"] {
            assert_eq!(caller.clone().acting_as(&role(other)), None, "{other}");
        }
    }
}
