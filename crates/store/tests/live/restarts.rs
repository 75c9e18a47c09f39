//! A Redis that starts again on its append-only file. It checks what scripts wrote against the rights of the default
//! user and leaves out what these do not cover; the product needs to get by with that, and `setup` to end it.

use instashop_core::config::{Meaning, Redis, Secret};
use instashop_store::Sink;
use instashop_store::live::access::{apply, inspect};
use instashop_store::live::{LiveReader, LiveSink};

use crate::changes::{Desk, noon, order, partition};
use crate::server::Server;

/// What the default user of a guarded server may do.
const NARROW: &str = "resetkeys resetchannels -@all";
const WIDE: &str = "resetpass ~* &* +@all";

/// A server with an append-only file, a default user that is off, and the users of the product.
async fn guarded(folder: &tempfile::TempDir, default: &str) -> (Server, Redis) {
    let file = folder.path().join("users.acl");
    let users = format!("user default off {default}\nuser admin on >adminpw ~* &* +@all\n");
    std::fs::write(&file, users).unwrap();
    let settings = ["--appendonly", "yes", "--appendfsync", "always", "--aclfile"];
    let server = Server::start_guarded(&[&settings[..], &[file.to_str().unwrap()]].concat()).await;
    let secret = |text: &str| Secret::new(text.into());
    let config = Redis {
        admin_password: secret("adminpw"),
        worker_password: secret("workerpw"),
        loader_password: secret("loaderpw"),
        reader_password: secret("readerpw"),
        ..server.config()
    };
    apply(&config).await.unwrap();
    (server, config)
}

async fn revenue_cents(config: &Redis) -> i64 {
    let mut reader = LiveReader::connect(config, &Meaning::default()).await.unwrap();
    assert_eq!(reader.dump().await.unwrap().faults, Vec::<String>::new());
    reader.live(noon()).await.unwrap().today.revenue_cents
}

/// Where a new worker would begin.
async fn checkpoint(config: &Redis) -> i64 {
    let mut sink = LiveSink::new(config, &Meaning::default());
    let owned = sink.recover(&[partition("transaction")], noon()).await.unwrap();
    owned[0].checkpoint
}

#[tokio::test]
async fn what_scripts_wrote_outlives_a_restart() {
    for default in [WIDE, NARROW] {
        let folder = tempfile::tempdir().unwrap();
        // Setup widens the rights of a default user that is off.
        let (mut server, config) = guarded(&folder, default).await;
        assert_eq!(inspect(&config).await.unwrap(), Vec::<String>::new());
        let mut desk = Desk::open(LiveSink::new(&config, &Meaning::default()), &["transaction"]).await;
        desk.apply("transaction", vec![order(1, 10, 500), order(2, 11, 250)])
            .await;
        server.restart("admin", "adminpw").await;
        assert_eq!(revenue_cents(&config).await, 750, "{default}");
        assert_eq!(checkpoint(&config).await, 2, "{default}");
    }
}

/// Somebody narrows the default user while the product runs, and Redis is restarted: what scripts wrote is gone. No
/// checkpoint may stay behind, also none of a batch that changed no total.
#[tokio::test]
async fn no_checkpoint_outlives_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, config) = guarded(&folder, WIDE).await;
    let narrow = async |rules: &str| {
        let url = format!("redis://admin:adminpw@127.0.0.1:{}/", config.port);
        let client = redis::Client::open(url).unwrap();
        let mut admin = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd("ACL");
        command.arg("SETUSER").arg("default");
        rules.split(' ').for_each(|rule| {
            command.arg(rule);
        });
        command.exec_async(&mut admin).await.unwrap();
        redis::cmd("ACL")
            .arg("SAVE")
            .exec_async(&mut admin)
            .await
            .unwrap();
    };
    let mut desk = Desk::open(LiveSink::new(&config, &Meaning::default()), &["transaction"]).await;
    desk.apply("transaction", vec![order(1, 10, 500)]).await;
    // An older version of the same row: nothing to add, the checkpoint moves.
    desk.apply("transaction", vec![order(1, 5, 999)]).await;
    narrow(NARROW).await;
    server.restart("admin", "adminpw").await;
    assert_eq!(inspect(&config).await.unwrap(), ["default"]);
    assert_eq!(checkpoint(&config).await, 0, "read again from the beginning");
    assert_eq!(revenue_cents(&config).await, 0);
}
