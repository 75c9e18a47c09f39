//! What a Java stack trace says to a person: the root cause in one line, and what to do about the known ones.

/// The root cause of a trace: the message of its last `Caused by`, else its first line; without the class name.
pub(super) fn cause(trace: &str) -> String {
    let caused = trace
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Caused by: "))
        .next_back();
    let line = caused
        .or_else(|| trace.lines().map(str::trim).find(|line| !line.is_empty()))
        .unwrap_or("no reason given");
    let message = line
        .split_once(": ")
        .filter(|(class, _)| class.contains('.') && !class.contains(' '))
        .map(|(_, message)| message);
    message.unwrap_or(line).trim().to_owned()
}

/// Words of a failure, and what to do about it; the first that fits counts.
const ADVICE: [(&str, &str); 11] = [
    (
        "password authentication failed",
        "the worker's variable CAPTURE_<DATABASE>_PASSWORD must equal the source's capture_password",
    ),
    (
        "no password was provided",
        "the worker's variable CAPTURE_<DATABASE>_PASSWORD is empty: give it and restart Connect",
    ),
    (
        "could not resolve",
        "the worker needs the configuration provider env (docs: operations) and the variable of this source",
    ),
    (
        "replication slot",
        "run instashop setup --check --only sources; a slot that is gone needs a new snapshot",
    ),
    (
        "publication",
        "run instashop setup --only sources, which makes the publication",
    ),
    (
        "permission denied",
        "run instashop setup --only sources, which gives the capture role its rights",
    ),
    (
        "must be superuser or replication role",
        "run instashop setup --only sources, which gives the capture role its rights",
    ),
    (
        "wal_level",
        "set wal_level = logical at the source and restart it",
    ),
    (
        "without key",
        "a TRUNCATE reached a compacted topic: leave skipped.operations at t, then restart the task",
    ),
    (
        "connection",
        "is the source up, and do connect_host and connect_port name it as Connect sees it?",
    ),
    ("", "Connect's log has the whole story"),
];

/// What to do about a failure.
pub(super) fn advice(text: &str) -> &'static str {
    let text = text.to_lowercase();
    ADVICE
        .iter()
        .find(|(words, _)| text.contains(words))
        .map_or("", |(_, advice)| advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_cause_is_one_line_without_the_class() {
        let trace = "org.apache.kafka.connect.errors.ConnectException: Could not start\n\tat x.Y.z(Y.java:1)\n\
            Caused by: io.debezium.DebeziumException: Creation of replication slot failed\n\tat a\n\
            Caused by: org.postgresql.util.PSQLException: FATAL: password authentication failed for user \"c\"\n\t... 9 more\n";
        assert_eq!(
            cause(trace),
            "FATAL: password authentication failed for user \"c\""
        );
        assert!(advice(&cause(trace)).contains("CAPTURE_"));
        assert!(advice("Publication autocreation is disabled").contains("--only sources"));
        assert_eq!(cause("a.b.C: short\n\tat d"), "short");
        assert_eq!(cause("plain words: with colon"), "plain words: with colon");
        assert_eq!(cause(""), "no reason given");
    }
}
