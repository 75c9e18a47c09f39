//! What goes wrong on a working day, each ending in drift 0.

use std::process::Command;
use std::time::Duration;

use instashop_core::config::Config;

use crate::bed::{Background, Bed, Ran, bed, eventually};
use crate::oracle::Oracle;

/// Process ids of running programs of this bed whose command line holds all the words: our own programs that were given
/// the bed's configuration, and servers that were given its folder.
fn pids(bed: &Bed, words: &[&str]) -> Vec<i32> {
    let (config, data) = (bed.config_file(), bed.data());
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("reading /proc").flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let program = std::fs::read_link(entry.path().join("exe")).unwrap_or_default();
        let is_product = program
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("instashop"));
        let ours = line.contains(&*data.to_string_lossy())
            || (is_product && String::from_utf8_lossy(&environment).contains(&*config.to_string_lossy()));
        if ours && words.iter().all(|word| line.contains(word)) {
            found.push(pid);
        }
    }
    found
}

fn kill_hard(pid: i32) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL)
        .expect("killing a process");
}

fn restart_connector(config: &Config, name: &str) {
    let url = format!(
        "{}/connectors/{name}/restart?includeTasks=true",
        config.connect.url
    );
    let output = Command::new("curl")
        .args(["-fsS", "-X", "POST", &url])
        .output()
        .expect("running curl");
    assert!(output.status.success(), "{output:?}");
}

fn workers(bed: &Bed) -> Vec<i32> {
    let mut all = pids(bed, &["instashop ", " live"]);
    all.extend(pids(bed, &["instashop ", " warehouse"]));
    all.retain(|pid| !pids(bed, &["instashop-dev"]).contains(pid));
    all
}

/// The keeper of the marts dies again and again while the shop goes on; the supervisor starts it anew, and no changed row
/// is overlooked.
#[test]
fn the_keeper_of_the_marts_is_killed_and_nothing_is_overlooked() {
    let bed = bed();
    bed.running();
    let shop = bed.shop("60");
    let keeper = || pids(&bed, &["instashop ", " etl"]);
    for round in 0..3 {
        println!("    round {round}");
        eventually("a keeper runs", Duration::from_secs(30), || !keeper().is_empty());
        let warehouse = Oracle::warehouse(&bed.config());
        let refreshed = "SELECT refreshed_at::text FROM ops.mart_refreshes WHERE name = 'by_key'";
        let before = warehouse.text(refreshed);
        eventually("it works", Duration::from_secs(30), || {
            warehouse.text(refreshed) != before
        });
        for pid in keeper() {
            kill_hard(pid);
        }
    }
    drop(shop);
    let proved = bed.instashop(&["verify", "--kpis"]);
    assert_eq!(proved.code, 0, "{}\n{}", proved.out, proved.err);
}

#[test]
fn workers_killed_hard_in_the_middle_change_no_number() {
    let bed = bed();
    bed.running();
    let shop = bed.shop("100");
    for _ in 0..2 {
        let victims = workers(&bed);
        assert!(victims.len() >= 2, "both flows run: {victims:?}");
        for pid in &victims {
            kill_hard(*pid);
        }
        eventually(
            "the supervisor started them again",
            Duration::from_mins(1),
            || {
                let now = workers(&bed);
                now.len() >= 2 && now.iter().all(|pid| !victims.contains(pid))
            },
        );
    }
    bed.proved();
    drop(shop);
}

/// A connector that resumes behind a commit looks for the next transaction; a quiet source has none but its heartbeats,
/// so these must be transactions.
#[test]
fn a_connector_that_stopped_behind_a_commit_of_a_quiet_source_goes_on() {
    let bed = bed();
    bed.running();
    let config = bed.config();
    let crm = Oracle::connect(&config.sources.crm_db);
    crm.execute("UPDATE segment SET segment_name = segment_name || ' '");
    let position = crm.text("SELECT pg_current_wal_lsn()::text");
    eventually("the connector is there", Duration::from_mins(1), || {
        let sql =
            format!("SELECT bool_and(confirmed_flush_lsn >= '{position}')::text FROM pg_replication_slots");
        crm.text(&sql) == "true"
    });
    restart_connector(&config, "crm");
    bed.proved();
}

#[test]
fn two_workers_of_each_flow_change_no_number() {
    let bed = bed();
    bed.running();
    let shop = bed.shop("80");
    let second = |flow: &str| -> Background {
        Background::of(
            bed.command("instashop", &[flow])
                .spawn()
                .expect("starting a second worker"),
        )
    };
    let (mut live, mut warehouse) = (second("live"), second("warehouse"));
    bed.proved();
    assert!(live.lives() && warehouse.lives(), "the second workers run");
    // One more rebalance: a second worker leaves by the hard way, the other in good order.
    live.kill_hard();
    drop(warehouse);
    bed.proved();
    drop(shop);
}

/// Deletes that no connector saw: a table out of the publication for a moment, and a TRUNCATE that was forced.
#[test]
fn rows_that_vanished_unseen_are_swept_from_both_stores() {
    let bed = bed();
    bed.running();
    let config = bed.config();
    bed.proved();
    let nothing = bed.instashop(&["sweep"]).good();
    assert!(nothing.out.contains("nothing vanished"), "{}", nothing.out);
    let ecommerce = Oracle::connect(&config.sources.ecommerce_db);
    for statement in [
        "ALTER PUBLICATION instashop_cdc DROP TABLE shipment",
        "DELETE FROM shipment WHERE shipment_id IN (SELECT shipment_id FROM shipment ORDER BY shipment_id LIMIT 3)",
        "ALTER PUBLICATION instashop_cdc ADD TABLE shipment",
    ] {
        ecommerce.execute(statement);
    }
    let found = bed.instashop(&["sweep", "--format", "json"]);
    assert_eq!(found.code, 1, "{}\n{}", found.out, found.err);
    let report: serde_json::Value = serde_json::from_str(&found.out).expect("the report is JSON");
    assert_eq!(
        (&report["vanished"], &report["tables"][0]["table"]),
        (&serde_json::json!(3), &serde_json::json!("shipment"))
    );
    bed.instashop(&["sweep", "ecommerce_db", "--yes"]).good();
    bed.proved();
    // What is written for a key lies where the connector writes it, so that compaction and order hold.
    let places = bed.dev(&[
        "stack",
        "psql",
        "warehouse",
        "--",
        "-Atc",
        "SELECT count(*), count(DISTINCT (source_key, topic, partition)), count(DISTINCT source_key)
         FROM raw.realtime_events WHERE source_table = 'shipment' AND source_key IN
           (SELECT source_key FROM raw.realtime_events WHERE source = 'repair' AND source_table = 'shipment')",
    ]);
    let places: Vec<i64> = places
        .good()
        .out
        .trim()
        .split('|')
        .map(|count| count.parse().expect("a count"))
        .collect();
    assert!(places[0] >= 6 && places[1..] == [3, 3], "{places:?}");
    // A store that is built anew from the topics does not meet them again.
    bed.instashop(&["rebuild", "live", "--yes"]).good();
    bed.proved();

    let crm = Oracle::connect(&config.sources.crm_db);
    crm.execute(
        "ALTER TABLE customersegment DISABLE TRIGGER USER; TRUNCATE customersegment;
         ALTER TABLE customersegment ENABLE TRIGGER USER",
    );
    let careful = bed.instashop(&["sweep", "crm_db", "--yes"]);
    assert_eq!(careful.code, 1, "{}\n{}", careful.out, careful.err);
    assert!(careful.err.contains("--force"), "{}", careful.err);
    bed.instashop(&["sweep", "crm_db", "--yes", "--force"]).good();
    bed.proved();
}

#[test]
fn servers_killed_hard_come_back_and_the_numbers_with_them() {
    let bed = bed();
    bed.running();
    let status = bed.dev(&["stack", "status", "--format", "json"]).good();
    let services: serde_json::Value = serde_json::from_str(&status.out).expect("the status is JSON");
    let mut killed = 0;
    for service in services["services"].as_array().expect("a list of services") {
        if let Some(pid) = service["pid"].as_i64() {
            kill_hard(pid as i32);
            killed += 1;
        }
    }
    assert!(killed >= 8, "{services:#}");
    bed.dev(&["stack", "up"]).good();
    bed.proved();
}

/// Local addresses of the sockets on which processes listen, in the hexadecimal form of the kernel.
fn listening(pids: &[i32]) -> Vec<String> {
    let inodes: Vec<String> = pids
        .iter()
        .filter_map(|pid| std::fs::read_dir(format!("/proc/{pid}/fd")).ok())
        .flat_map(Iterator::flatten)
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter_map(|target| {
            let name = target.to_string_lossy();
            Some(name.strip_prefix("socket:[")?.trim_end_matches(']').to_owned())
        })
        .collect();
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    tables
        .iter()
        .flat_map(|table| table.lines().skip(1))
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let is_ours = inodes.iter().any(|inode| inode == fields[9]);
            (fields[3] == "0A" && is_ours).then(|| fields[1].to_owned())
        })
        .collect()
}

#[test]
fn the_servers_listen_on_the_loopback_alone() {
    let bed = bed();
    bed.running();
    let open = listening(&pids(&bed, &[]));
    assert!(open.len() >= 8, "at least the servers listen: {open:?}");
    // 127.0.0.1, ::1 and ::ffff:127.0.0.1 as the kernel writes them.
    let loopback = [
        "0100007F:",
        "00000000000000000000000001000000:",
        "0000000000000000FFFF00000100007F:",
    ];
    let outside: Vec<_> = open
        .iter()
        .filter(|address| !loopback.iter().any(|known| address.starts_with(known)))
        .collect();
    assert!(outside.is_empty(), "listening beyond the loopback: {outside:?}");
}

/// The demo brings everything up, proves it and prints it, a second time as well as the first; stopping it leaves no
/// process. Last of the faults by name: it takes the bed down.
#[test]
fn zz_the_demo_comes_up_proven_and_stop_leaves_no_process() {
    let bed = bed();
    bed.captured();
    for _ in 0..2 {
        let printed = bed.dev(&["demo", "up", "--print", "--days", "12"]).good();
        assert!(
            printed.out.contains("drift 0"),
            "{}\n{}",
            printed.out,
            printed.err
        );
        assert!(printed.err.contains("live numbers after"), "{}", printed.err);
        bed.dev(&["demo", "stop"]).good();
        let left = pids(&bed, &[]);
        assert!(left.is_empty(), "still running: {left:?}");
        let status: Ran = bed.dev(&["stack", "status"]);
        assert_ne!(
            status.code, 0,
            "a stopped stack is not called healthy\n{}",
            status.out
        );
    }
}
