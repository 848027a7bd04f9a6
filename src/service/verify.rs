//! The check of a run's proof inside the service.
//!
//! The certificate of a run contains private points, so that no caller gets it. A coordinator asks for the check instead:
//! the certifier, which shares no code with the solver, checks the stored matches against the stored certificate over the
//! frozen snapshot, and the digests of input and result are computed again.

use super::run::parse_run;
use super::solver::Work;
use super::{Action, Service};
use crate::domain::caller::Caller;
use crate::domain::name::{ProfileRef, RunRef};
use crate::domain::run::{Digests, Match, Proof};
use crate::domain::snapshot::Snapshot;
use crate::engine::observer::Observer;
use crate::engine::{self, Options, ResultParts, RunCertificate};
use crate::error::{Error, Result};
use crate::store::{LoadedSnapshot, SavedResult};

/// Result of the check of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRun {
    /// The run.
    pub run: RunRef,
    /// What the certificate proves of the matches over the frozen snapshot; `None` if a person who took part was erased,
    /// because the proof needs the answers of everybody, or if the run that it follows was purged.
    pub proof: Option<Proof>,
    /// Whether the snapshot is the one that was frozen.
    pub input_unchanged: bool,
    /// Whether the result is the one that was saved.
    pub result_unchanged: bool,
    /// Digest of the open input, keyed with the salt of the round, computed again.
    pub input_digest: String,
    /// Digest of the open result, keyed in the same way, computed again.
    pub result_digest: String,
}

impl Service {
    /// Checks the stored result of a run from scratch. Runs wait for no check; checks and problems of callers take turns.
    pub async fn verify_run(&self, caller: &Caller, name: &str) -> Result<Work<VerifiedRun>> {
        let permit = Action::VerifyRun.permit(caller)?;
        let name = parse_run("name", name)?;
        // The check reads private answers and answers with their digests' keyed forms only.
        let (saved, loaded) = self.saved_run(&permit.scope, &name).await?;
        Ok(Work::start(self, caller, move |observer| check(name, saved, &loaded, observer)))
    }
}

fn check(
    run: RunRef,
    saved: SavedResult,
    LoadedSnapshot { snapshot, seals, digest, lacks_followed }: &LoadedSnapshot,
    observer: &dyn Observer,
) -> Result<VerifiedRun> {
    let SavedResult { run: internal, shown, summaries, unmatched, unmatched_for_managers, salt, .. } = saved;
    let Some(summary) = shown.summary else {
        return Err(Error::internal("a run that succeeded has no summary"));
    };
    let is_erased = seals.is_erased();
    let proof = if is_erased || *lacks_followed {
        None
    } else {
        Some(proved(snapshot, &saved.matches, &saved.certificate, observer)?)
    };
    let parts = ResultParts {
        matches: &saved.matches,
        unmatched: &unmatched,
        unmatched_for_managers: &unmatched_for_managers,
        summary: &summary,
        summaries: &summaries,
        certificate: (!is_erased).then_some(&saved.certificate),
    };
    let Digests { open_input, open_result, whole_result } = engine::digests(&parts, snapshot, seals);
    let (input_digest, result_digest) = (salt.keyed(&open_input), salt.keyed(&open_result));
    Ok(VerifiedRun {
        run,
        proof,
        input_unchanged: *digest == internal.input_digest && input_digest == shown.input_digest,
        result_unchanged: whole_result == internal.result_digest && result_digest == shown.result_digest,
        input_digest,
        result_digest,
    })
}

/// What the stored certificate proves of the stored matches.
fn proved(
    snapshot: &Snapshot,
    matches: &[Match],
    certificate: &[u8],
    observer: &dyn Observer,
) -> Result<Proof> {
    let certificate: RunCertificate = serde_json::from_slice(certificate)
        .map_err(|_| Error::internal("the stored certificate of a run cannot be read"))?;
    let pairs: Vec<(ProfileRef, ProfileRef)> =
        matches.iter().map(|pair| (pair.mentee.clone(), pair.mentor.clone())).collect();
    engine::verify(snapshot, &pairs, &certificate, &Options::default(), observer)
        .map_err(|_| Error::Cancelled)
}
