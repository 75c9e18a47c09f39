//! Where the stack lives and on which ports: the options of the command line and what they turn into.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use clap::Args;
use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::account::Account;
use super::service::{Cluster, Service};

/// Options that every `stack` command takes. What is not given here is what the last `up` used, then the default.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Options {
    /// Folder for the stack's data [default: .stack in the project]
    #[arg(long, value_name = "DIR", env = "INSTASHOP_STACK_DATA", global = true)]
    pub(super) data: Option<PathBuf>,
    /// Folder for Kafka, Connect and Debezium [default: in the user's cache, shared by all stacks]
    #[arg(
        long,
        value_name = "DIR",
        env = "INSTASHOP_STACK_JARS",
        global = true,
        help_heading = "Places"
    )]
    pub(super) jars: Option<PathBuf>,
    /// Folder with initdb and postgres [default: found under /usr/lib/postgresql and on PATH]
    #[arg(
        long,
        value_name = "DIR",
        env = "INSTASHOP_STACK_POSTGRES_BIN",
        global = true,
        help_heading = "Places"
    )]
    pub(super) postgres_bin: Option<PathBuf>,
    /// Kafka brokers, 1 or 3 (fixed when the data folder is made) [default: 1]
    #[arg(long, value_name = "N", env = "INSTASHOP_STACK_BROKERS", global = true)]
    pub(super) brokers: Option<u8>,
    /// Added to every default port: a second stack beside the first
    #[arg(
        long,
        value_name = "N",
        env = "INSTASHOP_STACK_PORT_OFFSET",
        global = true,
        help_heading = "Ports"
    )]
    pub(super) port_offset: Option<u16>,
    /// Port of the source instashop [default: 15432]
    #[arg(
        long,
        value_name = "PORT",
        env = "INSTASHOP_STACK_INSTASHOP_PORT",
        global = true,
        help_heading = "Ports"
    )]
    pub(super) instashop_port: Option<u16>,
    /// Port of the source crm_db [default: 15433]
    #[arg(
        long,
        value_name = "PORT",
        env = "INSTASHOP_STACK_CRM_PORT",
        global = true,
        help_heading = "Ports"
    )]
    pub(super) crm_port: Option<u16>,
    /// Port of the source erp_db [default: 15434]
    #[arg(
        long,
        value_name = "PORT",
        env = "INSTASHOP_STACK_ERP_PORT",
        global = true,
        help_heading = "Ports"
    )]
    pub(super) erp_port: Option<u16>,
    /// Port of the source ecommerce_db [default: 15435]
    #[arg(
        long,
        value_name = "PORT",
        env = "INSTASHOP_STACK_ECOMMERCE_PORT",
        global = true,
        help_heading = "Ports"
    )]
    pub(super) ecommerce_port: Option<u16>,
    /// Port of the warehouse [default: 15436]
    #[arg(
        long,
        value_name = "PORT",
        env = "INSTASHOP_STACK_WAREHOUSE_PORT",
        global = true,
        help_heading = "Ports"
    )]
    pub(super) warehouse_port: Option<u16>,
    /// Port of the first broker; its controller listens 100 higher [default: 19092]
    #[arg(
        long,
        value_name = "PORT",
        env = "INSTASHOP_STACK_KAFKA_PORT",
        global = true,
        help_heading = "Ports"
    )]
    pub(super) kafka_port: Option<u16>,
    /// Port of Kafka Connect [default: 18083]
    #[arg(
        long,
        value_name = "PORT",
        env = "INSTASHOP_STACK_CONNECT_PORT",
        global = true,
        help_heading = "Ports"
    )]
    pub(super) connect_port: Option<u16>,
    /// Port of Redis [default: 16379]
    #[arg(
        long,
        value_name = "PORT",
        env = "INSTASHOP_STACK_REDIS_PORT",
        global = true,
        help_heading = "Ports"
    )]
    pub(super) redis_port: Option<u16>,
}

/// The ports of one stack, loopback only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ports {
    /// Source instashop.
    pub(super) instashop: u16,
    /// Source crm_db.
    pub(super) crm: u16,
    /// Source erp_db.
    pub(super) erp: u16,
    /// Source ecommerce_db.
    pub(super) ecommerce: u16,
    /// Warehouse dwh_db.
    pub(super) warehouse: u16,
    /// First broker; the others follow it.
    pub(super) kafka: u16,
    /// Kafka Connect's REST interface.
    pub(super) connect: u16,
    /// Redis.
    pub(super) redis: u16,
}

/// How far a broker's controller port is above its client port.
const CONTROLLER_ABOVE: u16 = 100;

impl Default for Ports {
    /// The private ports of the local stack (docs: architecture, "Programs and commands").
    fn default() -> Self {
        Self {
            instashop: 15432,
            crm: 15433,
            erp: 15434,
            ecommerce: 15435,
            warehouse: 15436,
            kafka: 19092,
            connect: 18083,
            redis: 16379,
        }
    }
}

impl Ports {
    /// The port on which a client reaches the service.
    pub(super) fn of(&self, service: Service) -> u16 {
        match service {
            Service::Postgres(Cluster::Instashop) => self.instashop,
            Service::Postgres(Cluster::Crm) => self.crm,
            Service::Postgres(Cluster::Erp) => self.erp,
            Service::Postgres(Cluster::Ecommerce) => self.ecommerce,
            Service::Postgres(Cluster::Warehouse) => self.warehouse,
            Service::Redis => self.redis,
            Service::Kafka(node) => self.kafka + u16::from(node) - 1,
            Service::Connect => self.connect,
        }
    }

    /// The port on which the brokers' controllers talk to each other.
    pub(super) fn controller(&self, node: u8) -> u16 {
        self.of(Service::Kafka(node)) + CONTROLLER_ABOVE
    }

    /// `host:port` of every broker, as clients want it.
    pub(super) fn bootstrap(&self, brokers: u8) -> String {
        let each = (1..=brokers).map(|node| format!("127.0.0.1:{}", self.of(Service::Kafka(node))));
        each.collect::<Vec<_>>().join(",")
    }

    /// The option and the variable that move a service to another port.
    pub(super) fn setting(service: Service) -> (&'static str, &'static str) {
        match service {
            Service::Postgres(Cluster::Instashop) => ("--instashop-port", "INSTASHOP_STACK_INSTASHOP_PORT"),
            Service::Postgres(Cluster::Crm) => ("--crm-port", "INSTASHOP_STACK_CRM_PORT"),
            Service::Postgres(Cluster::Erp) => ("--erp-port", "INSTASHOP_STACK_ERP_PORT"),
            Service::Postgres(Cluster::Ecommerce) => ("--ecommerce-port", "INSTASHOP_STACK_ECOMMERCE_PORT"),
            Service::Postgres(Cluster::Warehouse) => ("--warehouse-port", "INSTASHOP_STACK_WAREHOUSE_PORT"),
            Service::Redis => ("--redis-port", "INSTASHOP_STACK_REDIS_PORT"),
            Service::Kafka(_) => ("--kafka-port", "INSTASHOP_STACK_KAFKA_PORT"),
            Service::Connect => ("--connect-port", "INSTASHOP_STACK_CONNECT_PORT"),
        }
    }

    /// The ports of this command: given, else recorded by the last `up`, else the default plus the offset. An offset
    /// that is given wins over what was recorded.
    pub(super) fn resolve(options: &Options, recorded: Option<&Self>) -> Result<Self> {
        let defaults = Self::default();
        let offset = options.port_offset;
        let pick = |given: Option<u16>, recorded: Option<u16>, default: u16| {
            if let Some(port) = given {
                return Ok(port);
            }
            match (offset, recorded) {
                (None, Some(port)) => Ok(port),
                (offset, _) => default.checked_add(offset.unwrap_or(0)).ok_or_else(|| {
                    eyre!(
                        "port {default} plus the offset {} is above 65535",
                        offset.unwrap_or(0)
                    )
                }),
            }
        };
        let ports = Self {
            instashop: pick(
                options.instashop_port,
                recorded.map(|p| p.instashop),
                defaults.instashop,
            )?,
            crm: pick(options.crm_port, recorded.map(|p| p.crm), defaults.crm)?,
            erp: pick(options.erp_port, recorded.map(|p| p.erp), defaults.erp)?,
            ecommerce: pick(
                options.ecommerce_port,
                recorded.map(|p| p.ecommerce),
                defaults.ecommerce,
            )?,
            warehouse: pick(
                options.warehouse_port,
                recorded.map(|p| p.warehouse),
                defaults.warehouse,
            )?,
            kafka: pick(options.kafka_port, recorded.map(|p| p.kafka), defaults.kafka)?,
            connect: pick(
                options.connect_port,
                recorded.map(|p| p.connect),
                defaults.connect,
            )?,
            redis: pick(options.redis_port, recorded.map(|p| p.redis), defaults.redis)?,
        };
        ports.check()?;
        Ok(ports)
    }

    fn check(&self) -> Result<()> {
        if self.kafka > u16::MAX - CONTROLLER_ABOVE - 3 {
            bail!(
                "port {} for Kafka is too high: its controllers listen {CONTROLLER_ABOVE} higher",
                self.kafka
            );
        }
        let mut taken: BTreeMap<u16, String> = BTreeMap::new();
        let mut all: Vec<(u16, String)> = Service::all(3)
            .iter()
            .map(|service| (self.of(*service), service.to_string()))
            .collect();
        all.extend((1..=3).map(|node| (self.controller(node), format!("kafka-{node}'s controller"))));
        for (port, name) in all {
            if port == 0 {
                bail!("port 0 for {name} is not a port");
            }
            if let Some(other) = taken.insert(port, name.clone()) {
                bail!("{other} and {name} cannot both have port {port}");
            }
        }
        Ok(())
    }
}

/// The project's folder: the nearest one above the current folder that holds this crate.
fn project_root() -> Result<PathBuf> {
    let here = env::current_dir().wrap_err("the current folder cannot be read")?;
    let root = here
        .ancestors()
        .find(|folder| folder.join("crates/dev/pom.xml").is_file());
    root.map(Path::to_path_buf).ok_or_else(|| {
        eyre!(
            "{} is not inside the project: go there, or name the data folder with --data",
            here.display()
        )
    })
}

/// The data folder, and a sentence to show when it is not where a person would look for it.
///
/// PostgreSQL refuses to run as root, and its user must be able to enter the folder. A checkout below a home of mode
/// 0700 does not allow that, so root's stack then lives outside, in a folder named after the checkout.
pub(super) fn data_folder(options: &Options, account: &Account) -> Result<(PathBuf, Option<String>)> {
    if let Some(folder) = &options.data {
        return Ok((
            std::path::absolute(folder).wrap_err("the data folder's path is not usable")?,
            None,
        ));
    }
    let root = project_root()?;
    let inside = root.join(".stack");
    if account.server_can_enter(&root) {
        return Ok((inside, None));
    }
    let digest = hex(&Sha256::digest(root.as_os_str().as_encoded_bytes()));
    let name = root
        .file_name()
        .map_or_else(|| "checkout".into(), |name| name.to_string_lossy().into_owned());
    let outside = Path::new("/var/lib/instashop-stack").join(format!("{name}-{}", &digest[..8]));
    let said = format!(
        "data folder {}: PostgreSQL does not run as root, and its user `{}` cannot enter {}",
        outside.display(),
        account.server_user(),
        root.display()
    );
    Ok((outside, Some(said)))
}

/// The bytes as lower-case hexadecimal text.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_documented_ports() {
        let ports = Ports::resolve(&Options::default(), None).unwrap();
        let listed: Vec<u16> = Service::all(3)
            .into_iter()
            .map(|service| ports.of(service))
            .collect();
        assert_eq!(
            listed,
            [
                15432, 15433, 15434, 15435, 15436, 16379, 19092, 19093, 19094, 18083
            ]
        );
        assert_eq!(
            ports.bootstrap(3),
            "127.0.0.1:19092,127.0.0.1:19093,127.0.0.1:19094"
        );
    }

    #[test]
    fn given_wins_over_recorded_and_recorded_over_default() {
        let recorded = Ports {
            redis: 26379,
            crm: 25433,
            ..Ports::default()
        };
        let options = Options {
            crm_port: Some(5),
            ..Options::default()
        };
        let ports = Ports::resolve(&options, Some(&recorded)).unwrap();
        assert_eq!((ports.crm, ports.redis, ports.erp), (5, 26379, 15434));
    }

    #[test]
    fn an_offset_moves_every_default_but_no_given_port() {
        let recorded = Ports {
            redis: 26379,
            ..Ports::default()
        };
        let options = Options {
            port_offset: Some(1000),
            kafka_port: Some(9092),
            ..Options::default()
        };
        let ports = Ports::resolve(&options, Some(&recorded)).unwrap();
        assert_eq!((ports.instashop, ports.redis, ports.kafka), (16432, 17379, 9092));
    }

    #[test]
    fn impossible_ports_are_refused() {
        let cases = [
            (
                Options {
                    crm_port: Some(15432),
                    ..Options::default()
                },
                "cannot both have port 15432",
            ),
            (
                Options {
                    crm_port: Some(19192),
                    ..Options::default()
                },
                "kafka-1's controller",
            ),
            (
                Options {
                    port_offset: Some(60000),
                    ..Options::default()
                },
                "above 65535",
            ),
            (
                Options {
                    redis_port: Some(0),
                    ..Options::default()
                },
                "not a port",
            ),
            (
                Options {
                    kafka_port: Some(65500),
                    ..Options::default()
                },
                "too high",
            ),
        ];
        for (options, words) in cases {
            let error = Ports::resolve(&options, None).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
