//! Everything anew.

use tokio_postgres::Transaction;

use super::tables::{AS_A_WHOLE, Fact, Mart, add_all, remove_all};
use crate::StoreError;
use crate::postgres::failed;

/// Computes all facts and marts from the current rows; marks that are visible are done with. Gives the rows written.
pub(super) async fn everything(transaction: &Transaction<'_>) -> Result<u64, StoreError> {
    transaction
        .execute("DELETE FROM ops.dirty_keys", &[])
        .await
        .map_err(|error| failed("cannot take the marks of ops.dirty_keys", error))?;
    // Sorts of whole tables; the connection is the only one that does that.
    transaction
        .batch_execute("SET LOCAL work_mem = '64MB'")
        .await
        .map_err(|error| failed("cannot set the memory of a rebuild", error))?;
    let mut rows = 0;
    for fact in Fact::ALL {
        rows += replace(transaction, fact.name).await?;
    }
    // What follows joins the facts, and the planner knows nothing of rows this transaction wrote.
    transaction
        .execute("SELECT ops.analyze_facts()", &[])
        .await
        .map_err(|error| failed("cannot analyze the facts", error))?;
    for mart in Mart::BY_KEY {
        rows += replace(transaction, mart.name).await?;
    }
    Ok(rows + as_a_whole(transaction).await?)
}

/// Computes the marts that are not kept by key.
pub(super) async fn as_a_whole(transaction: &Transaction<'_>) -> Result<u64, StoreError> {
    let mut rows = 0;
    for name in AS_A_WHOLE {
        rows += replace(transaction, name).await?;
    }
    Ok(rows)
}

/// One table as its view gives it.
pub(super) async fn replace(transaction: &Transaction<'_>, name: &str) -> Result<u64, StoreError> {
    let fail = |error| failed(&format!("cannot compute marts.{name}"), error);
    transaction.execute(&remove_all(name), &[]).await.map_err(fail)?;
    transaction.execute(&add_all(name), &[]).await.map_err(fail)
}
