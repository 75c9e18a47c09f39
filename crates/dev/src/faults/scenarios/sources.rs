//! What happens to the sources themselves.

use std::time::Duration;

use color_eyre::eyre::{Result, ensure};
use nix::sys::signal::Signal;

use crate::bed::eventually;
use crate::bed::sql::Database;
use crate::faults::field::{Field, live_on};

/// The largest source dies at once and recovers.
pub(in crate::faults) fn killed(field: &mut Field<'_>) -> Result<String> {
    field.bed.end("postgres-instashop", Signal::SIGQUIT)?;
    field.bed.up(&["postgres-instashop"])?;
    field.open_shop()?;
    Ok("immediate stop".into())
}

/// Products change their category again and again while orders run.
pub(in crate::faults) fn categories_moved(field: &mut Field<'_>) -> Result<String> {
    let source = field.sql(Database::Instashop)?;
    let rounds = if field.is_quick { 10 } else { 60 };
    for round in 0..rounds {
        source.run(&format!(
            "UPDATE product SET category = (ARRAY['Hogar', 'Moda', 'Deportes', 'Mascotas', NULL])[1 + (product_id + {round}) % 5]"
        ))?;
        live_on(Duration::from_millis(200));
    }
    Ok(format!("every product, {rounds} times"))
}

/// Orders of two hours, two days, sixty days and two years ago change, and some move to another day.
pub(in crate::faults) fn late_data(field: &mut Field<'_>) -> Result<String> {
    let source = field.sql(Database::Instashop)?;
    for age in ["2 hours", "2 days", "60 days", "2 years"] {
        source.run(&format!(
            "UPDATE transaction SET transaction_date = now() AT TIME ZONE 'UTC' - interval '{age}'
             WHERE transaction_id IN (SELECT transaction_id FROM transaction ORDER BY random() LIMIT 25)"
        ))?;
        source.run(&format!(
            "UPDATE transaction SET status = 'refunded', total_amount = total_amount + 1
             WHERE transaction_date < now() AT TIME ZONE 'UTC' - interval '{age}' AND transaction_id % 7 = 0"
        ))?;
    }
    Ok("2 h, 2 days, 60 days, 2 years".into())
}

/// A TRUNCATE that was forced past its trigger: no delete comes, the proof sees it, the sweep repairs it.
pub(in crate::faults) fn truncated(field: &mut Field<'_>) -> Result<String> {
    let source = field.sql(Database::Crm)?;
    let refused = source.run("TRUNCATE customersegment");
    ensure!(refused.is_err(), "the trigger let a TRUNCATE through");
    source.run(
        "ALTER TABLE customersegment DISABLE TRIGGER USER; TRUNCATE customersegment;
         ALTER TABLE customersegment ENABLE TRIGGER USER",
    )?;
    field.close_shop();
    let drift = field.bed.run("instashop", &["verify"])?;
    ensure!(drift.code == 1, "the proof did not see it:\n{}", drift.out);
    field
        .bed
        .good("instashop", &["sweep", "crm_db", "--yes", "--force"])?;
    field.open_shop()?;
    Ok("refused; forced, seen, swept".into())
}

/// Columns come and go that nobody needs, under load: the new one is carried in the event log at once.
pub(in crate::faults) fn column_added(field: &mut Field<'_>) -> Result<String> {
    let source = field.sql(Database::Instashop)?;
    let warehouse = field.sql(Database::Warehouse)?;
    source.run("ALTER TABLE transaction ADD COLUMN coupon text DEFAULT 'none'")?;
    source.run("UPDATE transaction SET coupon = 'SUMMER' WHERE transaction_id % 50 = 0")?;
    eventually(
        "the event log carries the column",
        Duration::from_secs(30),
        || {
            let carried = warehouse.text(
                "SELECT count(*)::text FROM raw.realtime_events
                 WHERE source_table = 'transaction' AND raw_data->>'coupon' = 'SUMMER'",
            )?;
            Ok(carried != "0")
        },
    )?;
    source.run("ALTER TABLE transaction ALTER COLUMN coupon TYPE varchar(40)")?;
    live_on(Duration::from_secs(2));
    source.run("ALTER TABLE transaction DROP COLUMN coupon")?;
    live_on(Duration::from_secs(2));
    Ok("added, filled, retyped, dropped".into())
}

/// Large values that an update leaves out are no data: the stored ones stay.
pub(in crate::faults) fn large_values_left_out(field: &mut Field<'_>) -> Result<String> {
    let source = field.sql(Database::Instashop)?;
    source.run(
        "UPDATE userbehavior SET metadata = jsonb_set(metadata, '{note}', to_jsonb(
           (SELECT string_agg(md5(n::text || random()::text), '') FROM generate_series(1, 400) AS n)))
         WHERE behavior_id IN (SELECT behavior_id FROM userbehavior ORDER BY 1 DESC LIMIT 50)",
    )?;
    for _ in 0..5 {
        source.run(
            "UPDATE userbehavior SET session_id = session_id || 'x'
             WHERE behavior_id IN (SELECT behavior_id FROM userbehavior WHERE length(metadata::text) > 9000)",
        )?;
    }
    Ok("50 rows of 12 kB".into())
}

/// A needed column is renamed: its table stops alone and says so, the others go on; when it is back, it goes on.
pub(in crate::faults) fn column_lost(field: &mut Field<'_>) -> Result<String> {
    field.close_shop();
    let source = field.sql(Database::Instashop)?;
    let warehouse = field.sql(Database::Warehouse)?;
    let touch = "WHERE transaction_detail_id IN (SELECT transaction_detail_id FROM transactiondetail ORDER BY 1 LIMIT 60)";
    source.run("ALTER TABLE transactiondetail RENAME COLUMN unit_price TO price")?;
    source.run(&format!(
        "UPDATE transactiondetail SET quantity = quantity + 1 {touch}"
    ))?;
    field.said("lacks the column unit_price", Duration::from_mins(1))?;
    source.run("UPDATE buyer SET name = name || '!' WHERE buyer_id = 1")?;
    eventually("the other tables go on", Duration::from_secs(20), || {
        let name = warehouse.text("SELECT name FROM staging.buyer WHERE buyer_id = 1")?;
        Ok(name.ends_with('!'))
    })?;
    let empty =
        warehouse.text("SELECT count(*)::text FROM staging.transactiondetail WHERE unit_price IS NULL")?;
    ensure!(empty == "0", "{empty} lines lost their price without a word");
    source.run("ALTER TABLE transactiondetail RENAME COLUMN price TO unit_price")?;
    source.run(&format!(
        "UPDATE transactiondetail SET quantity = quantity + 1 {touch}"
    ))?;
    field.healed();
    let letters =
        "SELECT count(*)::text FROM ops.dead_letters WHERE reason = 'missing_column' AND state = 'open'";
    eventually("the table goes on", Duration::from_mins(1), || {
        Ok(field.health()?.findings.find("schema changed").is_none() && warehouse.text(letters)? != "0")
    })?;
    let letters = warehouse.text(letters)?;
    field.bed.good(
        "instashop",
        &["dead-letters", "discard", "--reason", "missing_column", "--yes"],
    )?;
    field.open_shop()?;
    Ok(format!("lines stopped alone, {letters} letters"))
}
