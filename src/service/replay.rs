//! The replay of a run: its frozen snapshot is solved again, and nothing is written.
//!
//! Output: whether the same bytes came out. The digests that cover private answers are compared inside the service; a
//! coordinator reads those of what she can read.

use super::run::parse_run;
use super::solver::Work;
use super::{Action, Service};
use crate::domain::caller::Caller;
use crate::domain::name::RunRef;
use crate::domain::run::Digests;
use crate::engine::observer::Observer;
use crate::engine::{self, ENGINE_VERSION, Options};
use crate::error::{Error, Result};
use crate::store::{LoadedSnapshot, SavedResult, Scope};

/// Result of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayedRun {
    /// Whether the snapshot is unchanged and the same result came out, with its private part and its proof.
    pub same: bool,
    /// Whether the snapshot is the one that was frozen.
    pub input_unchanged: bool,
    /// Digest of the open result, keyed with the salt of the round, as it was saved.
    pub saved_digest: String,
    /// The same digest of the result that came out now.
    pub digest: String,
}

impl Service {
    /// Solves the frozen snapshot of a run again. Replays, checks and problems of callers take turns; runs wait for none of
    /// them.
    pub async fn replay_run(&self, caller: &Caller, name: &str) -> Result<Work<ReplayedRun>> {
        let permit = Action::ReplayRun.permit(caller)?;
        let name = parse_run("name", name)?;
        // The replay reads private answers and answers with their digests' keyed forms only.
        let (saved, loaded) = self.saved_run(&permit.scope, &name).await?;
        if saved.run.engine_version != ENGINE_VERSION {
            return Err(Error::EngineChanged {
                run: name.name(),
                version: saved.run.engine_version,
                present: ENGINE_VERSION,
            });
        }
        if loaded.seals.is_erased() {
            return Err(Error::InputErased(name.name()));
        }
        if let Some(followed) = loaded.snapshot.follows.as_ref().filter(|_| loaded.lacks_followed) {
            // Its pairs were purged with it, and the result depends on them.
            let number = followed.number;
            return Err(Error::NotFound(RunRef { round: name.round.clone(), number }.name()));
        }
        Ok(Work::start(self, caller, move |observer| replay(&saved, &loaded, observer)))
    }

    /// The whole result of a run that succeeded and its frozen snapshot, private answers too. `scope` decides how a run
    /// without a result is answered.
    pub(super) async fn saved_run(
        &self,
        scope: &Scope,
        name: &RunRef,
    ) -> Result<(SavedResult, LoadedSnapshot)> {
        let Some(saved) = self.store.saved_result(&Scope::System, name).await? else {
            return Err(self.not_succeeded(scope, name).await?);
        };
        Ok((saved, self.store.load_snapshot(&Scope::System, name).await?))
    }

    /// The error of a call that needs the result of a run that has none.
    pub(super) async fn not_succeeded(&self, scope: &Scope, name: &RunRef) -> Result<Error> {
        let state = self.store.run(scope, name).await?.state;
        Ok(Error::RunState { run: name.name(), state: state.as_str(), required: &["succeeded"] })
    }
}

fn replay(
    saved: &SavedResult,
    LoadedSnapshot { snapshot, seals, digest, .. }: &LoadedSnapshot,
    observer: &dyn Observer,
) -> Result<ReplayedRun> {
    let outcome = engine::solve(snapshot, &Options::default(), observer).map_err(|_| Error::Cancelled)?;
    let Digests { open_input, open_result, whole_result } = outcome.digests(snapshot, seals);
    let input_unchanged =
        *digest == saved.run.input_digest && saved.salt.keyed(&open_input) == saved.shown.input_digest;
    let (saved_digest, digest) = (saved.shown.result_digest.clone(), saved.salt.keyed(&open_result));
    let same = input_unchanged && digest == saved_digest && whole_result == saved.run.result_digest;
    Ok(ReplayedRun { same, input_unchanged, saved_digest, digest })
}
