//! Faults of the warehouse's PostgreSQL, and of the network before it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr, bail, ensure, eyre};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, User, chown};

use crate::bed::eventually;
use crate::bed::fleet::Flow;
use crate::bed::sql::Database;
use crate::faults::field::{Field, live_on};
use crate::faults::proxy::Proxy;

const SERVICE: &str = "postgres-warehouse";

/// The server dies at once, as with a power cut, and comes back.
pub(in crate::faults) fn killed(field: &mut Field<'_>) -> Result<String> {
    let rounds = if field.is_quick { 1 } else { 3 };
    for _ in 0..rounds {
        field.bed.end(SERVICE, Signal::SIGQUIT)?;
        field.bed.up(&[SERVICE])?;
        field.healed();
        field.caught_up(Flow::Warehouse, Duration::from_mins(1))?;
    }
    Ok(format!("{rounds} immediate stops"))
}

/// The warehouse is away for a while: the live numbers must not notice.
pub(in crate::faults) fn away(field: &mut Field<'_>) -> Result<String> {
    field.bed.down(&[SERVICE])?;
    let away = if field.is_quick { 8 } else { 60 };
    live_on(Duration::from_secs(away));
    field.caught_up(Flow::Live, Duration::from_secs(10))?;
    field.bed.up(&[SERVICE])?;
    Ok(format!("{away} s; the live flow went on"))
}

/// Somebody else holds a table for longer than a worker waits for a lock.
pub(in crate::faults) fn locked(field: &mut Field<'_>) -> Result<String> {
    let other = field.sql(Database::Warehouse)?;
    other.run("BEGIN; LOCK TABLE staging.transaction, ops.offsets IN ACCESS EXCLUSIVE MODE")?;
    live_on(Duration::from_secs(15));
    other.run("ROLLBACK")?;
    Ok("staging.transaction and ops.offsets, 15 s".into())
}

/// Every session of the workers is ended by an administrator, again and again.
pub(in crate::faults) fn sessions_ended(field: &mut Field<'_>) -> Result<String> {
    let other = field.sql(Database::Warehouse)?;
    let mut ended = 0;
    for _ in 0..if field.is_quick { 20 } else { 100 } {
        let count = other.text(
            "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity
             WHERE usename = 'instashop_worker' AND datname = current_database()",
        )?;
        ended += count.parse::<u64>().unwrap_or(0);
        live_on(Duration::from_millis(200));
    }
    Ok(format!("{ended} sessions"))
}

/// The network between a worker and the warehouse: answers of COMMIT lost, silence, cuts.
pub(in crate::faults) fn network(field: &mut Field<'_>) -> Result<String> {
    let config = field.bed.config()?;
    let proxy = Proxy::start(config.warehouse.port)?;
    let settings = [format!("warehouse.port={}", proxy.port)];
    super::live_store::through(field, Flow::Warehouse, &proxy, &settings)
}

/// The disk of a table is full: nothing is written by halves, the flow waits, and goes on when there is room.
pub(in crate::faults) fn disk_full(field: &mut Field<'_>) -> Result<String> {
    let place = field.bed.data().join("small-disk");
    std::fs::create_dir_all(&place).wrap_err("no folder for the small disk")?;
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
        .arg(&place)
        .status()
        .wrap_err("cannot start mount")?;
    ensure!(
        mounted.success(),
        "a small disk cannot be mounted: this scenario needs root"
    );
    let result = on_small_disk(field, &place);
    let mover = field.sql(Database::Warehouse).and_then(|sql| {
        sql.run("ALTER TABLE staging.userbehavior SET TABLESPACE pg_default")?;
        sql.run("DROP TABLESPACE IF EXISTS small_disk")
    });
    let unmounted = Command::new("umount")
        .arg(&place)
        .status()
        .wrap_err("cannot start umount")?;
    mover?;
    ensure!(unmounted.success(), "the small disk stays mounted");
    result
}

fn on_small_disk(field: &mut Field<'_>, place: &Path) -> Result<String> {
    give_to_server(place)?;
    let sql = field.sql(Database::Warehouse)?;
    sql.run(&format!(
        "CREATE TABLESPACE small_disk LOCATION '{}'",
        place.display()
    ))?;
    sql.run("ALTER TABLE staging.userbehavior SET TABLESPACE small_disk")?;
    let ballast = place.join("ballast");
    let filled = Command::new("dd")
        .args(["if=/dev/zero", "bs=1M", "count=64"])
        .arg(format!("of={}", ballast.display()))
        .stderr(std::process::Stdio::null())
        .status()
        .wrap_err("cannot start dd")?;
    // It is to fail: the disk is smaller than what it writes.
    ensure!(!filled.success(), "the small disk did not fill up");
    field.open_shop_at("400")?;
    let waiting = eventually("the warehouse flow waits", Duration::from_mins(1), || {
        Ok(field
            .health()?
            .of(Flow::Warehouse)
            .any(|worker| worker.state.contains("waiting")))
    });
    std::fs::remove_file(&ballast).wrap_err("the ballast cannot be removed")?;
    field.open_shop()?;
    waiting?;
    field.healed();
    field.caught_up(Flow::Warehouse, Duration::from_mins(1))?;
    Ok("the flow waited and went on".into())
}

/// Root cannot run PostgreSQL, so its folders belong to the user that does.
fn give_to_server(folder: &Path) -> Result<()> {
    std::fs::set_permissions(folder, Permissions::from_mode(0o700)).wrap_err("rights cannot be set")?;
    if !Uid::effective().is_root() {
        return Ok(());
    }
    let user = User::from_name("postgres").wrap_err("users cannot be read")?;
    let user = user.ok_or_else(|| eyre!("there is no user postgres"))?;
    chown(folder, Some(user.uid), Some(user.gid))
        .wrap_err_with(|| format!("{} cannot be given to PostgreSQL", folder.display()))
}

/// The primary dies, and a standby that had not received everything is promoted in its place.
pub(in crate::faults) fn failed_over(field: &mut Field<'_>) -> Result<String> {
    let config = field.bed.config()?;
    let data = field.bed.data().join("postgres");
    let (primary, standby) = (data.join("warehouse"), data.join("standby"));
    let as_server = Server::find()?;
    std::fs::create_dir_all(&standby).wrap_err("no folder for the standby")?;
    give_to_server(&standby)?;
    as_server.run(
        "pg_basebackup",
        &[
            "-D",
            &standby.display().to_string(),
            "-X",
            "stream",
            "-R",
            "-c",
            "fast",
            "-d",
            &format!(
                "host=127.0.0.1 port={} user={} password={}",
                config.warehouse.port,
                config.warehouse.owner_user,
                config.warehouse.owner_password.reveal()
            ),
        ],
    )?;
    let port = config.warehouse.port + 50;
    let options = format!("-p {port}");
    let log = standby.join("standby.log").display().to_string();
    let folder = standby.display().to_string();
    as_server.run(
        "pg_ctl",
        &["-D", &folder, "-w", "-l", &log, "-o", &options, "start"],
    )?;
    let sql = field.sql(Database::Warehouse)?;
    let receiver = "SELECT count(*)::text FROM pg_stat_replication WHERE state = 'streaming'";
    eventually("the standby streams", Duration::from_secs(30), || {
        Ok(sql.text(receiver)? != "0")
    })?;
    // The standby stops receiving: what is committed from here on is lost with the primary.
    for pid in children_named(&standby, "walreceiver")? {
        kill(pid, Signal::SIGSTOP).wrap_err("the receiver cannot be stopped")?;
    }
    let lost = if field.is_quick { 4 } else { 15 };
    live_on(Duration::from_secs(lost));
    field.bed.kill(SERVICE)?;
    for pid in children_named(&standby, "walreceiver")? {
        kill(pid, Signal::SIGKILL).wrap_err("the receiver cannot be ended")?;
    }
    as_server.run("pg_ctl", &["-D", &folder, "-w", "promote"])?;
    as_server.run("pg_ctl", &["-D", &folder, "-w", "-m", "fast", "stop"])?;
    // It takes the place of the primary, as an address that moves would make it.
    let fallen = data.join("fallen");
    std::fs::rename(&primary, &fallen).wrap_err("the primary's folder cannot be moved")?;
    std::fs::rename(&standby, &primary).wrap_err("the standby's folder cannot be moved")?;
    field.bed.up(&[SERVICE])?;
    std::fs::remove_dir_all(&fallen).wrap_err("the primary's folder cannot be removed")?;
    Ok(format!("{lost} s of commits gone"))
}

/// Children of a server, by the folder it works in and a word of their title.
fn children_named(folder: &Path, word: &str) -> Result<Vec<Pid>> {
    let folder = folder.canonicalize().wrap_err("the server has no folder")?;
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").wrap_err("no /proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let title = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        let works_in = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        if title.contains(word) && works_in == folder {
            found.push(Pid::from_raw(pid));
        }
    }
    Ok(found)
}

/// PostgreSQL's own programs, run as the user that runs the servers.
struct Server {
    bin: std::path::PathBuf,
    is_root: bool,
}

impl Server {
    fn find() -> Result<Self> {
        let mut versions: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
            .wrap_err("PostgreSQL's programs are not in /usr/lib/postgresql")?
            .flatten()
            .map(|entry| entry.path().join("bin"))
            .filter(|bin| bin.join("pg_basebackup").is_file())
            .collect();
        versions.sort();
        let Some(bin) = versions.pop() else {
            bail!("pg_basebackup is not installed");
        };
        Ok(Self {
            bin,
            is_root: Uid::effective().is_root(),
        })
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let path = self.bin.join(program);
        let mut command = if self.is_root {
            let mut command = Command::new("setpriv");
            command.args([
                "--reuid=postgres",
                "--regid=postgres",
                "--init-groups",
                "--reset-env",
            ]);
            command.arg(path);
            command
        } else {
            Command::new(path)
        };
        // The server that pg_ctl starts keeps these open; a pipe would never end.
        let status = command
            .args(arguments)
            .current_dir("/")
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .wrap_err("cannot start a program of PostgreSQL")?;
        ensure!(status.success(), "{program} ended with {status}");
        Ok(())
    }
}
