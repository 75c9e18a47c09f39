//! One PostgreSQL server with the four source databases, and the program under test.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(90);

const DATABASES: &[&str] = &["instashop", "crm_db", "erp_db", "ecommerce_db"];

/// The server; it goes down and its files away with the value.
pub(crate) struct Bed {
    folder: tempfile::TempDir,
    binaries: PathBuf,
    port: u16,
}

/// How a program ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn good(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self
    }
}

impl Bed {
    #[track_caller]
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("simulator-")
            .tempdir()
            .expect("a folder for the server");
        let bed = Self {
            folder,
            binaries: binaries(),
            port: free_port(),
        };
        open_to_all(bed.folder.path());
        let password = bed.folder.path().join("password");
        std::fs::write(&password, "secret\n").expect("the password file");
        let data = bed.data();
        let data_text = data.to_string_lossy();
        bed.server(
            "initdb",
            &[
                "-D",
                &data_text,
                "-U",
                "owner",
                "--auth=scram-sha-256",
                &format!("--pwfile={}", password.display()),
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
        );
        let settings = format!(
            "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n\
             max_connections = 60\nshared_buffers = '32MB'\n",
            bed.port
        );
        let mut own = std::fs::read_to_string(data.join("postgresql.conf")).expect("initdb writes it");
        own.push_str(&settings);
        std::fs::write(data.join("postgresql.conf"), own).expect("the settings");
        bed.control(&["start"]);
        for database in DATABASES {
            bed.tell("postgres", &format!("CREATE DATABASE {database}"));
        }
        let sources: String = DATABASES
            .iter()
            .map(|database| {
                format!(
                    "[sources.{database}]\nport = {}\nowner_user = \"owner\"\nowner_password = \"secret\"\n",
                    bed.port
                )
            })
            .collect();
        std::fs::write(bed.config(), sources).expect("the configuration");
        bed
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("instashop.toml")
    }

    #[track_caller]
    fn server(&self, program: &str, arguments: &[&str]) {
        let ran = Ran::of(
            &self
                .as_postgres(program)
                .args(arguments)
                .output()
                .expect("starting a server program"),
        );
        assert_eq!(ran.code, 0, "{program} {arguments:?}: {}\n{}", ran.out, ran.err);
    }

    /// A server program as the user who may run it: PostgreSQL refuses root.
    fn as_postgres(&self, program: &str) -> Command {
        let path = self.binaries.join(program);
        let mut command = if nix::unistd::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--init-groups"])
                .arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn control(&self, words: &[&str]) {
        let data = self.data();
        let log = self.folder.path().join("log");
        let data_text = data.to_string_lossy();
        let log_text = log.to_string_lossy();
        let mut command = self.as_postgres("pg_ctl");
        command
            .args(["-D", &data_text, "-l", &log_text, "-w", "-t", "60"])
            .args(words);
        // Without pipes: the server would keep them open.
        let status = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("starting pg_ctl");
        assert!(
            status.success(),
            "pg_ctl {words:?}: {}",
            std::fs::read_to_string(log).unwrap_or_default()
        );
    }

    #[track_caller]
    pub(crate) fn restart(&self) {
        self.control(&["-m", "immediate", "restart"]);
    }

    #[track_caller]
    pub(crate) fn stop(&self) {
        self.control(&["-m", "fast", "stop"]);
    }

    fn psql(&self, database: &str, text: &str) -> Ran {
        let output = Command::new(self.binaries.join("psql"))
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-U",
                "owner",
                "-d",
                database,
            ])
            .args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-c", text])
            .env("PGPASSWORD", "secret")
            .stdin(Stdio::null())
            .output()
            .expect("starting psql");
        Ran::of(&output)
    }

    /// The answer to a question.
    #[track_caller]
    pub(crate) fn ask(&self, database: &str, question: &str) -> String {
        let ran = self.psql(database, question);
        assert_eq!(ran.code, 0, "{question}: {}", ran.err);
        ran.out.trim().to_owned()
    }

    /// A statement; one that meets the shop's own work may fail, as a stranger's may.
    pub(crate) fn tell(&self, database: &str, statement: &str) {
        let ran = self.psql(database, statement);
        if ran.code != 0 {
            eprintln!("stranger: {}", ran.err.trim());
        }
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_instashop-dev"));
        command
            .args(arguments)
            .env("INSTASHOP_CONFIG", self.config())
            .env_remove("RUST_BACKTRACE")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    #[track_caller]
    pub(crate) fn dev(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.program(arguments).output().expect("starting instashop-dev"))
    }

    /// Starts the program and listens to it.
    #[track_caller]
    pub(crate) fn begin(&self, arguments: &[&str]) -> Begun {
        let mut child = self.program(arguments).spawn().expect("starting instashop-dev");
        let (say, said) = channel();
        let out = child.stdout.take().expect("a pipe");
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if say.send(line).is_err() {
                    break;
                }
            }
        });
        Begun {
            child,
            said,
            heard: std::cell::RefCell::new(Vec::new()),
        }
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let data = self.data();
        let stopped = self
            .as_postgres("pg_ctl")
            .arg("-D")
            .arg(&data)
            .args(["-m", "immediate", "-w", "stop"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if let Err(error) = stopped {
            eprintln!("cannot stop the server in {}: {error}", data.display());
        }
    }
}

/// The program running.
pub(crate) struct Begun {
    child: Child,
    said: Receiver<String>,
    heard: std::cell::RefCell<Vec<String>>,
}

impl Begun {
    /// Waits for the next line that holds a text.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        let begun = Instant::now();
        while let Ok(line) = self.said.recv_timeout(LIMIT.saturating_sub(begun.elapsed())) {
            let found = line.contains(text);
            self.heard.borrow_mut().push(line);
            if found {
                return;
            }
        }
        panic!(
            "{text:?} was not said within {LIMIT:?}:\n{}",
            self.heard.borrow().join("\n")
        );
    }

    /// Sends SIGTERM and waits for the end.
    #[track_caller]
    pub(crate) fn stop(mut self) -> Ran {
        let pid = nix::unistd::Pid::from_raw(self.child.id() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("sending SIGTERM");
        let mut err = String::new();
        if let Some(mut pipe) = self.child.stderr.take() {
            std::io::Read::read_to_string(&mut pipe, &mut err).expect("reading what it says");
        }
        let code = self.child.wait().expect("waiting for it").code().unwrap_or(-1);
        let mut heard = self.heard.take();
        heard.extend(self.said.iter());
        Ran {
            code,
            out: heard.join("\n"),
            err,
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        // Gone already, after `stop`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder of the newest PostgreSQL of the machine.
#[track_caller]
fn binaries() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            path.join("bin/initdb")
                .is_file()
                .then(|| (version, path.join("bin")))
        })
        .collect();
    found.sort();
    found
        .pop()
        .expect("PostgreSQL's programs under /usr/lib/postgresql; install the package postgresql")
        .1
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its number").port()
}

/// Root's folders are closed to the user who runs the server.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).expect("opening the folder");
}
