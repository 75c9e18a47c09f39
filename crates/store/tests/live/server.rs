//! A Redis of the test's own: a child process on a free port, gone with the test.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use instashop_core::config::Redis;
use redis::aio::MultiplexedConnection;

/// A running `redis-server`.
pub struct Server {
    child: Child,
    folder: tempfile::TempDir,
    settings: Vec<String>,
    pub port: u16,
}

impl Server {
    /// Starts one with further settings, such as `["--maxmemory", "3mb"]`. Fails the test when it cannot.
    pub async fn start(settings: &[&str]) -> Self {
        let server = Self::spawn(settings);
        server.wait(async || server.try_connect().await.is_ok()).await;
        server
    }

    /// Starts one that lets nobody in without a password.
    pub async fn start_guarded(settings: &[&str]) -> Self {
        let server = Self::spawn(settings);
        let address = ("127.0.0.1", server.port);
        server
            .wait(async || tokio::net::TcpStream::connect(address).await.is_ok())
            .await;
        server
    }

    fn spawn(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        Self {
            child: Self::launch(folder.path(), port, &settings),
            folder,
            settings,
            port,
        }
    }

    fn launch(folder: &Path, port: u16, settings: &[String]) -> Child {
        Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args([
                "--maxmemory-policy",
                "noeviction",
                "--hash-max-listpack-value",
                "256",
            ])
            .args(["--port", &port.to_string(), "--dir"])
            .arg(folder)
            .args(settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need the program redis-server (package redis-server)")
    }

    /// Kills the server hard and starts it again on what it left on the disk; waits until it has loaded that.
    pub async fn restart(&mut self, user: &str, password: &str) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = Self::launch(self.folder.path(), self.port, &self.settings);
        let url = format!("redis://{user}:{password}@127.0.0.1:{}/", self.port);
        let client = redis::Client::open(url).unwrap();
        self.wait(async || {
            let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
                return false;
            };
            redis::cmd("PING").exec_async(&mut connection).await.is_ok()
        })
        .await;
    }

    async fn wait(&self, answers: impl AsyncFn() -> bool) {
        let since = Instant::now();
        while !answers().await {
            assert!(
                since.elapsed() < Duration::from_secs(20),
                "redis-server does not answer"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn try_connect(&self) -> Result<MultiplexedConnection, redis::RedisError> {
        redis::Client::open(("127.0.0.1", self.port))?
            .get_multiplexed_async_connection()
            .await
    }

    /// A connection that may do everything.
    pub async fn admin(&self) -> MultiplexedConnection {
        self.try_connect().await.unwrap()
    }

    /// The configuration that leads here, without users.
    pub fn config(&self) -> Redis {
        Redis {
            host: "127.0.0.1".into(),
            port: self.port,
            ..Redis::default()
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All keys of a Redis, to go back to later.
#[derive(Clone)]
pub struct Copy(Vec<(Vec<u8>, i64, Vec<u8>)>);

/// Takes a copy.
pub async fn copy(admin: &mut MultiplexedConnection) -> Copy {
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query_async(admin).await.unwrap();
    if keys.is_empty() {
        return Copy(Vec::new());
    }
    let mut pipeline = redis::pipe();
    for key in &keys {
        pipeline.cmd("PTTL").arg(key).cmd("DUMP").arg(key);
    }
    let values: Vec<redis::Value> = pipeline.query_async(admin).await.unwrap();
    let mut taken = Vec::new();
    for (key, pair) in keys.into_iter().zip(values.chunks(2)) {
        let [redis::Value::Int(ttl), redis::Value::BulkString(dump)] = pair else {
            continue;
        };
        taken.push((key, (*ttl).max(0), dump.clone()));
    }
    Copy(taken)
}

/// Goes back to a copy.
pub async fn restore(admin: &mut MultiplexedConnection, copy: &Copy) {
    let mut pipeline = redis::pipe();
    pipeline.atomic().cmd("FLUSHALL").ignore();
    for (key, ttl, dump) in &copy.0 {
        pipeline.cmd("RESTORE").arg(key).arg(*ttl).arg(dump).ignore();
    }
    let () = pipeline.query_async(admin).await.unwrap();
}
