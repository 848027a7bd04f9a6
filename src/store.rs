//! The store: one store over two databases, SQLite by default and PostgreSQL by URL. The only importer of sqlx.
//!
//! Invariants:
//! - Every public function takes a [`Scope`], a [`Receipt`], or what was given out under one: a session, a claim, an
//!   import key. A read session supplies the organisations that its queries filter by; rows of another organisation are
//!   answered as if they did not exist.
//! - A change happens in a [`WriteSession`]: one transaction with its entries of the journal and the answer that is remembered by
//!   `request_id`. `commit` takes the [`Note`] that the change returned.
//! - What changes nothing that people decide or read as a result (leases, staged rows, remembered answers) needs no
//!   entry of the journal. Its statements have a type of their own, see `statement`.
//! - A statement has one text for both databases. `doctor` and a test have both databases check every statement.

mod ask;
mod audit;
mod backend;
mod call_sum;
mod check;
mod check_in;
mod checkpoint;
mod completion;
mod consent;
mod console_session;
mod consultation;
mod content;
mod copy;
mod credential;
mod decision;
mod dialect;
mod draft;
mod enrolment;
mod erasure;
mod event;
mod fault;
mod files;
mod idle;
mod import;
mod inspect;
mod invitation;
mod invited;
mod journal;
mod known_credentials;
mod lone;
mod measure;
mod membership;
mod mentorship;
mod migration;
mod obstacle;
mod one_profile;
mod organisation;
mod outcome;
mod pair_review;
mod participant;
mod place;
mod policy;
mod pool;
mod principal;
mod probe;
mod processing;
mod profile;
mod prune;
mod publication;
mod queue;
mod read;
mod reminder;
mod report;
mod report_facts;
mod restriction;
mod result;
mod retention;
mod reviewed_match;
mod rewrite;
mod round;
mod run;
mod scope;
mod seal;
mod session;
mod signals;
mod snapshot;
mod staleness;
mod statement;
mod submission;
mod waiting;
mod writer;

pub use backend::{Store, StoreOptions, sqlite_file};
pub use call_sum::CallSum;
pub use check::{Check, CheckResult};
pub use check_in::ExportedCheckIn;
pub use completion::RunOutcome;
pub use consultation::{ConsultationChange, NewAnswer};
pub use content::TableContent;
pub use credential::{NewCredential, OwnedCredential};
pub use decision::NewDecision;
pub use draft::Left;
pub use enrolment::{EnrolmentCheck, EnrolmentKey, NewEnrolment};
pub use erasure::NewErasure;
pub use idle::IdlePeople;
pub use import::{ImportCounts, ImportKey, Present, ReadyImport, StagedRow};
pub use journal::{JournalFilter, JournalPlace, Note, Notes};
pub use known_credentials::Known;
pub use membership::MembershipSet;
pub use mentorship::{MentorshipFilter, WantedStep};
pub use migration::newest_schema;
pub use obstacle::Obstacle;
pub use outcome::OutcomeOf;
pub use pair_review::NewComment;
pub use place::{Place, create_alone, real_path, sync_folder};
pub use pool::PoolCounts;
pub use principal::first_version;
pub use probe::Probe;
pub use queue::{ClaimedRun, Heartbeat, QueueLength};
pub use report::NewReport;
pub use result::{SavedResult, StoredMatch};
pub use scope::Scope;
pub use session::{Begun, Receipt, RequestKey, WriteSession};
pub use snapshot::{FrozenPair, LoadedSnapshot};
pub use submission::{Step, SubmissionEnd};
pub use waiting::{WaitingList, WaitingPlace};
