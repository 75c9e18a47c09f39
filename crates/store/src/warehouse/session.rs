//! A worker's connection with its prepared statements and the state of its transaction.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use instashop_core::config;
use tokio_postgres::{Client, SimpleQueryMessage, Statement};

use super::worker_client;
use crate::postgres::{Limits, broken, failed};
use crate::{Kind, StoreError};

/// A connection of the worker role.
pub(super) struct Session {
    pub(super) client: Client,
    statements: HashMap<String, Statement>,
    /// True from BEGIN until COMMIT or ROLLBACK was confirmed. A future that is dropped half way leaves it true, and the
    /// connection is then not used again.
    in_transaction: bool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("in_transaction", &self.in_transaction)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Connects and checks the schema version.
    pub(super) async fn open(config: &config::Warehouse, worker: &str) -> Result<Self, StoreError> {
        let application = format!("instashop warehouse {worker}");
        let limits = Limits {
            statement: Duration::from_mins(1),
            lock: Duration::from_secs(5),
            idle_in_transaction: Duration::from_secs(10),
            read_only: false,
        };
        let client = worker_client(config, &application, &limits).await?;
        Ok(Self {
            client,
            statements: HashMap::new(),
            in_transaction: false,
        })
    }

    /// False when the connection is gone or stands inside a forgotten transaction.
    pub(super) fn is_usable(&self) -> bool {
        !self.client.is_closed() && !self.in_transaction
    }

    /// A prepared statement, from the cache of this connection.
    pub(super) async fn statement(&mut self, text: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(text) {
            return Ok(statement.clone());
        }
        let prepared = self.client.prepare(text).await;
        let statement =
            prepared.map_err(|error| failed("cannot prepare a statement of the warehouse", error))?;
        self.statements.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }

    /// To be called before BEGIN is sent.
    pub(super) fn begins(&mut self) {
        self.in_transaction = true;
    }

    /// Ends a transaction without effect. When that cannot be confirmed, the connection is not used again.
    pub(super) async fn roll_back(&mut self) {
        if self.client.batch_execute("ROLLBACK").await.is_ok() {
            self.in_transaction = false;
        }
    }

    /// Commits and makes sure of it.
    ///
    /// PostgreSQL answers COMMIT of an aborted transaction with the tag ROLLBACK and without an error, and the client
    /// library does not hand out tags. So the same message asks what became of the transaction (`xid`, from
    /// `pg_current_xact_id`); anything but `committed` means that nothing was written.
    pub(super) async fn commit(&mut self, xid: &str) -> Result<(), StoreError> {
        let what = "cannot commit to the warehouse; whether it took place is not known";
        if !xid.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(broken(format!("{xid:?} is not a transaction id")));
        }
        let text = format!("COMMIT; SELECT pg_xact_status('{xid}')");
        let answer = self
            .client
            .simple_query(&text)
            .await
            .map_err(|error| failed(what, error))?;
        self.in_transaction = false;
        let status = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        match status {
            Some("committed") => Ok(()),
            other => Err(StoreError::new(
                Kind::Transient,
                format!(
                    "the warehouse did not commit: the transaction is {}",
                    other.unwrap_or("unknown")
                ),
            )),
        }
    }
}
