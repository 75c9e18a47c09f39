//! The servers of the stack: their names, their order, and how a person names a group of them.

use std::fmt;

use color_eyre::eyre::{Result, bail};

/// One PostgreSQL cluster: four sources and the warehouse (docs: architecture, "Sources").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Cluster {
    /// Shops, buyers, products, orders, behaviour.
    Instashop,
    /// Interactions and segments.
    Crm,
    /// Stock and its movements.
    Erp,
    /// Carriers and shipments.
    Ecommerce,
    /// The warehouse, the one cluster that is written by the product.
    Warehouse,
}

impl Cluster {
    /// All five, sources first.
    pub(super) const ALL: [Self; 5] = [
        Self::Instashop,
        Self::Crm,
        Self::Erp,
        Self::Ecommerce,
        Self::Warehouse,
    ];
    /// The four that are captured.
    pub(super) const SOURCES: [Self; 4] = [Self::Instashop, Self::Crm, Self::Erp, Self::Ecommerce];

    /// Short name, used for folders, options and `stack psql`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Instashop => "instashop",
            Self::Crm => "crm",
            Self::Erp => "erp",
            Self::Ecommerce => "ecommerce",
            Self::Warehouse => "warehouse",
        }
    }

    /// The database in it. For a source this is also its name in the product's configuration.
    pub(super) fn database(self) -> &'static str {
        match self {
            Self::Instashop => "instashop",
            Self::Crm => "crm_db",
            Self::Erp => "erp_db",
            Self::Ecommerce => "ecommerce_db",
            Self::Warehouse => "dwh_db",
        }
    }

    /// The superuser that owns everything in the cluster.
    pub(super) fn owner(self) -> &'static str {
        match self {
            Self::Instashop => "insta",
            Self::Crm => "crm",
            Self::Erp => "erp",
            Self::Ecommerce => "ecommerce",
            Self::Warehouse => "dwh",
        }
    }

    /// Accepts the short name and the name of the database.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|cluster| text == cluster.name() || text == cluster.database())
    }
}

/// One server process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Service {
    /// A PostgreSQL cluster.
    Postgres(Cluster),
    /// The live store.
    Redis,
    /// A broker that is also a controller, counted from 1.
    Kafka(u8),
    /// Kafka Connect with the Debezium connector.
    Connect,
}

/// What `--only` and `stack logs` accept beside the name of one service.
const GROUPS: &str = "postgres, redis, kafka, connect";

impl Service {
    /// Every service of a stack with so many brokers, in the order in which they are shown.
    pub(super) fn all(brokers: u8) -> Vec<Self> {
        let mut services: Vec<Self> = Cluster::ALL.into_iter().map(Self::Postgres).collect();
        services.push(Self::Redis);
        services.extend((1..=brokers).map(Self::Kafka));
        services.push(Self::Connect);
        services
    }

    /// The group that a name in `--only` selects as a whole.
    fn group(self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Redis => "redis",
            Self::Kafka(_) => "kafka",
            Self::Connect => "connect",
        }
    }

    /// The services that the names mean: each a service (`postgres-crm`, `kafka-2`) or a group (`postgres`); no name
    /// means all.
    pub(super) fn named(names: &[String], brokers: u8) -> Result<Vec<Self>> {
        let all = Self::all(brokers);
        if names.is_empty() {
            return Ok(all);
        }
        let mut wanted = Vec::new();
        for name in names {
            let before = wanted.len();
            let is_meant = |service: &Self| *name == service.group() || *name == service.to_string();
            wanted.extend(all.iter().copied().filter(is_meant));
            if wanted.len() == before {
                let known: Vec<String> = all.iter().map(ToString::to_string).collect();
                bail!(
                    "there is no service `{name}`; known are {GROUPS}, {}",
                    known.join(", ")
                );
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        Ok(wanted)
    }

    /// The named services and those they cannot live without: Connect brings its brokers along.
    pub(super) fn with_needs(names: &[String], brokers: u8) -> Result<Vec<Self>> {
        let mut wanted = Self::named(names, brokers)?;
        if wanted.contains(&Self::Connect) {
            wanted.extend((1..=brokers).map(Self::Kafka));
            wanted.sort_unstable();
            wanted.dedup();
        }
        Ok(wanted)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Postgres(cluster) => format!("postgres-{}", cluster.name()),
            Self::Redis => "redis".to_owned(),
            Self::Kafka(node) => format!("kafka-{node}"),
            Self::Connect => "connect".to_owned(),
        };
        out.pad(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str], brokers: u8) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Service::with_needs(&words, brokers)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn nothing_named_means_everything() {
        assert_eq!(names(&[], 1).len(), 8);
        assert_eq!(names(&[], 3).len(), 10);
    }

    #[test]
    fn a_group_a_service_and_a_repetition() {
        assert_eq!(
            names(&["redis", "postgres-crm", "redis"], 1),
            ["postgres-crm", "redis"]
        );
        assert_eq!(names(&["kafka"], 3), ["kafka-1", "kafka-2", "kafka-3"]);
        assert_eq!(names(&["connect"], 1), ["kafka-1", "connect"]);
        assert_eq!(
            Service::named(&["connect".to_owned()], 1).unwrap(),
            [Service::Connect]
        );
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = Service::named(&["kafka-2".to_owned()], 1)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`kafka-2`") && error.contains("kafka-1"),
            "{error}"
        );
    }
}
