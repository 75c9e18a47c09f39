//! Kafka in KRaft mode: one broker that is also the controller, or three of them with three copies of everything.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use color_eyre::eyre::{Result, WrapErr, bail};

use super::jars::pinned;
use super::jvm::Program;
use super::port;
use super::process::{Launch, server_environment};
use super::server::{Health, Trouble, Workshop};
use super::service::Service;
use super::state::{Stack, State, make_folder, scratch, write_private};

/// Copies of every topic, and how many of them must have a record before it counts as written.
pub(super) fn replication(brokers: u8) -> (u8, u8) {
    if brokers >= 3 { (3, 2) } else { (1, 1) }
}

/// The broker's settings as tried out (docs: stack, appendix). The short session makes the return after a kill take
/// five seconds instead of twelve.
fn properties(state: &State, node: u8, data: &Path) -> String {
    let (copies, in_sync) = replication(state.brokers);
    let voters: Vec<String> = (1..=state.brokers)
        .map(|node| format!("127.0.0.1:{}", state.ports.controller(node)))
        .collect();
    format!(
        "# Written by `stack up`.
process.roles=broker,controller
node.id={node}
controller.quorum.bootstrap.servers={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
num.partitions=3
default.replication.factor={copies}
min.insync.replicas={in_sync}
unclean.leader.election.enable=false
auto.create.topics.enable=false
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=10
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
log.segment.bytes=67108864
log.retention.hours=168
compression.type=producer
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
",
        voters = voters.join(","),
        port = state.ports.of(Service::Kafka(node)),
        controller = state.ports.controller(node),
        data = data.display(),
    )
}

/// `id@host:port:folder id` of every member of the quorum.
fn voters(state: &State) -> String {
    let folders = (1..=state.brokers).zip(&state.kafka_folders);
    let each =
        folders.map(|(node, folder)| format!("{node}@127.0.0.1:{}:{folder}", state.ports.controller(node)));
    each.collect::<Vec<_>>().join(",")
}

/// Formats the data folder when there is none, writes the settings, and says how to start the broker.
pub(super) fn prepare(workshop: &Workshop, node: u8) -> Result<Launch> {
    let stack = &workshop.stack;
    let service = Service::Kafka(node);
    let home = stack.home(service);
    make_folder(&home, 0o700)?;
    let data = home.join("data");
    let text = properties(&stack.state, node, &data);
    let file = home.join("server.properties");
    let program = Program {
        kind: "kafka",
        main: "kafka.Kafka",
        heap: if stack.state.brokers == 1 { 512 } else { 384 },
        properties: (&file, &text),
        informative: &[
            "org.apache.kafka.common.utils.AppInfoParser",
            "kafka.server.KafkaRaftServer",
        ],
        environment: Vec::new(),
    };
    let launch = program.launch(workshop, service)?;
    if !data.join("meta.properties").is_file() {
        format_data(workshop, node, &launch, &home)?;
    }
    Ok(launch)
}

/// Formats beside the final place and moves the result there whole.
fn format_data(workshop: &Workshop, node: u8, launch: &Launch, home: &Path) -> Result<()> {
    let state = &workshop.stack.state;
    let (fresh, data) = (scratch(home, "data"), home.join("data"));
    make_folder(&fresh, 0o700)?;
    let file = scratch(home, "format.properties");
    write_private(&file, &properties(state, node, &fresh))?;
    let output = Command::new(&launch.program)
        .arg(&launch.arguments[0])
        .args([
            "kafka.tools.StorageTool",
            "format",
            "--cluster-id",
            &state.kafka_cluster,
            "--initial-controllers",
        ])
        .arg(voters(state))
        .arg("--config")
        .arg(&file)
        .current_dir(home)
        .env_clear()
        .envs(server_environment())
        .stdin(Stdio::null())
        .output()
        .wrap_err("Kafka's storage tool cannot be started");
    fs::remove_file(&file).wrap_err_with(|| format!("{} cannot be removed", file.display()))?;
    let output = output?;
    if !output.status.success() || !fresh.join("meta.properties").is_file() {
        let said = [output.stdout, output.stderr].concat();
        bail!(
            "Kafka's data folder cannot be formatted:\n{}",
            String::from_utf8_lossy(&said).trim()
        );
    }
    fs::rename(&fresh, &data).wrap_err_with(|| format!("{} cannot be made", data.display()))
}

/// Asks the broker who is in the cluster. It works when it lists itself, which it does once the controller has let it
/// in; an open port alone comes earlier.
pub(super) fn probe(stack: &Stack, node: u8) -> Result<Health, Trouble> {
    let nodes = members(stack.state.ports.of(Service::Kafka(node)))?;
    if !nodes.contains(&i32::from(node)) {
        return Err(Trouble::not_yet("it is not a member of the cluster yet"));
    }
    let detail = format!("{} of {} broker(s)", nodes.len(), stack.state.brokers);
    Ok(Health {
        version: pinned("kafka.version").to_owned(),
        detail,
    })
}

/// Ids of the brokers in the cluster, by a Metadata request (key 3, version 1) for no topic. The answer names a
/// controller too, but in KRaft mode that is any broker.
fn members(port: u16) -> Result<Vec<i32>, Trouble> {
    let mut stream = port::connect(port)?;
    let client = b"stack";
    let mut body: Vec<u8> = Vec::new();
    body.extend(3_i16.to_be_bytes());
    body.extend(1_i16.to_be_bytes());
    body.extend(1_i32.to_be_bytes());
    body.extend((client.len() as i16).to_be_bytes());
    body.extend(client);
    body.extend(0_i32.to_be_bytes());
    let request = [&(body.len() as i32).to_be_bytes()[..], &body].concat();
    stream
        .write_all(&request)
        .map_err(|error| port::no_answer(&error))?;
    let mut size = [0; 4];
    stream
        .read_exact(&mut size)
        .map_err(|error| port::no_answer(&error))?;
    let size = i32::from_be_bytes(size);
    if !(4..1_000_000).contains(&size) {
        return Err(Trouble::not_yet("what answers is not Kafka"));
    }
    let mut answer = vec![0; size as usize];
    stream
        .read_exact(&mut answer)
        .map_err(|error| port::no_answer(&error))?;
    parse_members(&answer).ok_or_else(|| Trouble::not_yet("what answers is not Kafka"))
}

fn parse_members(answer: &[u8]) -> Option<Vec<i32>> {
    let mut rest = answer.get(4..)?;
    let count = take_i32(&mut rest)?;
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(take_i32(&mut rest)?);
        skip_text(&mut rest)?;
        take_i32(&mut rest)?;
        skip_text(&mut rest)?;
    }
    Some(nodes)
}

fn take_i32(rest: &mut &[u8]) -> Option<i32> {
    let (head, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(i32::from_be_bytes(*head))
}

/// A text with its length in two bytes; the length -1 stands for none.
fn skip_text(rest: &mut &[u8]) -> Option<()> {
    let (head, tail) = rest.split_first_chunk::<2>()?;
    let length = usize::try_from(i16::from_be_bytes(*head)).unwrap_or(0);
    *rest = tail.get(length..)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::settings::Ports;

    fn state(brokers: u8) -> State {
        State {
            brokers,
            services: Vec::new(),
            kafka_cluster: "c".to_owned(),
            kafka_folders: (1..=brokers).map(|node| format!("folder{node}")).collect(),
            ports: Ports::default(),
            secrets: super::super::state::Secrets::default(),
        }
    }

    #[test]
    fn the_single_broker() {
        insta::assert_snapshot!(properties(&state(1), 1, Path::new("/data/kafka/1/data")));
    }

    #[test]
    fn the_second_of_three() {
        insta::assert_snapshot!(properties(&state(3), 2, Path::new("/data/kafka/2/data")));
        assert_eq!(
            voters(&state(3)),
            "1@127.0.0.1:19192:folder1,2@127.0.0.1:19193:folder2,3@127.0.0.1:19194:folder3"
        );
    }

    #[test]
    fn members_of_an_answer() {
        let mut answer = vec![0, 0, 0, 1, 0, 0, 0, 2];
        for node in [1_u8, 3] {
            answer.extend([0, 0, 0, node, 0, 1, b'h', 0, 0, 0x4a, 0x94, 0xff, 0xff]);
        }
        answer.extend([0, 0, 0, 3, 9, 9]);
        assert_eq!(parse_members(&answer), Some(vec![1, 3]));
        for length in 0..answer.len() - 6 {
            assert_eq!(parse_members(&answer[..length]), None, "{length}");
        }
    }
}
