//! Plain SQL on the databases of the bed, as their owners.

use std::io::Cursor;
use std::pin::pin;
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr};
use futures::{SinkExt as _, TryStreamExt as _};
use instashop_core::config::Config;
use tokio_postgres::{Client, NoTls};

/// Bytes handed to the server at a time.
const COPY_PART: usize = 1 << 18;

/// Which database.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Database {
    /// Shops, buyers, products, orders, behaviour.
    Instashop,
    /// Interactions and segments.
    Crm,
    /// Stock.
    Erp,
    /// Carriers and shipments.
    Ecommerce,
    /// The warehouse.
    Warehouse,
}

/// A connection with a runtime of its own.
#[derive(Debug)]
pub(crate) struct Sql {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Sql {
    pub(crate) fn connect(config: &Config, database: Database) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .wrap_err("cannot make a runtime")?;
        let mut address = tokio_postgres::Config::new();
        let source = match database {
            Database::Instashop => Some(&config.sources.instashop),
            Database::Crm => Some(&config.sources.crm_db),
            Database::Erp => Some(&config.sources.erp_db),
            Database::Ecommerce => Some(&config.sources.ecommerce_db),
            Database::Warehouse => None,
        };
        match source {
            Some(source) => address
                .host(&source.host)
                .port(source.port)
                .dbname(&source.database)
                .user(&source.owner_user)
                .password(source.owner_password.reveal()),
            None => address
                .host(&config.warehouse.host)
                .port(config.warehouse.port)
                .dbname(&config.warehouse.database)
                .user(&config.warehouse.owner_user)
                .password(config.warehouse.owner_password.reveal()),
        };
        address.connect_timeout(Duration::from_secs(5));
        let client = runtime
            .block_on(async {
                let (client, connection) = address.connect(NoTls).await?;
                tokio::spawn(connection);
                Ok::<_, tokio_postgres::Error>(client)
            })
            .wrap_err_with(|| format!("cannot connect to {database:?}"))?;
        Ok(Self { runtime, client })
    }

    /// Runs statements.
    pub(crate) fn run(&self, sql: &str) -> Result<()> {
        self.runtime
            .block_on(self.client.batch_execute(sql))
            .wrap_err_with(|| sql.to_owned())
    }

    /// One value as text; NULL is empty.
    pub(crate) fn text(&self, sql: &str) -> Result<String> {
        let row = self
            .runtime
            .block_on(self.client.query_one(sql, &[]))
            .wrap_err_with(|| sql.to_owned())?;
        Ok(row.get::<_, Option<String>>(0).unwrap_or_default())
    }

    /// First column of each row as text, NULLs left out.
    pub(crate) fn texts(&self, sql: &str) -> Result<Vec<String>> {
        let rows = self
            .runtime
            .block_on(self.client.query(sql, &[]))
            .wrap_err_with(|| sql.to_owned())?;
        Ok(rows
            .iter()
            .filter_map(|row| row.get::<_, Option<String>>(0))
            .collect())
    }

    /// Everything that a `COPY ... TO STDOUT` gives.
    pub(crate) fn copy_out(&self, sql: &str) -> Result<Vec<u8>> {
        let all = self.runtime.block_on(async {
            let mut stream = pin!(self.client.copy_out(sql).await?);
            let mut all = Vec::new();
            while let Some(part) = stream.try_next().await? {
                all.extend_from_slice(&part);
            }
            Ok::<_, tokio_postgres::Error>(all)
        });
        all.wrap_err_with(|| sql.to_owned())
    }

    /// Hands bytes to a `COPY ... FROM STDIN`; gives the number of rows.
    pub(crate) fn copy_in(&self, sql: &str, data: &[u8]) -> Result<u64> {
        let rows = self.runtime.block_on(async {
            let mut sink = pin!(self.client.copy_in::<_, Cursor<Vec<u8>>>(sql).await?);
            for part in data.chunks(COPY_PART) {
                sink.send(Cursor::new(part.to_vec())).await?;
            }
            sink.as_mut().finish().await
        });
        rows.wrap_err_with(|| sql.to_owned())
    }
}
