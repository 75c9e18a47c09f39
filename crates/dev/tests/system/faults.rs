//! What goes wrong on a working day, each ending in drift 0.

use std::process::Command;
use std::time::Duration;

use instashop_core::config::Config;

use crate::bed::{Background, Bed, Ran, bed, eventually};

/// Process ids of running programs of this bed whose command line holds all the words.
fn pids(bed: &Bed, words: &[&str]) -> Vec<i32> {
    let config = bed.config_file();
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
        let ours = String::from_utf8_lossy(&environment).contains(&*config.to_string_lossy())
            || line.contains(&*config.to_string_lossy());
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

fn redis(config: &Config, arguments: &[&str]) -> String {
    let output = Command::new("redis-cli")
        .args([
            "-h",
            &config.redis.host,
            "-p",
            &config.redis.port.to_string(),
            "--user",
            &config.redis.admin_user,
        ])
        .args(arguments)
        .env("REDISCLI_AUTH", config.redis.admin_password.reveal())
        .output()
        .expect("running redis-cli");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn workers(bed: &Bed) -> Vec<i32> {
    let mut all = pids(bed, &["instashop ", " live"]);
    all.extend(pids(bed, &["instashop ", " warehouse"]));
    all.retain(|pid| !pids(bed, &["instashop-dev"]).contains(pid));
    all
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

#[test]
fn an_emptied_redis_is_built_again_and_ends_equal() {
    let bed = bed();
    bed.running();
    let config = bed.config();
    let shop = bed.shop("40");
    assert_eq!(redis(&config, &["FLUSHALL"]), "OK");
    bed.proved();
    drop(shop);
}

#[test]
fn a_redis_killed_hard_may_lose_a_second_and_ends_equal() {
    let bed = bed();
    bed.running();
    let config = bed.config();
    let shop = bed.shop("60");
    let info = redis(&config, &["INFO", "server"]);
    let pid = info
        .lines()
        .find_map(|line| line.strip_prefix("process_id:"))
        .expect("Redis says its process id");
    kill_hard(pid.trim().parse().expect("a process id"));
    bed.dev(&["stack", "up"]).good();
    bed.proved();
    drop(shop);
}

#[test]
fn a_restarted_connector_changes_no_number() {
    let bed = bed();
    bed.running();
    let config = bed.config();
    let shop = bed.shop("60");
    let url = format!(
        "{}/connectors/instashop-connector/restart?includeTasks=true",
        config.connect.url
    );
    let list = format!("{}/connectors", config.connect.url);
    let names = Command::new("curl")
        .args(["-fsS", &list])
        .output()
        .expect("asking Connect for its connectors");
    let names: Vec<String> = serde_json::from_slice(&names.stdout).expect("a list of connectors");
    let name = names
        .iter()
        .find(|name| name.contains("instashop"))
        .expect("the sales connector");
    let url = url.replace("instashop-connector", name);
    let status = Command::new("curl")
        .args(["-fsS", "-X", "POST", &url])
        .status()
        .expect("restarting a connector");
    assert!(status.success());
    bed.proved();
    drop(shop);
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

/// Last by name: takes the bed down and looks for what is left.
#[test]
fn zz_stop_leaves_no_process() {
    let bed = bed();
    bed.running();
    bed.instashop(&["down"]).good();
    bed.dev(&["stack", "down"]).good();
    let left = pids(&bed, &["instashop"]);
    let left: Vec<_> = left
        .into_iter()
        .filter(|pid| *pid != std::process::id() as i32)
        .collect();
    assert!(left.is_empty(), "still running: {left:?}");
    let status: Ran = bed.dev(&["stack", "status"]);
    assert_ne!(
        status.code, 0,
        "a stopped stack is not called healthy\n{}",
        status.out
    );
}
