//! Results of `instashop verify`.

use instashop_core::view::DriftProof;
use tokio_postgres::Client;

use crate::StoreError;
use crate::postgres::failed;

/// Keeps a proof.
pub(super) async fn save(client: &Client, proof: &DriftProof) -> Result<(), StoreError> {
    let fail = |error| failed("cannot keep the proof in ops.proofs", error);
    let body = serde_json::to_value(proof).unwrap_or_default();
    client
        .execute(
            "INSERT INTO ops.proofs (at, drift, body) VALUES ($1, $2, $3) ON CONFLICT (at) DO NOTHING",
            &[&proof.at, &proof.drift, &body],
        )
        .await
        .map_err(fail)?;
    Ok(())
}

/// The newest proof, if there is one that this version can read.
pub(super) async fn load(client: &Client) -> Result<Option<DriftProof>, StoreError> {
    let row = client
        .query_opt("SELECT body FROM ops.proofs ORDER BY at DESC LIMIT 1", &[])
        .await
        .map_err(|error| failed("cannot read ops.proofs", error))?;
    Ok(row.and_then(|row| serde_json::from_value(row.get(0)).ok()))
}
