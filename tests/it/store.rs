//! The store suite: every case runs on a real SQLite file and on a real PostgreSQL.

mod audit;
mod credential;
mod fixture;
mod import;
mod lease;
mod mentorship;
mod report;
mod result;
mod retention;
mod round;
mod run;
mod schema;
mod session;
mod statistics;
mod wall;

/// Emits every case for both databases.
macro_rules! on_both_databases {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case($crate::store::fixture::Fixture::sqlite().await).await;
            })+
        }

        mod postgresql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                // Without PostgreSQL, `postgres` has said so aloud.
                if let Some(fixture) = $crate::store::fixture::Fixture::postgresql().await {
                    super::$case(fixture).await;
                }
            })+
        }
    };
}

use on_both_databases;
