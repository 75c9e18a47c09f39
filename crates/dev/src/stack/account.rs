//! Who runs the servers: the user himself, or for root's PostgreSQL the system user made for it.

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};

use color_eyre::eyre::{Result, WrapErr};
use nix::unistd::{User, geteuid};

/// The system user that Debian's packages make for PostgreSQL.
const POSTGRES_USER: &str = "postgres";

/// The account under which this command runs and the one that PostgreSQL gets.
#[derive(Debug, Clone)]
pub(super) struct Account {
    root: bool,
    server: Option<User>,
}

impl Account {
    /// Looks up both. Not an error when the system user is missing yet: its package may still be installed.
    pub(super) fn current() -> Self {
        let root = geteuid().is_root();
        let server = if root {
            User::from_name(POSTGRES_USER).ok().flatten()
        } else {
            None
        };
        Self { root, server }
    }

    /// True when this command runs as root.
    pub(super) fn is_root(&self) -> bool {
        self.root
    }

    /// True when PostgreSQL can be run at all: always for an ordinary user, for root only with the system user.
    pub(super) fn can_run_postgres(&self) -> bool {
        !self.root || self.server.is_some()
    }

    /// Name of the user PostgreSQL runs as, for messages.
    pub(super) fn server_user(&self) -> &str {
        self.server
            .as_ref()
            .map_or(POSTGRES_USER, |user| user.name.as_str())
    }

    /// The words before a PostgreSQL command. `setpriv` needs neither a shell nor PAM and keeps the process id;
    /// `su` fails on accounts without a shell.
    pub(super) fn prefix(&self) -> Vec<String> {
        self.server.as_ref().map_or_else(Vec::new, |user| {
            vec![
                "setpriv".to_owned(),
                format!("--reuid={}", user.uid),
                format!("--regid={}", user.gid),
                "--init-groups".to_owned(),
            ]
        })
    }

    /// Gives a file or folder to the user PostgreSQL runs as.
    pub(super) fn give(&self, path: &Path) -> Result<()> {
        let Some(user) = &self.server else { return Ok(()) };
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
            .wrap_err_with(|| format!("cannot give {} to user {}", path.display(), user.name))
    }

    /// True when PostgreSQL's user can enter the folder, asked from the kernel in that user's name.
    pub(super) fn server_can_enter(&self, folder: &Path) -> bool {
        if !self.root {
            return true;
        }
        let prefix = self.prefix();
        let Some((program, arguments)) = prefix.split_first() else {
            // The package is not installed yet, so nobody can be asked; others' right to enter decides.
            return others_can_enter(folder);
        };
        let asked = Command::new(program)
            .args(arguments)
            .args(["test", "-x"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    }
}

fn others_can_enter(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    folder.ancestors().all(|part| {
        part.metadata()
            .is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0)
    })
}
