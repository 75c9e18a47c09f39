//! What a source database is like, and what of it setup cannot repair.

use std::collections::BTreeMap;

use instashop_core::table::{ColumnKind, SourceDb, Table};
use tokio_postgres::Client;
use tokio_postgres::types::PgLsn;

use super::{PUBLICATION, slot_name};
use crate::StoreError;
use crate::postgres::failed;

/// Oldest server that is supported, as `server_version_num`.
const OLDEST: i32 = 140_000;

/// A source as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Which source.
    pub source: SourceDb,
    /// Version in words: `15.6`.
    pub version: String,
    /// Version as a number: `150006`.
    pub version_number: i32,
    /// `wal_level`; capture needs `logical`.
    pub wal_level: String,
    /// Identity of the server's data: another one means another server, and a new source generation.
    pub system_identifier: i64,
    /// Position of the log; lower than one seen before means that the log went back, and a new source generation.
    pub log_position: u64,
    /// Slots the server may have.
    pub max_slots: i64,
    /// Slots it has.
    pub slots: i64,
    /// WAL senders the server may have.
    pub max_senders: i64,
    /// WAL senders in use.
    pub senders: i64,
    /// `max_slot_wal_keep_size` in megabytes; -1 = no bound: a reader that is away fills the disk.
    pub slot_bound_mb: i64,
    /// True when the slot of this source's connector exists.
    pub has_slot: bool,
    /// The captured tables, in catalogue order.
    pub tables: Vec<TableState>,
    /// Published tables that are not captured; harmless.
    pub also_published: Vec<String>,
}

/// A captured table as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableState {
    /// The table.
    pub table: Table,
    /// False when the database has no such table; nothing else is known then.
    pub exists: bool,
    /// Columns of the catalogue the table does not have.
    pub missing: Vec<&'static str>,
    /// Columns beyond the catalogue; they are carried along.
    pub extra: Vec<String>,
    /// Columns of another type than expected, with the type found.
    pub odd: Vec<(String, String)>,
    /// True when the primary key is the column the catalogue names, alone.
    pub keyed: bool,
    /// True with `REPLICA IDENTITY FULL`.
    pub full_identity: bool,
    /// True when the publication holds it.
    pub published: bool,
    /// True when TRUNCATE is refused.
    pub guarded: bool,
}

/// Something setup cannot repair by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The table it concerns; `None` for the whole source.
    pub table: Option<Table>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
    /// False for a warning: capture works, at a risk.
    pub fatal: bool,
}

impl Inspection {
    /// What setup cannot repair, worst first.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |table, fatal, what: String, hint: &str| {
            faults.push(Fault {
                table,
                what,
                hint: hint.into(),
                fatal,
            });
        };
        if self.version_number < OLDEST {
            let what = format!("PostgreSQL {} is too old", self.version);
            fault(None, true, what, "use version 14 or later");
        }
        if self.wal_level != "logical" {
            let what = format!("wal_level is {}", self.wal_level);
            let hint = "set wal_level = logical in postgresql.conf and restart the server";
            fault(None, true, what, hint);
        }
        if !self.has_slot && self.slots >= self.max_slots {
            let what = format!("all {} replication slots are taken", self.max_slots);
            fault(
                None,
                true,
                what,
                "raise max_replication_slots, or drop a slot nobody reads",
            );
        }
        if !self.has_slot && self.senders >= self.max_senders {
            let what = format!("all {} WAL senders are taken", self.max_senders);
            fault(None, true, what, "raise max_wal_senders");
        }
        for state in &self.tables {
            let (table, name) = (Some(state.table), state.table.name());
            if !state.exists {
                let hint =
                    "create it, or check that this is the right database; docs/sources has the columns";
                fault(table, true, format!("table {name} does not exist"), hint);
                continue;
            }
            if !state.keyed {
                let what = format!("the primary key of {name} is not {} alone", state.table.key());
                let hint = "without it the changes of a row have no order: give the table this key";
                fault(table, true, what, hint);
            }
            for column in state
                .table
                .columns()
                .iter()
                .filter(|column| state.missing.contains(&column.name))
            {
                let what = format!("{name} has no column {}", column.name);
                let hint = if column.needed {
                    "numbers depend on it: add it, or check that this is the right database"
                } else {
                    "it counts as NULL"
                };
                fault(table, column.needed, what, hint);
            }
            for (column, kind) in &state.odd {
                let what = format!("{name}.{column} is of type {kind}");
                fault(
                    table,
                    false,
                    what,
                    "values that do not fit its meaning become dead letters",
                );
            }
        }
        if self.slot_bound_mb < 0 {
            let what = "max_slot_wal_keep_size has no bound".to_owned();
            let hint = "give it one: a connector that is away for long else fills the disk of the source";
            fault(None, false, what, hint);
        }
        faults.sort_by_key(|fault| !fault.fatal);
        faults
    }
}

const SERVER: &str = "
SELECT current_setting('server_version'), current_setting('server_version_num')::int, current_setting('wal_level'),
  (SELECT system_identifier FROM pg_control_system()),
  CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
  current_setting('max_replication_slots')::bigint, (SELECT count(*) FROM pg_replication_slots),
  current_setting('max_wal_senders')::bigint, (SELECT count(*) FROM pg_stat_replication),
  (SELECT setting::bigint FROM pg_settings WHERE name = 'max_slot_wal_keep_size'),
  EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)";

const TABLES: &str = "
SELECT c.relname::text, c.relreplident = 'f',
  coalesce((SELECT array_agg(a.attname::text) FROM pg_index i JOIN pg_attribute a
            ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary), '{}'),
  EXISTS (SELECT FROM pg_publication_tables p
          WHERE p.pubname = $2 AND p.schemaname = 'public' AND p.tablename = c.relname),
  EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = $3 AND t.tgenabled <> 'D'),
  array_agg(a.attname::text ORDER BY a.attnum), array_agg(format_type(a.atttypid, NULL) ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname = ANY ($1)
GROUP BY c.oid, c.relname, c.relreplident";

/// Looks at a source.
pub(super) async fn inspect(client: &Client, source: SourceDb) -> Result<Inspection, StoreError> {
    let what = format!("cannot inspect source {}", source.name());
    let fail = |error| failed(&what, error);
    let server = client
        .query_one(SERVER, &[&slot_name(source)])
        .await
        .map_err(fail)?;
    let names: Vec<&str> = source.tables().map(Table::name).collect();
    let rows = client
        .query(TABLES, &[&names, &PUBLICATION, &super::prepare::GUARD])
        .await
        .map_err(fail)?;
    let mut found: BTreeMap<String, TableState> = BTreeMap::new();
    for row in &rows {
        if let Some(table) = Table::from_name(row.get(0)) {
            found.insert(table.name().to_owned(), state(table, row));
        }
    }
    let published = client
        .query(
            "SELECT tablename::text FROM pg_publication_tables WHERE pubname = $1 AND schemaname = 'public' ORDER BY 1",
            &[&PUBLICATION],
        )
        .await
        .map_err(fail)?;
    Ok(Inspection {
        source,
        version: server.get(0),
        version_number: server.get(1),
        wal_level: server.get(2),
        system_identifier: server.get(3),
        log_position: server.get::<_, PgLsn>(4).into(),
        max_slots: server.get(5),
        slots: server.get(6),
        max_senders: server.get(7),
        senders: server.get(8),
        slot_bound_mb: server.get(9),
        has_slot: server.get(10),
        tables: source
            .tables()
            .map(|table| found.remove(table.name()).unwrap_or_else(|| absent(table)))
            .collect(),
        also_published: published
            .iter()
            .map(|row| row.get::<_, String>(0))
            .filter(|name| !names.contains(&name.as_str()) && name != super::SIGNAL_TABLE)
            .collect(),
    })
}

fn absent(table: Table) -> TableState {
    TableState {
        table,
        exists: false,
        missing: Vec::new(),
        extra: Vec::new(),
        odd: Vec::new(),
        keyed: false,
        full_identity: false,
        published: false,
        guarded: false,
    }
}

fn state(table: Table, row: &tokio_postgres::Row) -> TableState {
    let key: Vec<String> = row.get(2);
    let (names, kinds): (Vec<String>, Vec<String>) = (row.get(5), row.get(6));
    let columns = table.columns();
    let odd = columns.iter().filter_map(|column| {
        let kind = &kinds[names.iter().position(|name| name == column.name)?];
        (!fits(column.kind, kind)).then(|| (column.name.to_owned(), kind.clone()))
    });
    TableState {
        table,
        exists: true,
        missing: columns
            .iter()
            .map(|column| column.name)
            .filter(|column| names.iter().all(|name| name != column))
            .collect(),
        odd: odd.collect(),
        extra: names
            .iter()
            .filter(|name| table.column(name).is_none())
            .cloned()
            .collect(),
        keyed: key == [table.key()],
        full_identity: row.get(1),
        published: row.get(3),
        guarded: row.get(4),
    }
}

/// Types of a source column that carry the meaning of a kind without loss.
fn fits(kind: ColumnKind, found: &str) -> bool {
    match kind {
        ColumnKind::BigInt | ColumnKind::Int => ["smallint", "integer", "bigint"].contains(&found),
        ColumnKind::Money => ["numeric", "smallint", "integer", "bigint"].contains(&found),
        ColumnKind::Text => {
            ["text", "character varying", "character", "uuid"].contains(&found) || found == "name"
        }
        ColumnKind::Timestamp => ["timestamp without time zone", "timestamp with time zone"].contains(&found),
        ColumnKind::Json => ["jsonb", "json"].contains(&found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Inspection {
        Inspection {
            source: SourceDb::CrmDb,
            version: "15.6".into(),
            version_number: 150_006,
            wal_level: "logical".into(),
            system_identifier: 1,
            log_position: 1,
            max_slots: 10,
            slots: 0,
            max_senders: 10,
            senders: 0,
            slot_bound_mb: 1024,
            has_slot: false,
            tables: SourceDb::CrmDb
                .tables()
                .map(|table| TableState {
                    exists: true,
                    keyed: true,
                    ..absent(table)
                })
                .collect(),
            also_published: Vec::new(),
        }
    }

    type Spoil = fn(&mut Inspection);

    #[test]
    fn faults_name_what_setup_cannot_repair() {
        assert_eq!(good().faults(), []);
        let cases: [(&str, bool, Spoil); 8] = [
            ("wal_level is replica", true, |found| {
                found.wal_level = "replica".into();
            }),
            ("PostgreSQL 13.2 is too old", true, |found| {
                found.version_number = 130_002;
                found.version = "13.2".into();
            }),
            ("all 10 replication slots are taken", true, |found| {
                found.slots = 10;
            }),
            ("table interaction does not exist", true, |found| {
                found.tables[0].exists = false;
            }),
            (
                "the primary key of interaction is not interaction_id alone",
                true,
                |found| {
                    found.tables[0].keyed = false;
                },
            ),
            ("interaction has no column channel", false, |found| {
                found.tables[0].missing = vec!["channel"];
            }),
            ("interaction.status is of type money", false, |found| {
                found.tables[0].odd = vec![("status".into(), "money".into())];
            }),
            ("max_slot_wal_keep_size has no bound", false, |found| {
                found.slot_bound_mb = -1;
            }),
        ];
        for (expected, fatal, spoil) in cases {
            let mut found = good();
            spoil(&mut found);
            let faults = found.faults();
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert_eq!((faults[0].what.as_str(), faults[0].fatal), (expected, fatal));
            assert!(!faults[0].hint.is_empty());
        }
        let mut used = good();
        used.slots = 10;
        used.has_slot = true;
        assert_eq!(
            used.faults(),
            [],
            "the slot that is needed is one of those that exist"
        );
    }
}
