//! Source databases: inspected, prepared, watched.

use instashop_core::config::{Secret, Source};
use instashop_core::table::{SourceDb, Table};
use instashop_store::Kind;
use instashop_store::source::{SlotWatch, SourceOwner, slot_name};

use super::cluster::{Database, try_connect};

/// The tables of a source as the simulator makes them.
pub(super) async fn tables(database: &Database, source: SourceDb) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../dev/sql/source");
    let order = [
        Table::Customer,
        Table::Buyer,
        Table::Product,
        Table::Transaction,
        Table::TransactionDetail,
        Table::UserBehavior,
    ];
    let rest = source.tables().filter(|table| !order.contains(table));
    for table in order
        .into_iter()
        .filter(|table| table.source() == source)
        .chain(rest)
    {
        let text = std::fs::read_to_string(folder.join(format!("{}.sql", table.name()))).unwrap();
        database.run(&text).await;
    }
}

pub(super) fn config(database: &Database, capture: &str) -> Source {
    Source {
        host: database.config.host.clone(),
        port: database.config.port,
        database: database.config.database.clone(),
        owner_user: database.config.owner_user.clone(),
        owner_password: database.config.owner_password.clone(),
        capture_user: capture.into(),
        capture_password: Secret::new("capture's".into()),
        ..Source::default()
    }
}

#[tokio::test]
async fn a_source_is_prepared_once_and_found_prepared() {
    let database = Database::empty().await;
    tables(&database, SourceDb::Instashop).await;
    let config = config(&database, "capture_one");
    let mut owner = SourceOwner::connect(SourceDb::Instashop, &config).await.unwrap();
    let before = owner.inspect().await.unwrap();
    let faults: Vec<_> = before
        .faults()
        .iter()
        .map(|fault| (fault.what.clone(), fault.fatal))
        .collect();
    assert_eq!(
        faults,
        [("max_slot_wal_keep_size has no bound".to_owned(), false)]
    );
    assert_eq!(before.tables.len(), 6);
    assert!(before.system_identifier != 0 && before.log_position > 0);
    for table in &before.tables {
        assert!(
            table.exists && table.keyed && !table.published && !table.guarded,
            "{table:?}"
        );
        assert_eq!((&table.missing, &table.odd), (&vec![], &vec![]), "{table:?}");
    }
    Database::set_up_alone(async || {
        let would = owner.check(&config).await.unwrap();
        assert!(
            try_connect(&database.config, &config.database, "capture_one", "capture's")
                .await
                .is_err()
        );
        let did = owner.prepare(&config).await.unwrap();
        assert_eq!(did, would, "check tells what prepare does");
        let changed: Vec<_> = did
            .iter()
            .filter(|step| step.changed)
            .map(|step| step.what.as_str())
            .collect();
        assert!(
            changed.contains(&"transaction has replica identity FULL"),
            "{changed:?}"
        );
        assert!(
            changed.contains(&"publication instashop_cdc exists"),
            "{changed:?}"
        );
        let again = owner.prepare(&config).await.unwrap();
        assert!(again.iter().all(|step| !step.changed), "{again:?}");
    })
    .await;
    let after = owner.inspect().await.unwrap();
    assert!(
        after
            .tables
            .iter()
            .all(|table| table.full_identity && table.published && table.guarded)
    );
    assert_eq!(after.also_published, Vec::<String>::new());

    let capture = try_connect(&database.config, &config.database, "capture_one", "capture's")
        .await
        .unwrap();
    for (sql, allowed) in [
        ("SELECT * FROM transaction", true),
        ("SELECT pg_logical_emit_message(true, 'hb', now()::text)", true),
        ("INSERT INTO debezium_signal VALUES ('a', 'b')", true),
        ("INSERT INTO customer (name) VALUES ('x')", false),
        ("DELETE FROM transaction", false),
        ("CREATE TABLE x (a int)", false),
        ("DROP PUBLICATION instashop_cdc", false),
    ] {
        let result = capture.batch_execute(sql).await;
        assert_eq!(result.is_ok(), allowed, "{sql}: {result:?}");
    }
    let refused = database
        .client
        .batch_execute("TRUNCATE transaction CASCADE")
        .await
        .unwrap_err();
    assert!(
        refused.as_db_error().unwrap().message().contains("TRUNCATE"),
        "{refused:?}"
    );
    database.run("DELETE FROM transaction").await;

    // A table made later is added, a change somebody made is put right, and a foreign table in the publication stays.
    database
        .run(
            "ALTER TABLE buyer REPLICA IDENTITY DEFAULT; ALTER PUBLICATION instashop_cdc DROP TABLE customer;
             ALTER TABLE product ADD colour text; CREATE TABLE other (id bigint PRIMARY KEY);
             ALTER PUBLICATION instashop_cdc ADD TABLE other",
        )
        .await;
    let steps = Database::set_up_alone(async || owner.prepare(&config).await.unwrap()).await;
    let changed: Vec<_> = steps
        .iter()
        .filter(|step| step.changed)
        .map(|step| step.what.as_str())
        .collect();
    assert_eq!(
        changed,
        [
            "buyer has replica identity FULL",
            "publication instashop_cdc holds customer"
        ]
    );
    let last = owner.inspect().await.unwrap();
    assert_eq!(last.also_published, ["other"]);
    let product = last
        .tables
        .iter()
        .find(|state| state.table == Table::Product)
        .unwrap();
    assert_eq!(product.extra, ["colour"]);
}

#[tokio::test]
async fn what_setup_cannot_repair_is_said() {
    let database = Database::empty().await;
    database
        .run(
            "CREATE TABLE carrier (carrier_id bigint, name text);
             CREATE TABLE shipment (shipment_id bigint PRIMARY KEY, transaction_id bigint, buyer_id bigint, delivery_address text,
               shipping_method text, status money, estimated_delivery_date date)",
        )
        .await;
    let config = config(&database, "capture_two");
    let mut owner = SourceOwner::connect(SourceDb::EcommerceDb, &config)
        .await
        .unwrap();
    let found: Vec<String> = owner
        .inspect()
        .await
        .unwrap()
        .faults()
        .iter()
        .map(|fault| fault.what.clone())
        .collect();
    assert_eq!(
        found,
        [
            "the primary key of carrier is not carrier_id alone",
            "carrier has no column phone",
            "carrier has no column tracking_number",
            "shipment.status is of type money",
            "shipment.estimated_delivery_date is of type date",
            "max_slot_wal_keep_size has no bound",
        ]
    );
    // A table that does not exist is left out of what is prepared.
    database.run("DROP TABLE carrier").await;
    let steps = Database::set_up_alone(async || owner.prepare(&config).await.unwrap()).await;
    assert!(
        steps.iter().all(|step| !step.what.contains("carrier")),
        "{steps:?}"
    );
    let absent = owner.inspect().await.unwrap();
    assert_eq!(absent.faults()[0].what, "table carrier does not exist");
    let same = Source {
        capture_user: "dwh".into(),
        ..config.clone()
    };
    assert_eq!(owner.prepare(&same).await.unwrap_err().kind(), Kind::Permanent);
}

#[tokio::test]
async fn the_slot_is_watched_as_the_capture_role() {
    let database = Database::empty().await;
    tables(&database, SourceDb::CrmDb).await;
    let config = config(&database, "capture_three");
    let mut owner = SourceOwner::connect(SourceDb::CrmDb, &config).await.unwrap();
    Database::set_up_alone(async || owner.prepare(&config).await.unwrap()).await;
    let mut watch = SlotWatch::new(SourceDb::CrmDb, &config);
    assert_eq!(watch.ask().await.unwrap(), None);
    assert_eq!(slot_name(SourceDb::CrmDb), "instashop_cdc_crm");
    database
        .run("SELECT pg_create_logical_replication_slot('instashop_cdc_crm', 'pgoutput')")
        .await;
    let slot = watch.ask().await.unwrap().unwrap();
    assert!(
        !slot.active && slot.retained_bytes >= 0 && slot.confirmed.is_some(),
        "{slot:?}"
    );
    assert_eq!(slot.wal_status, "reserved");
    assert!(owner.inspect().await.unwrap().has_slot);
    database
        .run("SELECT pg_drop_replication_slot('instashop_cdc_crm')")
        .await;
    let wrong = Source {
        capture_password: Secret::new("no".into()),
        ..config
    };
    let error = SlotWatch::new(SourceDb::CrmDb, &wrong).ask().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Permanent);
    assert!(error.advice().is_some(), "{error}");
}
