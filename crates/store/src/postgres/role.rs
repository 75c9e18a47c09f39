//! Login roles: made and kept as they should be, step by step, each told as changed or unchanged.

use instashop_core::config::Secret;
use tokio_postgres::Transaction;

use super::{SetupStep, failed, quoted, scram};
use crate::{Kind, StoreError};

/// A role of one service.
pub(crate) struct Role<'a> {
    /// Name.
    pub(crate) name: &'a str,
    /// Password; empty = none is set and an existing one stays.
    pub(crate) password: &'a Secret,
    /// True for the role Debezium reads the log with.
    pub(crate) replication: bool,
}

/// Makes sure that the role exists, may log in, and may nothing beyond that.
///
/// A superuser is refused, not changed: it is somebody's own role, named here by mistake.
pub(crate) async fn ensure(
    transaction: &Transaction<'_>,
    role: &Role<'_>,
) -> Result<Vec<SetupStep>, StoreError> {
    let what = format!("cannot set up role {}", role.name);
    let fail = |error| failed(&what, error);
    let name = quoted(role.name);
    let wanted = if role.replication {
        "LOGIN NOCREATEDB NOCREATEROLE REPLICATION"
    } else {
        "LOGIN NOCREATEDB NOCREATEROLE NOREPLICATION"
    };
    let known = transaction
        .query_opt(
            "SELECT rolsuper OR rolbypassrls, rolcanlogin AND NOT rolcreatedb AND NOT rolcreaterole AND rolreplication = $2
             FROM pg_roles WHERE rolname = $1",
            &[&role.name, &role.replication],
        )
        .await
        .map_err(fail)?;
    let (exists, right) = match known {
        Some(row) if row.get(0) => {
            return Err(StoreError::new(
                Kind::Permanent,
                format!("role {} is a superuser or bypasses row security", role.name),
            )
            .hint("give this service a role of its own in the configuration"));
        }
        Some(row) => (true, row.get(1)),
        None => (false, false),
    };
    if !exists {
        transaction
            .batch_execute(&format!("CREATE ROLE {name} {wanted}"))
            .await
            .map_err(|error| needs_right(fail(error), role))?;
    } else if !right {
        transaction
            .batch_execute(&format!("ALTER ROLE {name} {wanted}"))
            .await
            .map_err(|error| needs_right(fail(error), role))?;
    }
    let mut steps = vec![SetupStep::new(
        format!("role {} exists", role.name),
        !exists || !right,
    )];
    if !role.password.is_empty() {
        let changed = password(transaction, role, &name).await?;
        steps.push(SetupStep::new(
            format!("role {} has its password", role.name),
            changed,
        ));
    }
    Ok(steps)
}

fn needs_right(error: StoreError, role: &Role<'_>) -> StoreError {
    let right = if role.replication {
        "SUPERUSER (or REPLICATION with CREATEROLE since PostgreSQL 16)"
    } else {
        "CREATEROLE"
    };
    error.hint(format!(
        "the owner's role needs {right}, or an administrator makes role {}",
        role.name
    ))
}

/// Sets the password unless it is known to be set. Only a superuser may look; for anybody else it is set every time.
async fn password(transaction: &Transaction<'_>, role: &Role<'_>, name: &str) -> Result<bool, StoreError> {
    let what = format!("cannot set the password of role {}", role.name);
    let fail = |error| failed(&what, error);
    let look = transaction
        .query_one("SELECT has_table_privilege('pg_authid', 'SELECT')", &[])
        .await
        .map_err(fail)?;
    if look.get(0) {
        let found = transaction
            .query_opt(
                "SELECT coalesce(rolpassword, '') FROM pg_authid WHERE rolname = $1",
                &[&role.name],
            )
            .await
            .map_err(fail)?;
        let verifier: String = found.map_or_else(String::new, |row| row.get(0));
        if scram::matches(&verifier, role.password.reveal()) {
            return Ok(false);
        }
    }
    let row = transaction
        .query_one("SELECT uuid_send(gen_random_uuid())", &[])
        .await
        .map_err(fail)?;
    let salt: Vec<u8> = row.get(0);
    let secret = scram::verifier(role.password.reveal(), &salt)
        .unwrap_or_else(|| role.password.reveal().replace('\'', "''"));
    let statement = format!("ALTER ROLE {name} PASSWORD '{secret}'");
    transaction.batch_execute(&statement).await.map_err(fail)?;
    Ok(true)
}
