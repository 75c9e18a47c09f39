//! Faults of Kafka's brokers.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr, ensure};
use nix::sys::signal::Signal;

use crate::bed::fleet::Flow;
use crate::bed::sql::{Database, Sql};
use crate::faults::field::{Field, live_on};

pub(in crate::faults) fn restarted(field: &mut Field<'_>) -> Result<String> {
    field.bed.down(&["kafka-1"])?;
    field.bed.up(&["kafka-1"])?;
    Ok("stopped and started".into())
}

pub(in crate::faults) fn killed(field: &mut Field<'_>) -> Result<String> {
    field.bed.kill("kafka-1")?;
    field.bed.up(&["kafka-1"])?;
    Ok("-9".into())
}

/// The only broker is silent for longer than the sessions of its clients.
pub(in crate::faults) fn frozen(field: &mut Field<'_>) -> Result<String> {
    field.bed.signal("kafka-1", Signal::SIGSTOP)?;
    live_on(Duration::from_secs(13));
    field.bed.signal("kafka-1", Signal::SIGCONT)?;
    Ok("13 s of silence".into())
}

/// One of three dies and its disk with it; it comes back empty and fetches everything from the others.
pub(in crate::faults) fn one_lost_with_its_disk(field: &mut Field<'_>) -> Result<String> {
    field.bed.kill("kafka-2")?;
    field.both_caught_up(Duration::from_mins(1))?;
    let disk = field.bed.data().join("kafka").join("2").join("data");
    std::fs::remove_dir_all(&disk).wrap_err_with(|| format!("{} cannot be removed", disk.display()))?;
    field.bed.up(&["kafka-2"])?;
    Ok("the flows went on with two; it came back empty".into())
}

/// Two of three die: nothing can be written until one is back, and nothing is lost.
pub(in crate::faults) fn two_lost(field: &mut Field<'_>) -> Result<String> {
    field.bed.kill("kafka-2")?;
    field.bed.kill("kafka-3")?;
    live_on(Duration::from_secs(15));
    field.bed.up(&["kafka"])?;
    Ok("15 s without a quorum".into())
}

/// Each broker dies in turn, so that every leader and every group coordinator moves.
pub(in crate::faults) fn each_in_turn(field: &mut Field<'_>) -> Result<String> {
    for broker in ["kafka-1", "kafka-2", "kafka-3"] {
        field.bed.kill(broker)?;
        live_on(Duration::from_secs(5));
        field.bed.up(&[broker])?;
        field.healed();
        field.both_caught_up(Duration::from_mins(2))?;
    }
    Ok("three deaths, every coordinator moved".into())
}

/// What was written to a table's topic is read from the source once more, by a row in its signal table.
fn signal(source: &Sql, table: &str) -> Result<()> {
    source.run(&format!(
        "INSERT INTO debezium_signal (id, type, data) VALUES (gen_random_uuid()::text, 'execute-snapshot',
           '{{\"type\": \"incremental\", \"data-collections\": [\"public.{table}\"]}}')"
    ))
}

/// Both stores read everything again, and what left a source meanwhile is swept.
fn read_everything_again(field: &mut Field<'_>, source: &str) -> Result<()> {
    for store in ["live", "warehouse"] {
        field.bed.good("instashop", &["rebuild", store, "--yes"])?;
    }
    field.healed();
    field.both_caught_up(Duration::from_mins(2))?;
    field
        .bed
        .good("instashop", &["sweep", source, "--yes", "--force"])?;
    Ok(())
}

/// A topic is deleted and made again: offsets look valid and mean other records. The flows notice, and say what to do.
pub(in crate::faults) fn topic_made_anew(field: &mut Field<'_>) -> Result<String> {
    field.topics()?.delete("stock")?;
    field.bed.good("instashop", &["setup"])?;
    field.said("stopped", Duration::from_mins(1))?;
    signal(&field.sql(Database::Erp)?, "stock")?;
    read_everything_again(field, "erp_db")?;
    Ok("stock deleted, made by setup, read anew".into())
}

/// The retention of a topic ran out while nobody read it: live begins again, the warehouse stops that table and says so.
pub(in crate::faults) fn records_expired(field: &mut Field<'_>) -> Result<String> {
    field.fleet.stop()?;
    live_on(Duration::from_secs(3));
    let source = field.sql(Database::Instashop)?;
    source.run(
        "DELETE FROM userbehavior WHERE behavior_id IN (SELECT behavior_id FROM userbehavior ORDER BY 1 LIMIT 25)",
    )?;
    live_on(Duration::from_secs(3));
    let records = field.topics()?.empty("userbehavior")?;
    field.bed.good("instashop", &["setup"])?;
    field.fleet.one_each(field.bed)?;
    field.said(
        "records were removed before they were read",
        Duration::from_mins(1),
    )?;
    signal(&source, "userbehavior")?;
    read_everything_again(field, "instashop")?;
    Ok(format!("{records} records gone unread"))
}

/// Somebody gives a topic more partitions: both flows stop with a sentence instead of mixing the order of rows.
pub(in crate::faults) fn topic_widened(field: &mut Field<'_>) -> Result<String> {
    field.topics()?.widen("stock", 8)?;
    for flow in Flow::BOTH {
        let mut worker = field.fleet.take(flow)?;
        // The client looks for new partitions every few minutes; a worker that starts sees them at once.
        worker.signal(Signal::SIGTERM)?;
        worker.wait(Duration::from_secs(20))?;
        let refused = field.extra(flow)?.wait(Duration::from_secs(30))?;
        ensure!(!refused.success(), "a {flow} worker accepted the wider topic");
    }
    field.topics()?.delete("stock")?;
    field.bed.good("instashop", &["setup"])?;
    field.fleet.one_each(field.bed)?;
    signal(&field.sql(Database::Erp)?, "stock")?;
    field.said("stopped", Duration::from_mins(1))?;
    read_everything_again(field, "erp_db")?;
    Ok("8 partitions refused; made anew with 6".into())
}
