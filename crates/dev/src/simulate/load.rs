//! Loading a history into the four sources by COPY, all or nothing in each.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::pin::pin;

use color_eyre::eyre::{Result, WrapErr, bail};
use futures::SinkExt;
use futures::future::try_join_all;
use instashop_core::config::Config;
use instashop_core::table::{SourceDb, Table};
use tokio_postgres::Client;

use super::ledger::Ledger;
use super::schema;
use super::source::{Use, connect};

/// Bytes handed to the server at a time.
const CHUNK: usize = 1 << 20;

/// The four sources, ready to be loaded.
pub(crate) struct Loader {
    clients: Vec<(SourceDb, Client)>,
}

/// What the sources hold before a history is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// No rows at all.
    Empty,
    /// Rows in these tables.
    Filled(Vec<Table>),
}

impl Loader {
    /// Connects to the sources and creates the tables that are missing; gives those as well.
    pub(crate) async fn open(config: &Config) -> Result<(Self, Vec<Table>)> {
        let mut clients = Vec::new();
        let mut created = Vec::new();
        for source in SourceDb::ALL {
            let client = connect(config, source, Use::Bulk).await?;
            created.extend(schema::ensure(&client, source).await?);
            clients.push((source, client));
        }
        Ok((Self { clients }, created))
    }

    /// Looks whether there are rows.
    pub(crate) async fn look(&self) -> Result<Found> {
        let mut filled = Vec::new();
        for (source, client) in &self.clients {
            filled.extend(schema::filled(client, *source).await?);
        }
        Ok(if filled.is_empty() {
            Found::Empty
        } else {
            Found::Filled(filled)
        })
    }

    /// Deletes all rows of all sources; gives how many.
    pub(crate) async fn reset(&self) -> Result<u64> {
        let deleted = try_join_all(self.clients.iter().map(|(source, client)| async move {
            client.batch_execute("BEGIN").await?;
            let deleted = schema::empty(client, *source)
                .await
                .wrap_err_with(|| format!("cannot empty the source {}", source.name()))?;
            client.batch_execute("COMMIT").await?;
            color_eyre::eyre::Ok(deleted)
        }))
        .await?;
        Ok(deleted.into_iter().sum())
    }

    /// The first keys a history may use.
    pub(crate) async fn first_ids(&self) -> Result<BTreeMap<Table, i64>> {
        let mut first = BTreeMap::new();
        for (source, client) in &self.clients {
            first.extend(schema::first_ids(client, *source).await?);
        }
        Ok(first)
    }

    /// Loads everything: the four sources at the same time, each in one transaction. Sales are committed last, so that
    /// a load that was cut off is told from a finished one.
    pub(crate) async fn load(&self, ledger: &Ledger) -> Result<()> {
        try_join_all(
            self.clients
                .iter()
                .map(|(source, client)| fill(client, *source, ledger)),
        )
        .await?;
        for (source, client) in self.clients.iter().rev() {
            client
                .batch_execute("COMMIT")
                .await
                .wrap_err_with(|| format!("the history was not committed in {}", source.name()))?;
        }
        // Statistics at once, so that the first queries of the shop use its indexes.
        try_join_all(
            self.clients
                .iter()
                .map(|(_, client)| client.batch_execute("ANALYZE")),
        )
        .await?;
        Ok(())
    }
}

async fn fill(client: &Client, source: SourceDb, ledger: &Ledger) -> Result<()> {
    client.batch_execute("BEGIN").await?;
    for table in source.tables() {
        let rows = copy(client, table, ledger.copy_text(table))
            .await
            .wrap_err_with(|| format!("cannot load the table {}", table.name()))?;
        if rows != ledger.rows(table) {
            bail!(
                "{} rows went into {}, expected {}",
                rows,
                table.name(),
                ledger.rows(table)
            );
        }
        if let Some(sequence) = schema::sequence(client, table).await? {
            schema::catch_up(client, table, &sequence).await?;
        }
    }
    Ok(())
}

async fn copy(client: &Client, table: Table, mut text: Vec<u8>) -> Result<u64> {
    let mut columns: Vec<&str> = table.columns().iter().map(|column| column.name).collect();
    if table == Table::Shipment {
        if schema::has_column(client, table, "carrier_id").await? {
            columns.push("carrier_id");
        } else {
            text = without_last_column(&text);
        }
    }
    let quoted: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    let statement = format!("COPY {} ({}) FROM STDIN", table.name(), quoted.join(", "));
    let mut sink = pin!(client.copy_in::<_, Cursor<Vec<u8>>>(&statement).await?);
    for chunk in text.chunks(CHUNK) {
        sink.send(Cursor::new(chunk.to_vec())).await?;
    }
    Ok(sink.finish().await?)
}

fn without_last_column(text: &[u8]) -> Vec<u8> {
    text.split_inclusive(|byte| *byte == b'\n')
        .flat_map(|line| {
            let end = line
                .iter()
                .rposition(|byte| *byte == b'\t')
                .unwrap_or(line.len() - 1);
            line[..end].iter().copied().chain(std::iter::once(b'\n'))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::without_last_column;

    #[test]
    fn the_last_column_is_cut_off() {
        assert_eq!(without_last_column(b"1\ta\t7\n2\tb\t\\N\n"), b"1\ta\n2\tb\n");
        assert_eq!(without_last_column(b""), b"");
    }
}
