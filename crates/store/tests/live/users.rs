//! What each Redis user may do, and that everything the product does works with those rights.

use instashop_core::config::{Meaning, Redis, Secret};
use instashop_core::view::WorkerHealth;
use instashop_store::Kind;
use instashop_store::live::access::{apply, inspect};
use instashop_store::live::{Bulletin, LivePublisher, LiveReader, LiveSink, Watched};
use redis::aio::MultiplexedConnection;

use crate::changes::{Desk, line, noon, order, product, search};
use crate::server::Server;

/// A server with an administrator and a file of users, and the configuration with passwords for it.
async fn guarded() -> (Server, Redis) {
    let server = Server::start(&[]).await;
    let mut admin = server.admin().await;
    redis::cmd("ACL")
        .arg(&["SETUSER", "admin", "on", ">adminpw", "~*", "&*", "+@all"])
        .exec_async(&mut admin)
        .await
        .unwrap();
    redis::cmd("ACL")
        .arg(&["SETUSER", "default", "off"])
        .exec_async(&mut admin)
        .await
        .unwrap();
    let secret = |text: &str| Secret::new(text.into());
    let config = Redis {
        admin_password: secret("adminpw"),
        worker_password: secret("workerpw"),
        loader_password: secret("loaderpw"),
        reader_password: secret("readerpw"),
        ..server.config()
    };
    (server, config)
}

async fn login(config: &Redis, user: &str, password: &Secret) -> MultiplexedConnection {
    let url = format!(
        "redis://{user}:{}@{}:{}/",
        password.reveal(),
        config.host,
        config.port
    );
    redis::Client::open(url)
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap()
}

#[tokio::test]
async fn users_are_made_once_and_made_right_again() {
    let (_server, config) = guarded().await;
    let all = ["instashop_live", "instashop_loader", "instashop_reader"];
    assert_eq!(inspect(&config).await.unwrap(), all);
    let applied = apply(&config).await.unwrap();
    assert_eq!(applied.changed, all);
    assert!(!applied.kept, "this server has no file of users");
    assert_eq!(inspect(&config).await.unwrap(), Vec::<String>::new());
    assert_eq!(apply(&config).await.unwrap().changed, Vec::<String>::new());
    // Somebody gives the reader more.
    let mut admin = login(&config, "admin", &config.admin_password).await;
    redis::cmd("ACL")
        .arg(&["SETUSER", "instashop_reader", "+flushall"])
        .exec_async(&mut admin)
        .await
        .unwrap();
    assert_eq!(inspect(&config).await.unwrap(), ["instashop_reader"]);
    assert_eq!(apply(&config).await.unwrap().changed, ["instashop_reader"]);
    let missing = Redis {
        loader_password: Secret::default(),
        ..config.clone()
    };
    let error = apply(&missing).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Permanent);
    assert!(error.to_string().contains("loader"), "{error}");
}

#[tokio::test]
async fn users_outlive_a_restart_where_the_server_has_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.acl");
    std::fs::write(&file, "user default off\nuser admin on >adminpw ~* &* +@all\n").unwrap();
    let server = Server::start_guarded(&["--aclfile", file.to_str().unwrap()]).await;
    let secret = |text: &str| Secret::new(text.into());
    let config = Redis {
        admin_password: secret("adminpw"),
        worker_password: secret("workerpw"),
        loader_password: secret("loaderpw"),
        reader_password: secret("readerpw"),
        ..server.config()
    };
    assert!(apply(&config).await.unwrap().kept);
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("user instashop_live on"), "{kept}");
    assert!(!kept.contains("workerpw"), "passwords are kept as digests");
}

#[tokio::test]
async fn the_product_works_with_the_rights_of_its_users() {
    let (_server, config) = guarded().await;
    apply(&config).await.unwrap();
    let meaning = Meaning::default();
    let topics = ["transaction", "transactiondetail", "product", "userbehavior"];
    let mut desk = Desk::open(LiveSink::new(&config, &meaning), &topics).await;
    desk.apply("transaction", vec![order(1, 10, 500)]).await;
    desk.apply("transactiondetail", vec![line(1, 11, 1, 3)]).await;
    desk.apply("product", vec![product(3, 12, "Home")]).await;
    desk.apply("userbehavior", vec![search(1, 13)]).await;
    let old = desk.sink.generation().unwrap().to_owned();
    let worker = WorkerHealth {
        worker: "w".into(),
        seen_at: noon(),
        ..WorkerHealth::default()
    };
    let bulletin = Bulletin {
        worker: &worker,
        rebuild: None,
        watched: Some(Watched {
            sources: &[],
            brokers: Some((3, 3)),
        }),
    };
    let mut publisher = LivePublisher::new(&config, &meaning);
    publisher.publish(&bulletin, noon()).await.unwrap();
    let mut reader = LiveReader::connect(&config, &meaning).await.unwrap();
    assert_eq!(reader.live(noon()).await.unwrap().today.revenue_cents, 500);
    assert_eq!(reader.system(noon()).await.unwrap().flow.brokers_up, Some((3, 3)));
    assert_eq!(reader.dump().await.unwrap().faults, Vec::<String>::new());
    // A new generation: the old keys go.
    desk.sink.start_anew(noon()).await.unwrap();
    publisher.publish(&bulletin, noon()).await.unwrap();
    let mut admin = login(&config, "admin", &config.admin_password).await;
    let left: Vec<String> = redis::cmd("KEYS")
        .arg(format!("live:{old}:*"))
        .query_async(&mut admin)
        .await
        .unwrap();
    assert_eq!(left, Vec::<String>::new());
    // Nothing above was refused.
    let log: Vec<redis::Value> = redis::cmd("ACL")
        .arg("LOG")
        .query_async(&mut admin)
        .await
        .unwrap();
    assert!(log.is_empty(), "{log:?}");
}

#[tokio::test]
async fn what_is_not_allowed_is_refused() {
    let (_server, config) = guarded().await;
    apply(&config).await.unwrap();
    let users = [
        (config.worker_user.clone(), config.worker_password.clone()),
        (config.loader_user.clone(), config.loader_password.clone()),
        (config.reader_user.clone(), config.reader_password.clone()),
    ];
    let nobody: [&[&str]; 12] = [
        &["FLUSHALL"],
        &["FLUSHDB"],
        &["CONFIG", "GET", "*"],
        &["KEYS", "*"],
        &["CLIENT", "LIST"],
        &["ACL", "LIST"],
        &["EVAL", "return 1", "0"],
        &["DEL", "live:meta"],
        &["RENAME", "live:meta", "live:x"],
        &["SHUTDOWN"],
        &["MONITOR"],
        &["GET", "foreign:key"],
    ];
    for (user, password) in &users {
        let mut connection = login(&config, user, password).await;
        for command in nobody {
            refused(&mut connection, user, command).await;
        }
    }
    let matrix: [(usize, &[&[&str]]); 3] = [
        (
            0,
            &[
                &["SCRIPT", "LOAD", "return 1"],
                &["HSET", "foreign", "a", "b"],
                &["SET", "sealed:20260821", "x"],
                &["HSET", "sealed:20260821", "a", "b"],
                &["UNLINK", "foreign"],
            ],
        ),
        (
            1,
            &[
                &["SCRIPT", "FLUSH"],
                &["HGET", "live:meta", "gen"],
                &["EVALSHA", "0000000000000000000000000000000000000000", "0"],
                &["SCAN", "0"],
            ],
        ),
        (
            2,
            &[
                &["SCRIPT", "LOAD", "return 1"],
                &["HSET", "live:meta", "gen", "1"],
                &["SET", "live:x", "1"],
                &["UNLINK", "live:meta"],
                &["HGET", "metrics:x", "a"],
                &["EVALSHA", "0000000000000000000000000000000000000000", "0"],
            ],
        ),
    ];
    for (index, commands) in matrix {
        let (user, password) = &users[index];
        let mut connection = login(&config, user, password).await;
        for command in commands {
            refused(&mut connection, user, command).await;
        }
    }
}

async fn refused(connection: &mut MultiplexedConnection, user: &str, words: &[&str]) {
    let mut command = redis::cmd(words[0]);
    for word in &words[1..] {
        command.arg(*word);
    }
    let answer: Result<redis::Value, redis::RedisError> = command.query_async(connection).await;
    let error = answer.expect_err(&format!("{user} may {words:?}"));
    assert_eq!(error.code(), Some("NOPERM"), "{user} {words:?}: {error}");
}
