//! Faults of capture: Kafka Connect, Debezium, replication slots.

use std::time::Duration;

use color_eyre::eyre::{Result, ensure};

use crate::bed::eventually;
use crate::bed::sql::{Database, Sql};
use crate::faults::field::{Field, live_on};

/// Connect dies in the middle of a burst: what it had sent and not confirmed comes twice.
pub(in crate::faults) fn killed_in_a_burst(field: &mut Field<'_>) -> Result<String> {
    field.open_shop_at("400")?;
    let rounds = if field.is_quick { 1 } else { 3 };
    for _ in 0..rounds {
        live_on(Duration::from_secs(4));
        field.bed.kill("connect")?;
        field.bed.up(&["connect"])?;
    }
    field.open_shop()?;
    Ok(format!("{rounds} times -9 at 400 events a second"))
}

pub(in crate::faults) fn restarted(field: &mut Field<'_>) -> Result<String> {
    for name in ["instashop", "crm", "erp", "ecommerce"] {
        field
            .bed
            .connect("POST", &format!("/connectors/{name}/restart?includeTasks=true"))?;
    }
    Ok("all four connectors".into())
}

/// The connection of every connector to its source is cut, again and again.
pub(in crate::faults) fn cut_off(field: &mut Field<'_>) -> Result<String> {
    let sources = [
        field.sql(Database::Instashop)?,
        field.sql(Database::Crm)?,
        field.sql(Database::Erp)?,
    ];
    for _ in 0..if field.is_quick { 3 } else { 8 } {
        for source in &sources {
            source.run(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active_pid IS NOT NULL",
            )?;
        }
        live_on(Duration::from_secs(2));
    }
    field.healed();
    running(field)?;
    Ok("replication connections of three sources".into())
}

fn running(field: &Field<'_>) -> Result<()> {
    for name in ["instashop", "crm", "erp", "ecommerce"] {
        eventually(&format!("connector {name} runs"), Duration::from_mins(2), || {
            let Ok(status) = field.bed.connect("GET", &format!("/connectors/{name}/status")) else {
                return Ok(false);
            };
            let status: serde_json::Value = serde_json::from_str(&status).unwrap_or_default();
            Ok(status["connector"]["state"] == "RUNNING" && status["tasks"][0]["state"] == "RUNNING")
        })?;
    }
    Ok(())
}

/// A connector forgets where it was and reads its source anew, all rows as statements of state.
pub(in crate::faults) fn read_anew(field: &mut Field<'_>) -> Result<String> {
    let bed = field.bed;
    bed.connect("PUT", "/connectors/instashop/stop")?;
    eventually("the connector is stopped", Duration::from_secs(30), || {
        let status = bed.connect("GET", "/connectors/instashop/status")?;
        Ok(status.contains("STOPPED") && status.contains("\"tasks\":[]"))
    })?;
    bed.connect("DELETE", "/connectors/instashop/offsets")?;
    bed.connect("PUT", "/connectors/instashop/resume")?;
    running(field)?;
    snapshot_done(field)?;
    Ok("offsets of the largest source deleted".into())
}

/// Waits until both flows have read what the snapshot brought; the recovery is timed from here.
fn snapshot_done(field: &mut Field<'_>) -> Result<()> {
    field.healed();
    field.both_caught_up(Duration::from_mins(3))
}

/// Somebody asks for an incremental snapshot by a row in the signal table, while changes go on.
pub(in crate::faults) fn incremental_snapshot(field: &mut Field<'_>) -> Result<String> {
    let source = field.sql(Database::Instashop)?;
    let warehouse = field.sql(Database::Warehouse)?;
    let snapshots = "SELECT count(*)::text FROM staging.buyer WHERE _snapshot";
    let before: i64 = warehouse.text(snapshots)?.parse()?;
    source.run("UPDATE buyer SET name = name")?;
    eventually(
        "no buyer stands as of a snapshot",
        Duration::from_secs(30),
        || Ok(warehouse.text(snapshots)? == "0"),
    )?;
    source.run(
        "INSERT INTO debezium_signal (id, type, data) VALUES (gen_random_uuid()::text, 'execute-snapshot',
           '{\"type\": \"incremental\", \"data-collections\": [\"public.buyer\", \"public.transaction\"]}')",
    )?;
    live_on(Duration::from_secs(1));
    eventually("every buyer was read again", Duration::from_mins(1), || {
        let now: i64 = warehouse.text(snapshots)?.parse()?;
        Ok(now >= before.max(1))
    })?;
    Ok("buyer and transaction, under load".into())
}

/// The topic in which Connect keeps its offsets is lost.
pub(in crate::faults) fn offsets_lost(field: &mut Field<'_>) -> Result<String> {
    field.bed.down(&["connect"])?;
    field.topics()?.delete("_connect-offsets")?;
    field.bed.up(&["connect"])?;
    running(field)?;
    snapshot_done(field)?;
    Ok("_connect-offsets deleted".into())
}

/// A replication slot is dropped while nobody listens, and rows are deleted meanwhile.
pub(in crate::faults) fn slot_lost(field: &mut Field<'_>) -> Result<String> {
    field.bed.down(&["connect"])?;
    let source = field.sql(Database::Instashop)?;
    let slots = "SELECT count(*)::text FROM pg_replication_slots";
    eventually("the slot is free", Duration::from_secs(30), || {
        let busy = source.text("SELECT count(*)::text FROM pg_replication_slots WHERE active")?;
        Ok(busy == "0")
    })?;
    source.run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")?;
    ensure!(source.text(slots)? == "0", "the slot is still there");
    vanish(&source)?;
    live_on(Duration::from_secs(5));
    repaired(field)
}

/// Some behaviour rows leave the source.
fn vanish(source: &Sql) -> Result<()> {
    source.run(
        "DELETE FROM userbehavior WHERE behavior_id IN (SELECT behavior_id FROM userbehavior ORDER BY 1 LIMIT 25)",
    )
}

/// What an operator does about a lost slot: start, let setup repair. The workers sweep by themselves when the source was
/// read anew.
fn repaired(field: &mut Field<'_>) -> Result<String> {
    field.bed.up(&[])?;
    field.said("slot", Duration::from_mins(1)).or_else(|error| {
        // Debezium may have made the slot anew by itself before anybody looked.
        let there = field.sql(Database::Instashop)?.text(
            "SELECT count(*)::text FROM pg_replication_slots WHERE wal_status IS DISTINCT FROM 'lost'",
        )?;
        if there == "1" { Ok(()) } else { Err(error) }
    })?;
    field.bed.good("instashop", &["setup"])?;
    running(field)?;
    snapshot_done(field)?;
    eventually(
        "what vanished is swept by the workers",
        Duration::from_mins(2),
        || Ok(field.bed.run("instashop", &["sweep", "instashop"])?.code == 0),
    )?;
    Ok("setup, snapshot, swept by itself".into())
}

/// Connect stays away until the source has thrown away the log its slot needs.
pub(in crate::faults) fn log_limit(field: &mut Field<'_>) -> Result<String> {
    let source = field.sql(Database::Instashop)?;
    field.bed.down(&["connect"])?;
    source.run("ALTER SYSTEM SET max_slot_wal_keep_size = '16MB'")?;
    source.run("SELECT pg_reload_conf()")?;
    source.run("CREATE TABLE ballast (filler text)")?;
    eventually("the slot is lost", Duration::from_mins(1), || {
        source.run(
            "INSERT INTO ballast SELECT repeat(md5(random()::text), 30) FROM generate_series(1, 20000)",
        )?;
        source.run("SELECT pg_switch_wal()")?;
        source.run("CHECKPOINT")?;
        let status = source.text("SELECT min(wal_status)::text FROM pg_replication_slots")?;
        Ok(status == "lost" || status.is_empty())
    })?;
    vanish(&source)?;
    source.run("DROP TABLE ballast")?;
    source.run("ALTER SYSTEM RESET max_slot_wal_keep_size")?;
    source.run("SELECT pg_reload_conf()")?;
    repaired(field)
}
