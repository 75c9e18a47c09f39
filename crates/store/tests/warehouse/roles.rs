//! Each role may what it needs and nothing beyond.

use instashop_core::config::{Secret, Warehouse};
use instashop_store::Kind;
use instashop_store::warehouse::Owner;

use super::cluster::{Database, try_connect};

#[tokio::test]
async fn setting_roles_up_again_changes_nothing_and_a_check_tells_without_changing() {
    let database = Database::empty().await;
    Database::set_up_alone(async || {
        let config = Warehouse {
            worker_user: "other worker".into(),
            reader_user: "other\"reader".into(),
            ..database.config.clone()
        };
        let mut owner = Owner::connect(&config).await.unwrap();
        owner.migrate().await.unwrap();
        let would = owner.check_roles(&config).await.unwrap();
        assert!(would.iter().all(|step| step.changed), "{would:?}");
        let exists = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'other%'";
        assert_eq!(database.value::<i64>(exists).await, 0);
        assert_eq!(owner.ensure_roles(&config).await.unwrap(), would);
        let again = owner.ensure_roles(&config).await.unwrap();
        assert!(again.iter().all(|step| !step.changed), "{again:?}");
        try_connect(&config, &config.database, "other worker", "worker's").await.unwrap();

        // More rights than wanted, and another password, are noticed and taken back.
        database.run("ALTER ROLE \"other worker\" CREATEDB; GRANT DELETE ON staging.stock TO \"other worker\"").await;
        let changed = Warehouse { worker_password: Secret::new("it's new".into()), ..config.clone() };
        let steps = owner.ensure_roles(&changed).await.unwrap();
        let names: Vec<_> = steps.iter().filter(|step| step.changed).map(|step| step.what.as_str()).collect();
        assert_eq!(
            names,
            ["role other worker exists", "role other worker has its password", "worker and reader have their rights, and no others"]
        );
        assert!(try_connect(&config, &config.database, "other worker", "worker's").await.is_err());
        try_connect(&config, &config.database, "other worker", "it's new").await.unwrap();

        for (worker, reader) in [("dwh", "r"), ("w", "w"), ("boss", "r")] {
            database.run("DO $$ BEGIN CREATE ROLE boss SUPERUSER; EXCEPTION WHEN duplicate_object THEN END $$").await;
            let wrong = Warehouse { worker_user: worker.into(), reader_user: reader.into(), ..config.clone() };
            assert_eq!(owner.ensure_roles(&wrong).await.unwrap_err().kind(), Kind::Permanent, "{worker} {reader}");
        }
        database.run("DROP OWNED BY \"other worker\"; DROP OWNED BY \"other\"\"reader\"; DROP ROLE \"other worker\"; DROP ROLE \"other\"\"reader\"; DROP ROLE boss").await;
    })
    .await;
}

#[tokio::test]
async fn role_by_schema_by_verb() {
    let database = Database::ready().await;
    let verbs = |role: &str, kinds: &str| {
        format!(
            "SELECT n.nspname || ': ' || coalesce(string_agg(DISTINCT v.verb, ' ' ORDER BY v.verb), '-')
             FROM pg_namespace n
             JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ({kinds}) AND NOT c.relispartition
             LEFT JOIN unnest('{{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}}'::text[]) AS v(verb)
               ON has_table_privilege('{role}', c.oid, v.verb)
             WHERE n.nspname IN ('raw', 'staging', 'history', 'ref', 'core', 'ops')
             GROUP BY n.nspname ORDER BY n.nspname"
        )
    };
    let of = |role: &'static str| {
        let database = &database;
        async move { database.list(&verbs(role, "'r', 'p', 'v'")).await }
    };
    assert_eq!(
        of("instashop_worker").await,
        [
            "core: SELECT",
            "history: INSERT SELECT UPDATE",
            "ops: DELETE INSERT SELECT UPDATE",
            "raw: INSERT SELECT",
            "ref: SELECT",
            "staging: INSERT SELECT UPDATE",
        ]
    );
    assert_eq!(
        of("instashop_reader").await,
        [
            "core: SELECT",
            "history: SELECT",
            "ops: SELECT",
            "raw: SELECT",
            "ref: SELECT",
            "staging: -"
        ]
    );
    let check = |role: &'static str, sql: &'static str, allowed: bool| {
        let config = database.config.clone();
        async move {
            let password = if role == "instashop_worker" {
                "worker's"
            } else {
                "reader's"
            };
            let client = try_connect(&config, &config.database, role, password)
                .await
                .unwrap();
            let result = client.batch_execute(sql).await;
            assert_eq!(result.is_ok(), allowed, "{role}: {sql}: {result:?}");
        }
    };
    for (role, sql, allowed) in [
        ("instashop_worker", "CREATE TABLE raw.x (a int)", false),
        ("instashop_worker", "CREATE TABLE public.x (a int)", false),
        ("instashop_worker", "CREATE SCHEMA x", false),
        ("instashop_worker", "ALTER TABLE staging.stock ADD a int", false),
        ("instashop_worker", "DROP TABLE staging.stock", false),
        ("instashop_worker", "DELETE FROM staging.stock", false),
        ("instashop_worker", "DELETE FROM ops.dead_letters", false),
        (
            "instashop_worker",
            "UPDATE raw.realtime_events SET amount = 0",
            false,
        ),
        ("instashop_worker", "UPDATE ref.setting SET tz = 'UTC'", false),
        ("instashop_worker", "DELETE FROM ops.health", true),
        ("instashop_worker", "CREATE TEMP TABLE x (a int)", true),
        (
            "instashop_worker",
            "SELECT ops.ensure_partitions('{2026-03-20}')",
            true,
        ),
        ("instashop_reader", "SELECT * FROM realtime_events", true),
        ("instashop_reader", "SELECT * FROM core.order_lines", true),
        ("instashop_reader", "SELECT * FROM core.sales_ledger", true),
        ("instashop_reader", "SELECT initials FROM core.buyers", true),
        ("instashop_reader", "SELECT name FROM core.buyers", false),
        ("instashop_reader", "SELECT name FROM staging.buyer", false),
        ("instashop_reader", "SELECT email FROM staging.customer", false),
        ("instashop_reader", "SELECT value FROM ops.dead_letters", false),
        (
            "instashop_reader",
            "SELECT ops.ensure_partitions('{2026-03-20}')",
            false,
        ),
        ("instashop_reader", "CREATE TEMP TABLE x (a int)", false),
        (
            "instashop_reader",
            "INSERT INTO ops.health VALUES ('worker', 'x', now(), '{}')",
            false,
        ),
        ("instashop_reader", "CREATE TABLE public.x (a int)", false),
    ] {
        check(role, sql, allowed).await;
    }
    let powerful = "SELECT count(*) FROM pg_roles WHERE rolname IN ('instashop_worker', 'instashop_reader')
                    AND (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication)";
    assert_eq!(database.value::<i64>(powerful).await, 0);
}
