//! Loopback ports: is one free, who has it, and one plain HTTP request.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::thread;
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, WrapErr, bail};

use super::process::LOOK;
use super::server::Trouble;
use super::service::Service;
use super::settings::Ports;

/// How long a server on this machine may take to answer a probe.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// The loopback address of a port.
pub(super) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Connects within the patience of a probe and limits every later read and write to it.
pub(super) fn connect(port: u16) -> Result<TcpStream, Trouble> {
    let set_up = || {
        let stream = TcpStream::connect_timeout(&loopback(port), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    set_up().map_err(|error: std::io::Error| {
        Trouble::not_yet(format!("nothing answers on 127.0.0.1:{port} ({})", error.kind()))
    })
}

/// Fails with a sentence for a person when somebody else listens on the port. The kernel may need a moment to close
/// the sockets of a server that was just killed, which then belong to nobody; that is what the patience is for.
pub(super) fn ensure_free(service: Service, port: u16, patience: Duration) -> Result<()> {
    let begun = Instant::now();
    let mut tried = TcpListener::bind(loopback(port));
    let is_orphan = tried.is_err() && holder(port).is_none();
    let end = begun + if is_orphan { PATIENCE } else { patience };
    while tried.is_err() && Instant::now() < end {
        thread::sleep(LOOK);
        tried = TcpListener::bind(loopback(port));
    }
    match tried {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!("{}", conflict(service, port, holder(port).as_deref()))
        }
        Err(error) => Err(error).wrap_err_with(|| format!("port {port} for {service} cannot be used")),
    }
}

fn conflict(service: Service, port: u16, holder: Option<&str>) -> String {
    let (option, variable) = Ports::setting(service);
    let holder = holder.unwrap_or("another process");
    format!(
        "port {port} for {service} is taken by {holder}: stop it, or choose another port with {option} or {variable} \
         (all ports at once: --port-offset)"
    )
}

/// Name and id of the process that listens on a port, as far as this user may know.
fn holder(port: u16) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let sockets: Vec<String> = tables
        .into_iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|text| listening_sockets(&text, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let has_socket = |pid: i32| {
        let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            return false;
        };
        open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .any(|link| {
                sockets
                    .iter()
                    .any(|socket| link.as_os_str().as_bytes() == socket.as_bytes())
            })
    };
    let pids = fs::read_dir("/proc")
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let pid = pids.into_iter().find(|pid: &i32| has_socket(*pid))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    // Where it runs tells one stack's server from another's.
    let place = fs::read_link(format!("/proc/{pid}/cwd"))
        .map_or_else(|_| String::new(), |at| format!(" in {}", at.display()));
    Some(format!("`{}` (process {pid}{place})", name.trim()))
}

/// Inodes of the sockets that listen on the port, from the text of `/proc/net/tcp`: the local address is the second
/// field with the port in hexadecimal after a colon, the state the fourth (0A = listening), the inode the tenth.
fn listening_sockets(table: &str, port: u16) -> Vec<u64> {
    let wanted = format!(":{port:04X}");
    let lines = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter(|fields| fields.len() > 9 && fields[1].ends_with(&wanted) && fields[3] == "0A")
        .filter_map(|fields| fields[9].parse().ok())
        .collect()
}

/// Words for a server that accepts a connection and then says nothing, or only half of it.
pub(super) fn no_answer(error: &std::io::Error) -> Trouble {
    Trouble::not_yet(match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => format!("no answer within {} s", PATIENCE.as_secs()),
        ErrorKind::UnexpectedEof => "it ended the connection".to_owned(),
        kind => format!("no answer ({kind})"),
    })
}

/// One GET on the loopback: status and body. HTTP/1.0, so that the body ends with the connection and is never in
/// chunks.
pub(super) fn http_get(port: u16, path: &str) -> Result<(u16, String), Trouble> {
    let mut stream = connect(port)?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .map_err(|error| no_answer(&error))?;
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .map_err(|error| no_answer(&error))?;
    parse_http(&String::from_utf8_lossy(&answer))
        .ok_or_else(|| Trouble::not_yet("what answers does not speak HTTP"))
}

fn parse_http(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let line = head.lines().next()?.strip_prefix("HTTP/")?;
    Some((line.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_names_port_service_holder_and_cure() {
        insta::assert_snapshot!(conflict(Service::Redis, 16379, Some("`redis-server` (process 321 in /other/.stack/redis)")),
            @"port 16379 for redis is taken by `redis-server` (process 321 in /other/.stack/redis): stop it, or choose another port with --redis-port or INSTASHOP_STACK_REDIS_PORT (all ports at once: --port-offset)");
        insta::assert_snapshot!(conflict(Service::Kafka(2), 19093, None),
            @"port 19093 for kafka-2 is taken by another process: stop it, or choose another port with --kafka-port or INSTASHOP_STACK_KAFKA_PORT (all ports at once: --port-offset)");
    }

    #[test]
    fn a_taken_port_names_this_very_process() {
        let mine = TcpListener::bind(loopback(0)).unwrap();
        let port = mine.local_addr().unwrap().port();
        let error = ensure_free(Service::Connect, port, Duration::ZERO)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&format!("(process {} in ", std::process::id())),
            "{error}"
        );
        drop(mine);
        ensure_free(Service::Connect, port, PATIENCE).unwrap();
    }

    #[test]
    fn sockets_from_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:3FFB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1 0 100 0 0 10 0\n   \
            1: 0100007F:3FFB 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 778 1 0 100 0 0 10 0\n   \
            2: 0100007F:13FF 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 779 1 0 100 0 0 10 0\n";
        assert_eq!(listening_sockets(table, 16379), [777]);
        assert_eq!(listening_sockets(table, 1), Vec::<u64>::new());
    }

    #[test]
    fn answers_of_http() {
        let whole = "HTTP/1.1 200 OK\r\nContent-Type: x\r\n\r\n[1]";
        assert_eq!(parse_http(whole), Some((200, "[1]".to_owned())));
        for broken in ["", "HTTP/1.1 200 OK\r\n", "+PONG\r\n\r\n", "HTTP/1.1 x\r\n\r\n"] {
            assert_eq!(parse_http(broken), None, "{broken:?}");
        }
    }
}
