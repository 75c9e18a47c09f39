//! The seam between a flow and its database.

use std::future::Future;

use chrono::{DateTime, Utc};
use instashop_core::batch::{Batch, Outcome};
use instashop_core::checkpoint::{Owned, Partition};

use crate::{Kind, StoreError};

/// A place that applies batches exactly once: the warehouse or the live store.
///
/// What a sink promises:
///
/// * **Order.** Records of one partition are applied in the order of the batch. Batches of one partition must be
///   handed over one after another (reliability C5); nothing is promised between partitions.
/// * **All or nothing.** `apply` writes everything a batch does together with its new checkpoints in one atomic step,
///   or nothing. After `Outcome::Applied` the effect is as durable as the database makes it.
/// * **Repeats are harmless.** The same batch again is answered `Refused` with `Duplicate` for its partitions. After an
///   error of kind `Transient` the outcome is unknown and the caller must hand over the same batch again (or recover).
/// * **Fencing.** `recover` raises the epoch of each partition; a step with a lower epoch is refused from then on.
/// * **Idle check.** A batch with steps where `base == next` and no records writes nothing and tells whether the sink
///   still holds what the caller believes.
///
/// The truth table of the answers stands at [`instashop_core::checkpoint::Answer`].
pub trait Sink: Send {
    /// Takes over partitions: raises the epoch of each and returns it with the checkpoint to read from. Answers come
    /// in the order of the request. A partition never seen starts at 0.
    fn recover(
        &mut self,
        partitions: &[Partition],
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Vec<Owned>, StoreError>> + Send;

    /// Applies a batch, all or nothing.
    fn apply(
        &mut self,
        batch: &Batch,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send;

    /// Since when the present contents are being built, for a sink that can be built again: a reading that began less
    /// than the topics' retention ago has missed no delete. `None` when unknown or long ago.
    fn built_since(&self) -> Option<DateTime<Utc>> {
        None
    }

    /// Begins from nothing, because the topics no longer hold what lies between the sink's checkpoint and their
    /// beginning: the next `recover` answers checkpoint 0 for every partition (docs: reliability 5.8). Only a sink that
    /// can be built again from the topics alone does it; the others answer with an error of kind `Permanent`, which is
    /// what a sink gets that does not say otherwise.
    fn start_over(
        &mut self,
        why: &str,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        let _ = now;
        let refusal = StoreError::new(
            Kind::Permanent,
            format!("{why}; this sink cannot begin again by itself"),
        );
        async move { Err(refusal) }
    }
}
