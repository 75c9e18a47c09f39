//! The programs the stack is made of: found where distributions put them, checked for their version, and installed
//! where the user may (root or `sudo` without a password, on Debian and Ubuntu).

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use color_eyre::eyre::{Result, WrapErr, bail};

use super::account::Account;
use super::progress::Progress;
use super::service::Service;

/// What the stack runs on.
#[derive(Debug, Clone, Default)]
pub(super) struct Tools {
    /// Folder with `initdb` and `postgres`.
    pub(super) postgres: Option<PathBuf>,
    /// `redis-server`.
    pub(super) redis: Option<PathBuf>,
    /// The Java machine.
    pub(super) java: Option<Java>,
    /// `mvn`, needed only until the jars are there.
    pub(super) maven: Option<PathBuf>,
}

/// A Java machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Java {
    /// The `java` program.
    pub(super) program: PathBuf,
    /// Its version line, for example `openjdk version "17.0.15" 2025-04-15`.
    pub(super) version: String,
}

/// Which of them this command needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    postgres: bool,
    redis: bool,
    java: bool,
    maven: bool,
}

impl Needs {
    /// What the services need; Maven only while the jars have to be fetched.
    pub(super) fn of(services: &[Service], has_jars: bool) -> Self {
        let java = services
            .iter()
            .any(|service| matches!(service, Service::Kafka(_) | Service::Connect));
        Self {
            postgres: services
                .iter()
                .any(|service| matches!(service, Service::Postgres(_))),
            redis: services.contains(&Service::Redis),
            java,
            maven: java && !has_jars,
        }
    }

    /// True when the services run on the Java machine.
    pub(super) fn java(self) -> bool {
        self.java
    }
}

/// Something that is not there, with the packages that bring it (`a|b`: the first that the release has).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Missing {
    what: String,
    packages: String,
}

/// Oldest PostgreSQL that the product supports.
const POSTGRES_OLDEST: u32 = 14;
/// Version that is preferred when several are installed (what the design was measured with).
const POSTGRES_PREFERRED: u32 = 15;
/// Functions with `#!lua` and ACL selectors came with Redis 7.
const REDIS_OLDEST: u32 = 7;
/// Kafka 4 and Debezium 3 are Java 17 byte code.
const JAVA_OLDEST: u32 = 17;
// A JDK rather than a JRE for `jcmd`, which makes the archives that halve the start of Kafka and Connect.
const JAVA_PACKAGES: &str = "openjdk-17-jdk-headless|openjdk-21-jdk-headless|default-jdk-headless";
const INSTALLER: &str = include_str!("../../../../scripts/install-packages.sh");

/// Finds the programs, installing what is missing where that is allowed.
///
/// `made_with` is the PostgreSQL version of clusters that exist already: data of one version cannot be opened by
/// another. Fails with one sentence that names everything that is missing and the command that brings it.
pub(super) fn provide(
    needs: Needs,
    postgres_bin: Option<&Path>,
    made_with: Option<u32>,
    may_install: bool,
    progress: &Progress,
) -> Result<Tools> {
    let look = || find(needs, postgres_bin, made_with);
    let missing = match look() {
        Ok(tools) => return Ok(tools),
        Err(missing) => missing,
    };
    let names: Vec<&str> = missing.iter().map(|thing| thing.what.as_str()).collect();
    let Some(elevation) = may_install.then(elevation).flatten() else {
        bail!("{}", how_to_install(&missing));
    };
    progress.note(&format!(
        "missing: {}; installing from the system's packages",
        names.join(", ")
    ));
    progress.step("packages", || install(&missing, &elevation), |()| String::new())?;
    look().or_else(|still| bail!("after installing, still {}", how_to_install(&still)))
}

/// The words before a command that make it run as root: none for root, `sudo -n` where it asks nothing.
fn elevation() -> Option<Vec<String>> {
    on_path("apt-get")?;
    if Account::current().is_root() {
        return Some(Vec::new());
    }
    let asked = Command::new("sudo")
        .args(["-n", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked
        .is_ok_and(|status| status.success())
        .then(|| vec!["sudo".to_owned(), "-n".to_owned()])
}

fn install(missing: &[Missing], elevation: &[String]) -> Result<()> {
    let mut words: Vec<&str> = elevation.iter().map(String::as_str).collect();
    words.extend(["sh", "-c", INSTALLER, "install-packages"]);
    words.extend(missing.iter().map(|thing| thing.packages.as_str()));
    let output = Command::new(words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .output();
    let output = output.wrap_err("apt-get cannot be run")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last: Vec<&str> = said.lines().rev().take(12).collect();
        let shown: Vec<&str> = last.into_iter().rev().collect();
        bail!(
            "installing failed:\n{}\n{}",
            shown.join("\n"),
            how_to_install(missing)
        );
    }
    Ok(())
}

fn how_to_install(missing: &[Missing]) -> String {
    let names: Vec<&str> = missing.iter().map(|thing| thing.what.as_str()).collect();
    let packages: Vec<String> = missing.iter().map(|thing| available(&thing.packages)).collect();
    let names = names.join(", ");
    if on_path("apt-get").is_none() {
        return format!(
            "missing: {names}. Install them with this system's packages, then run this command again"
        );
    }
    format!(
        "missing: {names}. Run this, then this command again:\n  \
         sudo apt-get update && sudo apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    )
}

/// The first of `a|b|c` that this release offers; the last when the lists of packages are empty.
fn available(packages: &str) -> String {
    let offered = |name: &&str| {
        let output = Command::new("apt-cache").args(["policy", name]).output();
        output.is_ok_and(|output| {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.contains("Candidate: ") && !text.contains("Candidate: (none)")
        })
    };
    let found = packages.split('|').find(offered);
    found
        .or_else(|| packages.rsplit('|').next())
        .unwrap_or(packages)
        .to_owned()
}

fn find(needs: Needs, postgres_bin: Option<&Path>, made_with: Option<u32>) -> Result<Tools, Vec<Missing>> {
    let mut tools = Tools::default();
    let mut missing = Vec::new();
    if needs.postgres {
        match find_postgres(postgres_bin, made_with) {
            // The system user comes with the package, so without it the package is incomplete.
            Ok(folder) if Account::current().can_run_postgres() => tools.postgres = Some(folder),
            Ok(_) => missing.push(Missing {
                what: "the system user `postgres` (PostgreSQL does not run as root)".to_owned(),
                packages: "postgresql-common".to_owned(),
            }),
            Err(thing) => missing.push(thing),
        }
    }
    if needs.redis {
        match checked("redis-server", &["--version"], REDIS_OLDEST, redis_major) {
            Ok((program, _)) => tools.redis = Some(program),
            Err(found) => missing.push(Missing {
                what: format!("redis-server {REDIS_OLDEST} or newer{found}"),
                packages: "redis-server".to_owned(),
            }),
        }
    }
    if needs.java {
        let home = env::var_os("JAVA_HOME")
            .map(|home| Path::new(&home).join("bin/java"))
            .filter(|java| java.is_file());
        let java = home.map_or_else(|| "java".to_owned(), |java| java.to_string_lossy().into_owned());
        match checked(&java, &["-version"], JAVA_OLDEST, java_major) {
            Ok((program, version)) => tools.java = Some(Java { program, version }),
            Err(found) => missing.push(Missing {
                what: format!("Java {JAVA_OLDEST} or newer{found}"),
                packages: JAVA_PACKAGES.to_owned(),
            }),
        }
    }
    if needs.maven {
        match on_path("mvn") {
            Some(program) => tools.maven = Some(program),
            None => missing.push(Missing {
                what: "Maven".to_owned(),
                packages: "maven".to_owned(),
            }),
        }
    }
    if missing.is_empty() {
        Ok(tools)
    } else {
        Err(missing)
    }
}

fn find_postgres(given: Option<&Path>, made_with: Option<u32>) -> Result<PathBuf, Missing> {
    let folders: Vec<PathBuf> = if let Some(folder) = given {
        vec![folder.to_path_buf()]
    } else {
        let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
        let debian = debian.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
        let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>());
        debian.chain(on_path.into_iter().flatten()).collect()
    };
    let found: Vec<(u32, PathBuf)> = folders
        .into_iter()
        .filter(|folder| folder.join("postgres").is_file() && folder.join("initdb").is_file())
        .filter_map(|folder| {
            let said = first_line(&folder.join("initdb"), &["--version"])?;
            Some((number_after(&said, "(PostgreSQL) ")?, folder))
        })
        .collect();
    choose_postgres(found, made_with).ok_or_else(|| {
        let (what, packages) = match made_with {
            Some(major) => (
                format!("PostgreSQL {major} (the version this stack's data was made with)"),
                format!("postgresql-{major}"),
            ),
            None => (
                format!("PostgreSQL {POSTGRES_OLDEST} or newer"),
                format!("postgresql-{POSTGRES_PREFERRED}|postgresql"),
            ),
        };
        let what = given.map_or(what.clone(), |folder| format!("{what} in {}", folder.display()));
        Missing { what, packages }
    })
}

fn choose_postgres(mut found: Vec<(u32, PathBuf)>, made_with: Option<u32>) -> Option<PathBuf> {
    found.retain(|(major, _)| made_with.map_or(*major >= POSTGRES_OLDEST, |made| *major == made));
    found.sort_by_key(|(major, _)| (*major != POSTGRES_PREFERRED, Reverse(*major)));
    found.into_iter().next().map(|(_, folder)| folder)
}

/// The program and its version line if it is new enough, else words about what was found instead.
fn checked(
    program: &str,
    arguments: &[&str],
    oldest: u32,
    major: impl Fn(&str) -> Option<u32>,
) -> Result<(PathBuf, String), String> {
    let path = on_path(program).ok_or_else(String::new)?;
    let said = first_line(&path, arguments).unwrap_or_default();
    match major(&said) {
        Some(found) if found >= oldest => Ok((path, said)),
        _ => Err(format!(
            " (found: {})",
            if said.is_empty() {
                "one that does not run"
            } else {
                said.as_str()
            }
        )),
    }
}

fn first_line(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = if output.stdout.is_empty() {
        output.stderr
    } else {
        output.stdout
    };
    String::from_utf8_lossy(&text).lines().next().map(str::to_owned)
}

/// The program's path: itself when it has a folder, else looked for on PATH.
pub(super) fn on_path(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Path::new(program).is_file().then(|| PathBuf::from(program));
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

fn redis_major(said: &str) -> Option<u32> {
    number_after(said, " v=")
}

fn java_major(said: &str) -> Option<u32> {
    number_after(said, "version \"")
}

fn number_after(text: &str, mark: &str) -> Option<u32> {
    let (_, rest) = text.split_once(mark)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_programs_print_them() {
        assert_eq!(
            redis_major("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0"),
            Some(7)
        );
        assert_eq!(java_major("openjdk version \"17.0.15\" 2025-04-15"), Some(17));
        assert_eq!(java_major("java version \"1.8.0_391\""), Some(1));
        assert_eq!(
            number_after(
                "initdb (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)",
                "(PostgreSQL) "
            ),
            Some(15)
        );
        assert_eq!(java_major("bash: java: command not found"), None);
    }

    #[test]
    fn the_choice_among_installed_versions() {
        let found = |majors: &[u32]| {
            majors
                .iter()
                .map(|n| (*n, PathBuf::from(n.to_string())))
                .collect::<Vec<_>>()
        };
        let cases: [(&[u32], Option<u32>, Option<&str>); 6] = [
            (&[14, 15, 17], None, Some("15")),
            (&[14, 16, 17], None, Some("17")),
            (&[13], None, None),
            (&[15, 16], Some(16), Some("16")),
            (&[15, 17], Some(16), None),
            (&[], None, None),
        ];
        for (majors, made_with, expected) in cases {
            assert_eq!(
                choose_postgres(found(majors), made_with),
                expected.map(PathBuf::from),
                "{majors:?}"
            );
        }
    }

    #[test]
    fn needs_follow_the_services() {
        let redis = Needs::of(&[Service::Redis], false);
        assert!(redis.redis && !redis.postgres && !redis.java && !redis.maven);
        let kafka = Needs::of(&[Service::Kafka(1)], true);
        assert!(kafka.java && !kafka.maven);
    }

    #[test]
    fn a_missing_program_has_one_message_with_a_command() {
        let missing = [Missing {
            what: "Maven".to_owned(),
            packages: "maven".to_owned(),
        }];
        let said = how_to_install(&missing);
        assert!(said.starts_with("missing: Maven. "), "{said}");
    }
}
