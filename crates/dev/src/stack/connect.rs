//! Kafka Connect with the Debezium connector. Connector files hold no password: they say
//! `${env:CAPTURE_INSTASHOP_PASSWORD}`, and only the worker's environment knows what that is.

use color_eyre::eyre::Result;
use serde::Deserialize;

use super::jars::pinned;
use super::jvm::Program;
use super::kafka::replication;
use super::port::http_get;
use super::process::Launch;
use super::server::{Health, Trouble, Workshop};
use super::service::{Cluster, Service};
use super::state::{Stack, make_folder};

const CONNECTOR: &str = "io.debezium.connector.postgresql.PostgresConnector";

/// The variable with the password of the role that captures a source.
pub(super) fn password_variable(source: Cluster) -> String {
    format!("CAPTURE_{}_PASSWORD", source.database().to_uppercase())
}

/// The worker's settings as tried out (docs: stack, appendix; cdc 3.2). The shorter session lets a worker that was
/// killed come back sooner, and with one worker there is nobody whose return is worth waiting for.
fn properties(bootstrap: &str, brokers: u8, port: u16, plugins: &str) -> String {
    let (copies, _) = replication(brokers);
    format!(
        "# Written by `stack up`.
bootstrap.servers={bootstrap}
group.id=instashop-connect
listeners=http://127.0.0.1:{port}
rest.advertised.host.name=127.0.0.1
rest.advertised.port={port}
plugin.path={plugins}
plugin.discovery=service_load
key.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
config.storage.topic=_connect-configs
config.storage.replication.factor={copies}
offset.storage.topic=_connect-offsets
offset.storage.replication.factor={copies}
offset.storage.partitions=5
status.storage.topic=_connect-status
status.storage.replication.factor={copies}
status.storage.partitions=5
offset.flush.interval.ms=1000
connector.client.config.override.policy=All
exactly.once.source.support=disabled
session.timeout.ms=6000
heartbeat.interval.ms=2000
scheduled.rebalance.max.delay.ms=0
config.providers=env
config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider
config.providers.env.param.allowlist.pattern=CAPTURE_[A-Z_]+
"
    )
}

/// Writes the settings and says how to start the worker.
pub(super) fn prepare(workshop: &Workshop) -> Result<Launch> {
    let stack = &workshop.stack;
    let state = &stack.state;
    let home = stack.home(Service::Connect);
    make_folder(&home, 0o700)?;
    let bootstrap = state.ports.bootstrap(state.brokers);
    let plugins = workshop.jars.plugins();
    let text = properties(
        &bootstrap,
        state.brokers,
        state.ports.connect,
        &plugins.to_string_lossy(),
    );
    let secret = |source: Cluster| {
        state
            .secrets
            .get(&format!("{}.capture", source.database()))
            .to_owned()
    };
    let program = Program {
        kind: "connect",
        main: "org.apache.kafka.connect.cli.ConnectDistributed",
        heap: 768,
        properties: (&home.join("connect.properties"), &text),
        informative: &[
            "io.debezium",
            "org.apache.kafka.connect.runtime.distributed.DistributedHerder",
        ],
        environment: Cluster::SOURCES
            .map(|source| (password_variable(source), secret(source)))
            .to_vec(),
    };
    program.launch(workshop, Service::Connect)
}

#[derive(Debug, Deserialize)]
struct Plugin {
    class: String,
    version: Option<String>,
}

/// Asks for the plugins: an empty list means that the connector was not found, although the worker answers.
pub(super) fn probe(stack: &Stack) -> Result<Health, Trouble> {
    let port = stack.state.ports.connect;
    let (code, body) = http_get(port, "/connector-plugins")?;
    if code != 200 {
        return Err(Trouble::not_yet(format!("it answers {code}")));
    }
    let plugins: Vec<Plugin> =
        serde_json::from_str(&body).map_err(|_| Trouble::not_yet("what answers is not Kafka Connect"))?;
    let Some(connector) = plugins.into_iter().find(|plugin| plugin.class == CONNECTOR) else {
        return Err(Trouble::never(
            "it found no Debezium connector: remove the folder with the jars and run `stack up` again",
        ));
    };
    let debezium = connector.version.unwrap_or_default();
    let (code, body) = http_get(port, "/connectors?expand=status")?;
    if code != 200 {
        return Err(Trouble::not_yet(format!(
            "it answers {code} to the question for its connectors"
        )));
    }
    let connectors =
        connector_states(&body).ok_or_else(|| Trouble::not_yet("its answer is not understood"))?;
    let detail = format!("Debezium {debezium}, {connectors}");
    Ok(Health {
        version: pinned("kafka.version").to_owned(),
        detail,
    })
}

/// `4 connector(s), 3 running`, from the answer to `/connectors?expand=status`. A connector runs when it and all its
/// tasks do, and it has a task.
fn connector_states(body: &str) -> Option<String> {
    let all: serde_json::Value = serde_json::from_str(body).ok()?;
    let all = all.as_object()?;
    let runs = |connector: &serde_json::Value| {
        let status = &connector["status"];
        let tasks = status["tasks"].as_array();
        status["connector"]["state"] == "RUNNING"
            && tasks
                .is_some_and(|tasks| !tasks.is_empty() && tasks.iter().all(|task| task["state"] == "RUNNING"))
    };
    let running = all.values().filter(|connector| runs(connector)).count();
    let names = if all.is_empty() {
        String::new()
    } else {
        format!(", {running} running")
    };
    Some(format!("{} connector(s){names}", all.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_beside_one_broker() {
        insta::assert_snapshot!(properties("127.0.0.1:19092", 1, 18083, "/jars/plugins"));
    }

    #[test]
    fn variables_of_the_passwords() {
        assert_eq!(
            Cluster::SOURCES.map(password_variable),
            [
                "CAPTURE_INSTASHOP_PASSWORD",
                "CAPTURE_CRM_DB_PASSWORD",
                "CAPTURE_ERP_DB_PASSWORD",
                "CAPTURE_ECOMMERCE_DB_PASSWORD"
            ]
        );
    }

    #[test]
    fn states_of_connectors() {
        let connector = |state: &str, task: &str| {
            format!(
                r#"{{"status":{{"connector":{{"state":"{state}"}},"tasks":[{{"id":0,"state":"{task}"}}]}}}}"#
            )
        };
        let body = format!(
            r#"{{"a":{},"b":{},"c":{{"status":{{"connector":{{"state":"RUNNING"}},"tasks":[]}}}}}}"#,
            connector("RUNNING", "RUNNING"),
            connector("RUNNING", "FAILED")
        );
        assert_eq!(connector_states(&body).unwrap(), "3 connector(s), 1 running");
        assert_eq!(connector_states("{}").unwrap(), "0 connector(s)");
        assert_eq!(connector_states("[]"), None);
    }
}
