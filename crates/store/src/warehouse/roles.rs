//! Roles of the warehouse and what each may do (docs: security section 3).
//!
//! | role | may |
//! |---|---|
//! | owner | DDL; used by setup alone |
//! | worker | read and write rows of raw, staging, history, marts, ops; read ref, core, semantic; temporary tables (verify); no DDL, DELETE only of health, marts and dirty keys |
//! | reader | read raw, history, ref, core, marts, semantic, and of ops what holds no record's bytes; no write |

use instashop_core::config;
use tokio_postgres::{Client, Transaction};

use crate::postgres::role::{Role, ensure as ensure_role};
use crate::postgres::{SetupStep, failed, quoted};
use crate::{Kind, StoreError};

/// Grants; `{worker}`, `{reader}` and `{database}` stand for quoted names. What a role should not have is taken back
/// first, so that a role that once had more loses it.
const GRANTS: &str = "
REVOKE TEMPORARY, CREATE ON DATABASE {database} FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA raw, staging, history, ref, core, marts, semantic, ops FROM {worker}, {reader};
REVOKE ALL ON SCHEMA raw, staging, history, ref, core, marts, semantic, ops FROM {worker}, {reader};
REVOKE ALL ON DATABASE {database} FROM {worker}, {reader};

GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {worker};
GRANT USAGE ON SCHEMA raw, staging, history, ref, core, marts, semantic, ops TO {worker};
GRANT SELECT, INSERT ON raw.realtime_events TO {worker};
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA staging, history TO {worker};
GRANT SELECT ON ALL TABLES IN SCHEMA ref, core, semantic TO {worker};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA marts TO {worker};
GRANT SELECT, INSERT, DELETE ON ops.dirty_keys TO {worker};
GRANT SELECT, INSERT, UPDATE ON ops.mart_refreshes, ops.etl_runs TO {worker};
GRANT SELECT, INSERT, UPDATE ON ops.offsets, ops.dead_letters TO {worker};
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.health TO {worker};
GRANT SELECT, INSERT ON ops.proofs TO {worker};
GRANT SELECT ON ops.sources, ops.migrations, ops.repeatables, ops.dead_letter_summary TO {worker};
GRANT EXECUTE ON FUNCTION ops.ensure_partitions(date[]), ops.drop_partitions(date), ops.analyze_facts() TO {worker};

GRANT CONNECT ON DATABASE {database} TO {reader};
GRANT USAGE ON SCHEMA raw, history, ref, core, marts, semantic, ops TO {reader};
GRANT SELECT ON raw.realtime_events TO {reader};
GRANT SELECT ON ALL TABLES IN SCHEMA history, ref, core, marts, semantic TO {reader};
GRANT SELECT ON ops.offsets, ops.health, ops.proofs, ops.sources, ops.migrations, ops.repeatables, ops.dirty_keys,
  ops.dead_letter_summary, ops.mart_refreshes, ops.etl_runs TO {reader};";

/// The rights of all our objects as one text: it changes when, and only when, a right changes. (A grant that is taken
/// back and given again moves to the end of its list, so the entries are sorted. Partitions are reached through their
/// parent and hold no right of their own; new ones come every day, which is no change.)
const RIGHTS: &str = "
SELECT coalesce(md5(string_agg(o || coalesce(a::text, ''), ',' ORDER BY o, a::text)), '') FROM (
  SELECT 'd' || d.oid AS o, unnest(d.datacl) AS a FROM pg_database d WHERE d.datname = current_database()
  UNION ALL SELECT 'n' || n.oid, unnest(n.nspacl) FROM pg_namespace n
  UNION ALL SELECT 'c' || c.oid, unnest(c.relacl) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('raw', 'staging', 'history', 'ref', 'core', 'marts', 'semantic', 'ops') AND NOT c.relispartition
  UNION ALL SELECT 'p' || p.oid, unnest(p.proacl) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname IN ('core', 'ops')) rights";

/// Makes the roles and gives them their rights, in one transaction. With `commit` false everything is tried and taken
/// back: the steps then tell what would change.
pub(super) async fn ensure(
    client: &mut Client,
    config: &config::Warehouse,
    commit: bool,
) -> Result<Vec<SetupStep>, StoreError> {
    let names = [&config.owner_user, &config.worker_user, &config.reader_user];
    if names[0] == names[1] || names[0] == names[2] || names[1] == names[2] {
        return Err(StoreError::new(
            Kind::Permanent,
            format!("the warehouse needs three roles, but two of {names:?} are the same"),
        )
        .hint("give warehouse.owner_user, worker_user and reader_user different names"));
    }
    let what = "cannot set up the roles of the warehouse";
    let fail = |error| failed(what, error);
    let transaction = client.transaction().await.map_err(fail)?;
    let mut steps = Vec::new();
    for (name, password) in [
        (&config.worker_user, &config.worker_password),
        (&config.reader_user, &config.reader_password),
    ] {
        let role = Role {
            name,
            password,
            replication: false,
        };
        steps.extend(ensure_role(&transaction, &role).await?);
    }
    let before = rights(&transaction).await.map_err(fail)?;
    let grants = GRANTS
        .replace("{worker}", &quoted(&config.worker_user))
        .replace("{reader}", &quoted(&config.reader_user))
        .replace("{database}", &quoted(&config.database));
    transaction.batch_execute(&grants).await.map_err(fail)?;
    let after = rights(&transaction).await.map_err(fail)?;
    steps.push(SetupStep::new(
        "worker and reader have their rights, and no others",
        before != after,
    ));
    if commit {
        transaction.commit().await.map_err(fail)?;
    } else {
        transaction.rollback().await.map_err(fail)?;
    }
    Ok(steps)
}

async fn rights(transaction: &Transaction<'_>) -> Result<String, tokio_postgres::Error> {
    Ok(transaction.query_one(RIGHTS, &[]).await?.get(0))
}
