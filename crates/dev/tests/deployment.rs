//! The files for machines with Docker agree with each other and with the local stack. Their text is checked always;
//! where the docker client has compose, compose itself reads them too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Names and values of `.env.example`.
fn sample() -> BTreeMap<String, String> {
    let text = read(".env.example");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The texts between `${` and `}` of the compose file, comments left out.
fn interpolations() -> Vec<String> {
    let text = read("docker-compose.yml");
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    let text = code.join("\n");
    text.split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(inside, _)| inside.to_owned())
        .collect()
}

/// The value of a property of the pom.
fn pinned(property: &str) -> String {
    let pom = read("crates/dev/pom.xml");
    let (_, rest) = pom.split_once(&format!("<{property}>")).unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

#[test]
fn every_variable_of_compose_is_in_the_sample_and_none_is_left_over() {
    let sample = sample();
    let mut used = vec!["COMPOSE_PROFILES".to_owned()];
    for inside in interpolations() {
        let name: String = inside
            .chars()
            .take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_')
            .collect();
        let rest = &inside[name.len()..];
        used.push(name.clone());
        if ["TERM", "COLORTERM"].contains(&name.as_str()) {
            continue;
        }
        let value = sample
            .get(&name)
            .unwrap_or_else(|| panic!("{name} is not in .env.example"));
        if let Some(default) = rest.strip_prefix(":-") {
            assert_eq!(value, default, "{name} has another default in .env.example");
        } else {
            assert!(
                rest.starts_with(":?"),
                "${{{inside}}} neither has a default nor is required"
            );
            assert!(
                name.ends_with("_PASSWORD") && value.is_empty(),
                "{name} has an example value"
            );
        }
    }
    for name in sample.keys() {
        assert!(used.contains(name), "{name} of .env.example is used nowhere");
    }
}

#[test]
fn ports_are_published_on_the_loopback_only() {
    let text = read("docker-compose.yml");
    let ports: Vec<&str> = text
        .lines()
        .filter(|line| line.trim_start().starts_with("ports:"))
        .collect();
    assert_eq!(ports.len(), 10);
    for line in ports {
        assert!(line.trim_start().starts_with("ports: [\"127.0.0.1:"), "{line}");
    }
}

#[test]
fn images_are_pinned_to_the_versions_of_the_local_stack() {
    let text = read("docker-compose.yml");
    let images: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("image: "))
        .collect();
    for image in &images {
        let (_, tag) = image
            .rsplit_once(':')
            .unwrap_or_else(|| panic!("{image} has no tag"));
        assert!(tag == "local" || tag.contains('.'), "{image} is not pinned");
    }
    for expected in [
        format!("apache/kafka:{}", pinned("kafka.version")),
        format!("quay.io/debezium/connect:{}", pinned("debezium.version")),
    ] {
        assert!(
            images.contains(&expected.as_str()),
            "{expected} is not among {images:?}"
        );
    }
    let toolchain = read("rust-toolchain.toml");
    let (_, channel) = toolchain.split_once("channel = \"").unwrap();
    let channel = channel.split_once('"').unwrap().0;
    assert!(
        read("Dockerfile").contains(&format!("FROM rust:{channel}-")),
        "the image's Rust is not {channel}"
    );
}

#[test]
fn every_connector_finds_its_password_in_both_worlds() {
    let compose = read("docker-compose.yml");
    for name in ["instashop", "crm", "erp", "ecommerce"] {
        let connector = read(&format!("debezium-config/{name}-connector.json"));
        let (_, rest) = connector.split_once("${env:").unwrap();
        let variable = rest.split_once('}').unwrap().0;
        assert!(
            compose.contains(&format!("      {variable}: ${{")),
            "{variable} is not given to connect"
        );
        assert!(
            variable.starts_with("CAPTURE_") && variable.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        );
    }
}

#[test]
fn the_image_is_built_from_everything_the_code_includes() {
    let allowed = read(".dockerignore");
    for name in [
        "crates",
        "Cargo.toml",
        "Cargo.lock",
        "debezium-config",
        "scripts/install-packages.sh",
        "instashop-sample.toml",
    ] {
        assert!(
            allowed.lines().any(|line| line == format!("!{name}")),
            "{name} is not in the build's context"
        );
        assert!(root().join(name).exists(), "{name} is gone");
    }
}

/// Runs `docker compose config` with an environment of its own; `None` where there is no compose.
fn compose_config(variables: &Path) -> Option<Output> {
    let has_compose = Command::new("docker")
        .args(["compose", "version"])
        .output()
        .is_ok_and(|out| out.status.success());
    has_compose.then(|| {
        let mut command = Command::new("docker");
        command
            .args([
                "compose",
                "--profile",
                "demo",
                "--profile",
                "dashboard",
                "--env-file",
            ])
            .arg(variables);
        command.args(["config", "--quiet"]).current_dir(root());
        for name in sample().keys() {
            command.env_remove(name);
        }
        command.output().expect("docker compose has just run")
    })
}

#[test]
fn compose_reads_the_file_and_refuses_empty_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let filled = folder.path().join("filled");
    let lines: Vec<String> = sample()
        .iter()
        .map(|(name, value)| {
            format!(
                "{name}={}",
                if value.is_empty() {
                    "0123456789abcdef"
                } else {
                    value
                }
            )
        })
        .collect();
    fs::write(&filled, lines.join("\n")).unwrap();
    let Some(good) = compose_config(&filled) else {
        println!("no docker compose on this machine: only the text of the files was checked");
        return;
    };
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    let bad = compose_config(&root().join(".env.example")).unwrap();
    let said = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(
        !bad.status.success() && said.contains("scripts/compose-env.sh"),
        "{said}"
    );
}
