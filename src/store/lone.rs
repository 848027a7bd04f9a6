//! A connection to PostgreSQL beside the pool: for the probe of readiness, and for the first contact with a server, whose
//! error names its cause. A connection that has failed or has not answered in time is closed.

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::Mutex;

/// The connection, made when it is needed.
#[derive(Debug)]
pub(super) struct LoneConnection {
    options: PgConnectOptions,
    held: Mutex<Option<PgConnection>>,
}

impl LoneConnection {
    /// Without a connection yet.
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self { options, held: Mutex::new(None) }
    }

    /// Makes the connection, once, so that the error of an unreachable server is the server's own.
    pub(super) async fn reach(&self) -> Result<(), sqlx::Error> {
        let mut held = self.held.lock().await;
        if held.is_none() {
            *held = Some(self.options.connect().await?);
        }
        Ok(())
    }

    /// Runs `text`, which writes durably and takes no values.
    pub(super) async fn write(&self, text: &'static str) -> Result<(), sqlx::Error> {
        let mut held = self.held.lock().await;
        // Taken out, so that a failure or the time limit closes it.
        let mut connection = match held.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        sqlx::raw_sql(text).execute(&mut connection).await?;
        *held = Some(connection);
        Ok(())
    }
}
