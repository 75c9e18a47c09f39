//! What capture needs at a source, put in place step by step.

use instashop_core::config;
use instashop_core::table::{SourceDb, Table};
use tokio_postgres::{Client, Transaction};

use super::{PUBLICATION, SIGNAL_TABLE};
use crate::postgres::role::{Role, ensure as ensure_role};
use crate::postgres::{SetupStep, failed, quoted};
use crate::{Kind, StoreError};

/// Trigger against TRUNCATE: a truncate cannot be carried through a compacted topic, so rows would stay for ever in both
/// sinks (docs: cdc 3.4).
pub(super) const GUARD: &str = "instashop_no_truncate";

const GUARD_FUNCTION: &str = "
CREATE OR REPLACE FUNCTION public.instashop_no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'TRUNCATE of the captured table % is refused: change data capture cannot carry it', TG_TABLE_NAME
    USING HINT = 'use DELETE';
END
$$";

/// Puts everything in place in one transaction. With `commit` false it is taken back: the steps tell what would change.
pub(super) async fn prepare(
    client: &mut Client,
    source: SourceDb,
    config: &config::Source,
    commit: bool,
) -> Result<Vec<SetupStep>, StoreError> {
    if config.capture_user == config.owner_user {
        let what = format!(
            "source {}: owner_user and capture_user are the same role",
            source.name()
        );
        return Err(StoreError::new(Kind::Permanent, what).hint("give capture a role of its own"));
    }
    let what = format!("cannot prepare source {}", source.name());
    let fail = |error| failed(&what, error);
    let transaction = client.transaction().await.map_err(fail)?;
    let role = Role {
        name: &config.capture_user,
        password: &config.capture_password,
        replication: true,
    };
    let mut steps = ensure_role(&transaction, &role).await?;
    let names: Vec<&str> = source.tables().map(Table::name).collect();
    let rows = transaction
        .query(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
             AND relname = ANY ($1) ORDER BY array_position($1, relname::text)",
            &[&names],
        )
        .await
        .map_err(fail)?;
    let tables: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut work = Work {
        transaction: &transaction,
        tables: &tables,
        steps: Vec::new(),
    };
    work.signal_table().await.map_err(fail)?;
    work.rights(config).await.map_err(fail)?;
    work.identity().await.map_err(fail)?;
    work.publication().await.map_err(fail)?;
    work.guard().await.map_err(fail)?;
    steps.extend(work.steps);
    if commit {
        transaction.commit().await.map_err(fail)?;
    } else {
        transaction.rollback().await.map_err(fail)?;
    }
    Ok(steps)
}

struct Work<'a> {
    transaction: &'a Transaction<'a>,
    tables: &'a [String],
    steps: Vec<SetupStep>,
}

type Done = Result<(), tokio_postgres::Error>;

impl Work<'_> {
    /// Runs a statement if the question is answered with false, and notes the step.
    async fn make_so(&mut self, what: String, is_so: bool, statement: &str) -> Done {
        if !is_so {
            self.transaction.batch_execute(statement).await?;
        }
        self.steps.push(SetupStep::new(what, !is_so));
        Ok(())
    }

    async fn ask(
        &self,
        question: &str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<bool, tokio_postgres::Error> {
        Ok(self.transaction.query_one(question, parameters).await?.get(0))
    }

    /// Form and name as Debezium expects them.
    async fn signal_table(&mut self) -> Done {
        let exists = self
            .ask(
                "SELECT to_regclass('public.' || quote_ident($1)) IS NOT NULL",
                &[&SIGNAL_TABLE],
            )
            .await?;
        let statement = format!(
            "CREATE TABLE public.{SIGNAL_TABLE} (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))"
        );
        self.make_so(format!("table {SIGNAL_TABLE} exists"), exists, &statement)
            .await
    }

    async fn rights(&mut self, config: &config::Source) -> Done {
        let role = quoted(&config.capture_user);
        let user = &config.capture_user;
        let connects = self
            .ask(
                "SELECT has_database_privilege($1, current_database(), 'CONNECT')
                    AND has_schema_privilege($1, 'public', 'USAGE')",
                &[user],
            )
            .await?;
        let statement = format!(
            "DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO {}', current_database()); END $$;
             GRANT USAGE ON SCHEMA public TO {role}",
            role.replace('\'', "''").replace('%', "%%")
        );
        self.make_so(format!("role {user} may connect"), connects, &statement)
            .await?;
        for table in self.tables {
            let reads = self
                .ask(
                    "SELECT has_table_privilege($1, 'public.' || quote_ident($2), 'SELECT')",
                    &[user, table],
                )
                .await?;
            let statement = format!("GRANT SELECT ON public.{} TO {role}", quoted(table));
            self.make_so(format!("role {user} may read {table}"), reads, &statement)
                .await?;
        }
        // A connector marks the windows of an incremental snapshot in the signal table.
        let signals = self
            .ask(
                "SELECT has_table_privilege($1, 'public.' || quote_ident($2), 'SELECT')
                    AND has_table_privilege($1, 'public.' || quote_ident($2), 'INSERT')
                    AND has_table_privilege($1, 'public.' || quote_ident($2), 'DELETE')",
                &[user, &SIGNAL_TABLE],
            )
            .await?;
        let statement = format!("GRANT SELECT, INSERT, DELETE ON public.{SIGNAL_TABLE} TO {role}");
        self.make_so(
            format!("role {user} may write {SIGNAL_TABLE}"),
            signals,
            &statement,
        )
        .await
    }

    /// FULL makes the before-image a free detector of loss (docs: cdc 3.2).
    async fn identity(&mut self) -> Done {
        for table in self.tables {
            let full = self
                .ask(
                    "SELECT relreplident = 'f' FROM pg_class WHERE oid = ('public.' || quote_ident($1))::regclass",
                    &[table],
                )
                .await?;
            let statement = format!("ALTER TABLE public.{} REPLICA IDENTITY FULL", quoted(table));
            self.make_so(format!("{table} has replica identity FULL"), full, &statement)
                .await?;
        }
        Ok(())
    }

    /// Only inserts, updates and deletes are published; tables are added, never taken out.
    async fn publication(&mut self) -> Done {
        let known = self
            .transaction
            .query_opt(
                "SELECT puballtables, pubinsert AND pubupdate AND pubdelete AND NOT pubtruncate
                 FROM pg_publication WHERE pubname = $1",
                &[&PUBLICATION],
            )
            .await?;
        let what = format!("publication {PUBLICATION} exists");
        let create = format!("CREATE PUBLICATION {PUBLICATION} WITH (publish = 'insert, update, delete')");
        self.make_so(what, known.is_some(), &create).await?;
        let (all, right) = known.map_or((false, true), |row| (row.get(0), row.get(1)));
        let what = format!("publication {PUBLICATION} publishes inserts, updates and deletes");
        let alter = format!("ALTER PUBLICATION {PUBLICATION} SET (publish = 'insert, update, delete')");
        self.make_so(what, right, &alter).await?;
        let signal = SIGNAL_TABLE.to_owned();
        for table in self.tables.iter().chain([&signal]) {
            let published = all
                || self
                    .ask(
                        "SELECT EXISTS (SELECT FROM pg_publication_tables
                         WHERE pubname = $1 AND schemaname = 'public' AND tablename = $2)",
                        &[&PUBLICATION, table],
                    )
                    .await?;
            let statement = format!(
                "ALTER PUBLICATION {PUBLICATION} ADD TABLE public.{}",
                quoted(table)
            );
            self.make_so(
                format!("publication {PUBLICATION} holds {table}"),
                published,
                &statement,
            )
            .await?;
        }
        Ok(())
    }

    async fn guard(&mut self) -> Done {
        let mut function_made = false;
        for table in self.tables {
            let guarded = self
                .ask(
                    "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = ('public.' || quote_ident($1))::regclass
                     AND tgname = $2 AND tgenabled <> 'D')",
                    &[table, &GUARD],
                )
                .await?;
            if !guarded && !function_made {
                self.transaction.batch_execute(GUARD_FUNCTION).await?;
                function_made = true;
            }
            let name = quoted(table);
            let statement = format!(
                "DROP TRIGGER IF EXISTS {GUARD} ON public.{name};
                 CREATE TRIGGER {GUARD} BEFORE TRUNCATE ON public.{name}
                 FOR EACH STATEMENT EXECUTE FUNCTION public.instashop_no_truncate()"
            );
            self.make_so(format!("TRUNCATE of {table} is refused"), guarded, &statement)
                .await?;
        }
        Ok(())
    }
}
