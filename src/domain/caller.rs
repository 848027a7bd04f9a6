//! The caller: a principal with the roles of her live grants, from the credential and never from the request.

use super::grant::Role;

/// Whether a principal is a person or a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A person, known by a handle that she chose.
    Person,
    /// A program.
    Service,
}

impl PrincipalKind {
    /// The kind as stored and printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
        }
    }
}

/// An authenticated caller. Her rights are the union of her roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Id of the principal, which the journal records as the actor.
    pub principal: String,
    /// The roles of her live grants, each once.
    pub roles: Vec<Role>,
}

impl Caller {
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
