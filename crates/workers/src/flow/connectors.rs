//! What Kafka Connect says about the connectors, and starting failed tasks again.

use std::collections::BTreeMap;
use std::time::Duration;

use instashop_core::config::Config;
use instashop_core::view::ConnectorHealth;
use serde::Deserialize;

/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(3);

/// A client of Kafka Connect's REST interface.
#[derive(Debug, Clone)]
pub(super) struct Connectors {
    http: reqwest::Client,
    url: String,
}

#[derive(Debug, Deserialize)]
struct Expanded {
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Status {
    connector: State,
    #[serde(default)]
    tasks: Vec<State>,
}

#[derive(Debug, Deserialize)]
struct State {
    state: String,
    #[serde(default)]
    trace: String,
}

impl Connectors {
    pub(super) fn new(config: &Config) -> Result<Self, reqwest::Error> {
        Ok(Self {
            http: reqwest::Client::builder().timeout(ANSWER).no_proxy().build()?,
            url: config.connect.url.trim_end_matches('/').to_owned(),
        })
    }

    /// The connectors by name; the error is one sentence.
    pub(super) async fn status(&self) -> Result<BTreeMap<String, ConnectorHealth>, String> {
        let answer: BTreeMap<String, Expanded> = async {
            self.http
                .get(format!("{}/connectors?expand=status", self.url))
                .send()
                .await?
                .error_for_status()?
                .json()
                .await
        }
        .await
        .map_err(|error: reqwest::Error| format!("Kafka Connect at {} does not answer: {error}", self.url))?;
        Ok(answer
            .into_iter()
            .map(|(name, expanded)| (name, health(&expanded.status)))
            .collect())
    }

    /// Starts the failed parts of a connector again.
    pub(super) async fn restart(&self, name: &str) -> Result<(), String> {
        let url = format!(
            "{}/connectors/{name}/restart?includeTasks=true&onlyFailed=true",
            self.url
        );
        self.http
            .post(url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map(|_| ())
            .map_err(|error| format!("restarting connector {name} failed: {error}"))
    }
}

fn health(status: &Status) -> ConnectorHealth {
    let failure = std::iter::once(&status.connector)
        .chain(&status.tasks)
        .find(|part| part.state == "FAILED")
        .and_then(|part| part.trace.lines().next())
        .unwrap_or_default();
    ConnectorHealth {
        state: status.connector.state.clone(),
        tasks: status.tasks.iter().map(|task| task.state.clone()).collect(),
        failure: failure.chars().take(300).collect(),
    }
}

/// True when a part of the connector has failed and can be started again.
pub(super) fn has_failed(health: &ConnectorHealth) -> bool {
    health.state == "FAILED" || health.tasks.iter().any(|task| task == "FAILED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_connect_is_understood() {
        let answer = r#"{"erp":{"status":{"name":"erp","connector":{"state":"RUNNING","worker_id":"127.0.0.1:18083"},
            "tasks":[{"id":0,"state":"FAILED","worker_id":"127.0.0.1:18083","trace":"org.apache.kafka.connect.errors.ConnectException: no slot\n\tat x"}],
            "type":"source"}}}"#;
        let answer: BTreeMap<String, Expanded> = serde_json::from_str(answer).unwrap();
        let health = health(&answer["erp"].status);
        assert_eq!(
            health,
            ConnectorHealth {
                state: "RUNNING".into(),
                tasks: vec!["FAILED".into()],
                failure: "org.apache.kafka.connect.errors.ConnectException: no slot".into(),
            }
        );
        assert!(has_failed(&health));
    }
}
