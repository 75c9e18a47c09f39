//! Kafka Connect's REST interface: the few calls that setup and status need.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A connector's settings.
pub type Settings = BTreeMap<String, String>;

/// How long Connect may say "rebalancing" before that counts as its answer.
const REBALANCE: Duration = Duration::from_secs(30);

/// How often a condition is asked for again.
pub(super) const POLL: Duration = Duration::from_millis(250);

/// Why Connect did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No answer.
    #[error("Kafka Connect at {url} cannot be reached: {reason}")]
    Unreachable {
        /// Base URL.
        url: String,
        /// What the client saw, in its shortest form.
        reason: String,
    },
    /// It answered no.
    #[error("Kafka Connect refused: {message}")]
    Refused {
        /// Status of the answer.
        status: StatusCode,
        /// Its own words, one line.
        message: String,
    },
    /// It answered something else than expected.
    #[error("Kafka Connect at {url} gave an answer that is not understood; is it Kafka Connect?")]
    Unreadable {
        /// Base URL.
        url: String,
        /// What could not be read.
        source: reqwest::Error,
    },
}

/// State of a connector and its tasks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Status {
    /// The connector itself.
    #[serde(default)]
    pub connector: Instance,
    /// Its tasks; none while they are being made.
    #[serde(default)]
    pub tasks: Vec<Instance>,
}

/// State of a connector or of a task.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Instance {
    /// `RUNNING`, `FAILED`, `PAUSED`, `STOPPED`, `UNASSIGNED`, `RESTARTING`.
    #[serde(default)]
    pub state: String,
    /// Stack trace of a failure.
    #[serde(default)]
    pub trace: Option<String>,
}

impl Status {
    /// True when the connector and all its tasks run, and it has a task.
    pub fn runs(&self) -> bool {
        let running = |instance: &Instance| instance.state == "RUNNING";
        running(&self.connector) && !self.tasks.is_empty() && self.tasks.iter().all(running)
    }

    /// Trace of the first failure, if the connector or a task failed.
    pub fn failure(&self) -> Option<&str> {
        std::iter::once(&self.connector)
            .chain(&self.tasks)
            .find(|instance| instance.state == "FAILED")
            .map(|instance| instance.trace.as_deref().unwrap_or(""))
    }

    /// `RUNNING`, or `FAILED (task FAILED)`.
    pub fn describe(&self) -> String {
        let tasks: Vec<&str> = self.tasks.iter().map(|task| task.state.as_str()).collect();
        match tasks.as_slice() {
            [] => format!("{}, no task yet", self.connector.state),
            [one] if *one == self.connector.state => self.connector.state.clone(),
            tasks => format!("{}, task {}", self.connector.state, tasks.join(" ")),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

#[derive(Debug, Deserialize)]
struct Task {
    #[serde(default)]
    config: Settings,
}

#[derive(Debug, Deserialize)]
struct Plugin {
    class: String,
    #[serde(default)]
    version: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Expanded {
    #[serde(default)]
    status: Status,
}

/// One Connect cluster.
#[derive(Debug, Clone)]
pub struct Connect {
    http: Client,
    url: String,
}

impl Connect {
    /// A client for the cluster at this base URL. Proxies are never used: Connect is a neighbour.
    pub fn new(url: &str, patience: Duration) -> Result<Self, ConnectError> {
        let url = url.trim_end_matches('/').to_owned();
        let http = Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_secs(3))
            .timeout(patience)
            .build()
            .map_err(|error| unreachable(&url, &error))?;
        Ok(Self { http, url })
    }

    /// Version of a connector plugin; `None` when the cluster does not have it.
    pub async fn plugin(&self, class: &str) -> Result<Option<String>, ConnectError> {
        let plugins: Vec<Plugin> = self.get("/connector-plugins").await?.unwrap_or_default();
        Ok(plugins
            .into_iter()
            .find(|plugin| plugin.class == class)
            .map(|plugin| plugin.version.unwrap_or_default()))
    }

    /// States of all connectors by name.
    pub async fn statuses(&self) -> Result<BTreeMap<String, Status>, ConnectError> {
        let all: BTreeMap<String, Expanded> =
            self.get("/connectors?expand=status").await?.unwrap_or_default();
        Ok(all
            .into_iter()
            .map(|(name, expanded)| (name, expanded.status))
            .collect())
    }

    /// Settings of a connector; `None` when there is none of that name.
    pub async fn settings(&self, name: &str) -> Result<Option<Settings>, ConnectError> {
        self.get(&format!("/connectors/{name}/config")).await
    }

    /// State of a connector; `None` when there is none, or when it was just made.
    pub async fn status(&self, name: &str) -> Result<Option<Status>, ConnectError> {
        self.get(&format!("/connectors/{name}/status")).await
    }

    /// Settings with which the tasks of a connector were made.
    pub async fn task_settings(&self, name: &str) -> Result<Vec<Settings>, ConnectError> {
        let tasks: Option<Vec<Task>> = self.get(&format!("/connectors/{name}/tasks")).await?;
        Ok(tasks
            .unwrap_or_default()
            .into_iter()
            .map(|task| task.config)
            .collect())
    }

    /// Makes a connector or gives it new settings.
    pub async fn apply(&self, name: &str, settings: &Settings) -> Result<(), ConnectError> {
        self.send(Method::PUT, &format!("/connectors/{name}/config"), Some(settings))
            .await
            .map(|_| ())
    }

    /// Restarts what failed of a connector.
    pub async fn restart_failed(&self, name: &str) -> Result<(), ConnectError> {
        let path = format!("/connectors/{name}/restart?includeTasks=true&onlyFailed=true");
        self.send(Method::POST, &path, None).await.map(|_| ())
    }

    /// Stops a connector: its tasks end, its settings and offsets stay.
    pub async fn stop(&self, name: &str) -> Result<(), ConnectError> {
        self.send(Method::PUT, &format!("/connectors/{name}/stop"), None)
            .await
            .map(|_| ())
    }

    /// Forgets how far a stopped connector had read, so that it begins with a snapshot.
    pub async fn forget_offsets(&self, name: &str) -> Result<(), ConnectError> {
        self.send(Method::DELETE, &format!("/connectors/{name}/offsets"), None)
            .await
            .map(|_| ())
    }

    /// Lets a paused or stopped connector go on.
    pub async fn resume(&self, name: &str) -> Result<(), ConnectError> {
        self.send(Method::PUT, &format!("/connectors/{name}/resume"), None)
            .await
            .map(|_| ())
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ConnectError> {
        match self.send(Method::GET, path, None).await {
            Ok(response) => response
                .json()
                .await
                .map(Some)
                .map_err(|source| ConnectError::Unreadable {
                    url: self.url.clone(),
                    source,
                }),
            Err(ConnectError::Refused {
                status: StatusCode::NOT_FOUND,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a request; waits, within bounds, while Connect shares its work out anew (409).
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Settings>,
    ) -> Result<reqwest::Response, ConnectError> {
        let started = Instant::now();
        loop {
            let mut request = self.http.request(method.clone(), format!("{}{path}", self.url));
            if let Some(body) = body {
                request = request.json(body);
            }
            let sent = request.send().await;
            let response = sent.map_err(|error| unreachable(&self.url, &error))?;
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            let message = response
                .json::<Refusal>()
                .await
                .map_or_else(|_| String::new(), |refusal| refusal.message);
            // 409 on some paths, 500 with these words on others.
            let rebalancing = status == StatusCode::CONFLICT || message.contains("rebalance");
            if rebalancing && started.elapsed() < REBALANCE {
                tokio::time::sleep(POLL).await;
                continue;
            }
            return Err(ConnectError::Refused {
                status,
                message: reason(status, &message),
            });
        }
    }
}

/// The innermost cause says what happened; the layers above it repeat the URL.
fn unreachable(url: &str, error: &reqwest::Error) -> ConnectError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let reason = if error.is_timeout() {
        "no answer in time".into()
    } else {
        cause.to_string()
    };
    ConnectError::Unreachable {
        url: url.into(),
        reason,
    }
}

/// Connect's answer in one line: of a refused configuration the first fault, else the first line.
fn reason(status: StatusCode, message: &str) -> String {
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("");
    if first.starts_with("Connector configuration is invalid") {
        let faults: Vec<&str> = lines
            .filter(|line| !line.starts_with("You can also find"))
            .collect();
        return faults.join("; ");
    }
    if first.is_empty() {
        format!("it answered {status}")
    } else {
        first.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_configuration_names_its_faults() {
        let message = "Connector configuration is invalid and contains the following 1 error(s):\n\
            Error while validating connector config: The connection attempt failed.\n\
            You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`";
        let cases = [
            (
                message,
                "Error while validating connector config: The connection attempt failed.",
            ),
            ("Connector crm not found", "Connector crm not found"),
            ("", "it answered 400 Bad Request"),
        ];
        for (message, expected) in cases {
            assert_eq!(reason(StatusCode::BAD_REQUEST, message), expected);
        }
    }

    #[test]
    fn a_connector_without_a_task_does_not_run() {
        let status = |text: &str| serde_json::from_str::<Status>(text).unwrap();
        let running = status(
            r#"{"name":"crm","connector":{"state":"RUNNING","worker_id":"x"},"tasks":[{"id":0,"state":"RUNNING"}]}"#,
        );
        assert!(running.runs() && running.failure().is_none());
        assert_eq!(running.describe(), "RUNNING");
        let young = status(r#"{"connector":{"state":"RUNNING"},"tasks":[]}"#);
        assert!(!young.runs());
        assert_eq!(young.describe(), "RUNNING, no task yet");
        let failed = status(
            r#"{"connector":{"state":"RUNNING"},"tasks":[{"state":"FAILED","trace":"x.Y: no\n\tat z"}]}"#,
        );
        assert_eq!(failed.failure(), Some("x.Y: no\n\tat z"));
        assert_eq!(failed.describe(), "RUNNING, task FAILED");
    }
}
