//! What the sources themselves say, in plain SQL that shares nothing with the product.

use instashop_core::config::{Config, Source};
use tokio_postgres::{Client, NoTls};

/// A connection to a source, or to the warehouse, as its owner, with a runtime of its own.
pub(crate) struct Oracle {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Oracle {
    pub(crate) fn connect(source: &Source) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime for the oracle");
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::Config::new()
                .host(&source.host)
                .port(source.port)
                .dbname(&source.database)
                .user(&source.owner_user)
                .password(source.owner_password.reveal())
                .connect(NoTls)
                .await
                .expect("connecting to a source as its owner");
            tokio::spawn(connection);
            client
        });
        Self { runtime, client }
    }

    pub(crate) fn sales(config: &Config) -> Self {
        Self::connect(&config.sources.instashop)
    }

    /// The warehouse, as its owner.
    pub(crate) fn warehouse(config: &Config) -> Self {
        let warehouse = &config.warehouse;
        Self::connect(&Source {
            host: warehouse.host.clone(),
            port: warehouse.port,
            database: warehouse.database.clone(),
            owner_user: warehouse.owner_user.clone(),
            owner_password: warehouse.owner_password.clone(),
            ..config.sources.instashop.clone()
        })
    }

    /// Runs statements.
    #[track_caller]
    pub(crate) fn execute(&self, sql: &str) {
        self.runtime
            .block_on(self.client.batch_execute(sql))
            .unwrap_or_else(|error| panic!("{error:?}: {sql}"));
    }

    /// One value as text; NULL is empty.
    #[track_caller]
    pub(crate) fn text(&self, sql: &str) -> String {
        let row = self
            .runtime
            .block_on(self.client.query_one(sql, &[]))
            .unwrap_or_else(|error| panic!("{error:?}: {sql}"));
        row.get::<_, Option<String>>(0).unwrap_or_default()
    }

    /// Revenue and number of sales of today in a zone: what the big numbers must say.
    pub(crate) fn today(&self, zone: &str) -> (String, i64) {
        let where_today = format!(
            "lower(btrim(status)) IN ('completed','refunded','chargeback') \
             AND (transaction_date AT TIME ZONE 'UTC' AT TIME ZONE '{zone}')::date = (now() AT TIME ZONE '{zone}')::date"
        );
        let revenue = self.text(&format!(
            "SELECT coalesce(sum(total_amount), 0)::numeric(14,2)::text FROM transaction WHERE {where_today}"
        ));
        let orders = self.text(&format!(
            "SELECT count(*)::text FROM transaction WHERE {where_today}"
        ));
        (revenue, orders.parse().expect("a count"))
    }
}
