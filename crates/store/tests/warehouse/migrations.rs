//! The schema: applied once, checked by workers, equal to the catalogue.

use instashop_core::config::{Meaning, OrderClass};
use instashop_core::table::{ColumnKind, Table};
use instashop_store::Kind;
use instashop_store::warehouse::{MapsDiffer, Owner};

use super::cluster::Database;

#[tokio::test]
async fn migrations_run_once_and_an_edited_or_unknown_one_is_refused() {
    let database = Database::empty().await;
    let mut owner = Owner::connect(&database.config).await.unwrap();
    let todo = owner.pending().await.unwrap();
    assert!(todo.applied.len() >= 6 && !todo.refreshed.is_empty());
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'ops'";
    assert_eq!(database.value::<i64>(schemas).await, 0, "pending writes nothing");
    let mut second = Owner::connect(&database.config).await.unwrap();
    let (one, two) = tokio::join!(owner.migrate(), second.migrate());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(
        one.is_empty() != two.is_empty(),
        "one of two runners at once does the work"
    );
    assert_eq!(if one.is_empty() { two } else { one }, todo);
    assert!(owner.migrate().await.unwrap().is_empty(), "twice does nothing");

    database
        .run("UPDATE ops.repeatables SET checksum = 'old' WHERE name = 'core/orders.sql'")
        .await;
    assert_eq!(owner.pending().await.unwrap().refreshed, ["core/orders.sql"]);
    assert_eq!(owner.migrate().await.unwrap().refreshed, ["core/orders.sql"]);

    // A view whose columns are others than before is dropped with the rest and all are made again.
    database.run("DROP VIEW core.sales_ledger; CREATE VIEW core.sales_ledger AS SELECT 1 AS other FROM core.orders").await;
    database
        .run("UPDATE ops.repeatables SET checksum = 'old' WHERE name = 'core/sales_ledger.sql'")
        .await;
    owner.migrate().await.unwrap();
    assert_eq!(
        database
            .value::<i64>("SELECT count(sign) FROM core.sales_ledger")
            .await,
        0
    );

    database
        .run("UPDATE ops.migrations SET checksum = 'other' WHERE version = 2")
        .await;
    let error = owner.migrate().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Permanent);
    assert!(
        error.to_string().contains("raw/V002__realtime_events.sql"),
        "{error}"
    );
    database
        .run(
            "DELETE FROM ops.migrations WHERE version = 2; INSERT INTO ops.migrations VALUES (999, 'x', 'y')",
        )
        .await;
    assert!(owner.pending().await.unwrap_err().to_string().contains("999"));
}

#[tokio::test]
async fn a_worker_stops_at_another_schema_and_says_what_to_do() {
    let database = Database::ready().await;
    database.sink("a").connect().await.unwrap();
    database
        .run("UPDATE ops.repeatables SET checksum = 'old' WHERE name = 'core/clock.sql'")
        .await;
    let error = database.sink("a").connect().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Permanent);
    let text = error.to_string();
    assert!(
        text.contains("core/clock.sql") && text.contains("instashop setup"),
        "{text}"
    );
}

#[tokio::test]
async fn staging_is_the_catalogue() {
    let database = Database::ready().await;
    for table in Table::ALL {
        let found = database
            .list(&format!(
                "SELECT column_name || ' ' || data_type FROM information_schema.columns
                 WHERE table_schema = 'staging' AND table_name = '{}' AND column_name NOT LIKE '\\_%' ORDER BY ordinal_position",
                table.name()
            ))
            .await;
        let expected: Vec<String> = table
            .columns()
            .iter()
            .map(|column| {
                let kind = match column.kind {
                    ColumnKind::BigInt | ColumnKind::Int => "bigint",
                    ColumnKind::Money => "numeric",
                    ColumnKind::Text => "text",
                    ColumnKind::Timestamp => "timestamp without time zone",
                    ColumnKind::Json => "jsonb",
                };
                format!("{} {kind}", column.name)
            })
            .collect();
        assert_eq!(found, expected, "{}", table.name());
    }
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'staging'";
    assert_eq!(database.value::<i64>(tables).await, Table::ALL.len() as i64);
    let without = database
        .list(
            "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname IN ('raw', 'staging', 'history', 'ref', 'core', 'marts', 'semantic', 'ops')
               AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
               AND coalesce(obj_description(c.oid), '') NOT LIKE 'grain: %'",
        )
        .await;
    assert_eq!(
        without,
        Vec::<String>::new(),
        "every table and view says its grain"
    );
}

#[tokio::test]
async fn the_maps_are_the_configuration() {
    let database = Database::ready().await;
    let mut owner = Owner::connect(&database.config).await.unwrap();
    let mut meaning = Meaning::default();
    assert_eq!(
        owner.write_meaning(&meaning).await.unwrap(),
        MapsDiffer::No,
        "the same again changes nothing"
    );
    meaning
        .order_status
        .insert("pagado".into(), OrderClass::Recognised);
    meaning.order_status.remove("pending");
    meaning.zone = "UTC".into();
    assert_eq!(owner.meaning_differs(&meaning).await.unwrap(), MapsDiffer::Yes);
    assert_eq!(owner.write_meaning(&meaning).await.unwrap(), MapsDiffer::Yes);
    assert_eq!(owner.meaning_differs(&meaning).await.unwrap(), MapsDiffer::No);
    let known = "SELECT string_agg(status, ',' ORDER BY status) FROM ref.order_status WHERE status LIKE 'p%'";
    assert_eq!(database.value::<String>(known).await, "pagado,pendiente");
    assert_eq!(database.value::<String>("SELECT tz FROM core.clock").await, "UTC");
}

#[tokio::test]
async fn queries_of_the_source_documents_work_as_written() {
    let database = Database::ready().await;
    let fresh = super::cluster::connect(
        &database.config,
        &database.config.database,
        "dwh",
        "only for this test",
    )
    .await;
    fresh
        .query(
            "SELECT DATE(timestamp) as fecha, COUNT(*) as total_transacciones, SUM(amount) as ingresos_totales,
                    AVG(amount) as ticket_promedio
             FROM realtime_events WHERE event_type = 'transaction' GROUP BY DATE(timestamp) ORDER BY fecha DESC",
            &[],
        )
        .await
        .unwrap();
}
