//! A TCP proxy between a worker and its store, with the faults of a network.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr};

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// It works.
    Good,
    /// Nothing moves in either direction, and nobody is told.
    Silent,
    /// What the worker asks arrives, the answer does not: the connection is cut instead.
    LosesAnswers,
    /// Connections are cut and refused.
    Cut,
    /// Every piece takes half a second.
    Slow,
}

impl Network {
    const ALL: [Self; 5] = [
        Self::Good,
        Self::Silent,
        Self::LosesAnswers,
        Self::Cut,
        Self::Slow,
    ];
}

/// A running proxy. Its threads end with the process or with their connections.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) port: u16,
    network: Arc<AtomicU8>,
}

impl Proxy {
    /// Listens on a free port of the loopback and forwards to `target`.
    pub(super) fn start(target: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).wrap_err("no port for the proxy")?;
        let port = listener.local_addr().wrap_err("the proxy has no address")?.port();
        let network = Arc::new(AtomicU8::new(0));
        let shared = Arc::clone(&network);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let network = Arc::clone(&shared);
                if state(&network) == Network::Cut {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else {
                    continue;
                };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (Ok(client_again), Ok(server_again)) = (client.try_clone(), server.try_clone()) else {
                    continue;
                };
                let other = Arc::clone(&network);
                thread::spawn(move || forward(client, server, &network, false));
                thread::spawn(move || forward(server_again, client_again, &other, true));
            }
        });
        Ok(Self { port, network })
    }

    pub(super) fn set(&self, network: Network) {
        self.network.store(network as u8, Ordering::SeqCst);
    }
}

fn state(network: &AtomicU8) -> Network {
    let value = usize::from(network.load(Ordering::SeqCst));
    Network::ALL.get(value).copied().unwrap_or(Network::Good)
}

/// Moves bytes one way until either side ends or the network cuts them.
fn forward(mut from: TcpStream, mut to: TcpStream, network: &AtomicU8, is_answer: bool) {
    let mut bytes = vec![0; 64 * 1024];
    let _ = from.set_read_timeout(Some(Duration::from_millis(100)));
    loop {
        let read = match from.read(&mut bytes) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if is_timeout(&error) && state(network) != Network::Cut => continue,
            Err(_) => break,
        };
        while state(network) == Network::Silent {
            thread::sleep(Duration::from_millis(20));
        }
        match state(network) {
            Network::Cut => break,
            Network::LosesAnswers if is_answer => break,
            Network::Slow => thread::sleep(Duration::from_millis(500)),
            _ => {}
        }
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
    )
}
