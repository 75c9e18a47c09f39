//! A connection that fails at the worst moment: stands between a worker and PostgreSQL and acts when a COMMIT passes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to the next COMMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Mischief {
    None,
    /// The connection breaks and the server never sees the COMMIT.
    CutBefore,
    /// The server commits, the connection breaks before its answer.
    CutAfter,
    /// The server rolls back instead and answers without an error, as it does for an aborted transaction.
    RollBack,
}

pub(super) struct Proxy {
    pub(super) port: u16,
    next: Arc<AtomicU8>,
}

impl Proxy {
    pub(super) async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let next = Arc::new(AtomicU8::new(Mischief::None as u8));
        let shared = next.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                tokio::spawn(relay(client, server, shared.clone()));
            }
        });
        Self { port, next }
    }

    pub(super) fn prepare(&self, mischief: Mischief) {
        self.next.store(mischief as u8, Ordering::SeqCst);
    }
}

async fn relay(mut client: TcpStream, mut server: TcpStream, next: Arc<AtomicU8>) {
    let (mut up, mut down) = (vec![0; 65536], vec![0; 65536]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(1..) = read else { return };
                let mut bytes = up[..read.unwrap()].to_vec();
                if let Some(at) = bytes.windows(7).position(|word| word == b"COMMIT;") {
                    let mischief = next.swap(Mischief::None as u8, Ordering::SeqCst);
                    if mischief == Mischief::CutBefore as u8 {
                        return;
                    }
                    if mischief == Mischief::RollBack as u8 {
                        bytes[at..at + 7].copy_from_slice(b"ABORT ;");
                    }
                    if mischief == Mischief::CutAfter as u8 {
                        server.write_all(&bytes).await.unwrap();
                        let _ = server.read(&mut down).await;
                        return;
                    }
                }
                server.write_all(&bytes).await.unwrap();
            }
            read = server.read(&mut down) => {
                let Ok(read @ 1..) = read else { return };
                client.write_all(&down[..read]).await.unwrap();
            }
        }
    }
}
