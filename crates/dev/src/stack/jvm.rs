//! How Kafka and Connect are started on the Java machine: small heaps, one log, and an archive of loaded classes that
//! halves a warm start (docs: stack, "Kafka").

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use color_eyre::eyre::{Result, WrapErr};

use super::process::Launch;
use super::server::{Workshop, fingerprint};
use super::service::Service;
use super::state::{make_folder, write_private};

/// Folder for temporary files in a server's own folder.
const TEMPORARY: &str = "tmp";

/// One server on the Java machine.
#[derive(Debug)]
pub(super) struct Program<'a> {
    /// Name of the archive of loaded classes: `kafka` or `connect`.
    pub(super) kind: &'static str,
    /// Class with the main method.
    pub(super) main: &'static str,
    /// Largest heap in MiB.
    pub(super) heap: u32,
    /// The server's property file and its content.
    pub(super) properties: (&'a Path, &'a str),
    /// Loggers that say more than warnings.
    pub(super) informative: &'a [&'a str],
    /// Environment, which may hold secrets.
    pub(super) environment: Vec<(String, String)>,
}

/// Bounded on disk, warnings only but for a few loggers: at INFO every client prints its whole configuration.
fn logging(log: &Path, informative: &[&str]) -> String {
    let mut text = format!(
        "# Written by `stack up`.
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd HH:mm:ss,SSS}}{{UTC}} %-5p %c{{1}} %m%n%ex
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 16MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
",
        log = log.display()
    );
    for (number, name) in informative.iter().enumerate() {
        text.extend([format!(
            "logger.l{number}.name = {name}\nlogger.l{number}.level = info\n"
        )]);
    }
    text
}

/// One argument per line, quoted, as `java @file` reads them: a class path of ninety jars is no use in `ps`.
fn argument_file(arguments: &[String]) -> String {
    let quote = |text: &String| format!("\"{}\"\n", text.replace('\\', "\\\\").replace('"', "\\\""));
    arguments.iter().map(quote).collect()
}

impl Program<'_> {
    /// Writes the files and says how to start it.
    pub(super) fn launch(self, workshop: &Workshop, service: Service) -> Result<Launch> {
        let stack = &workshop.stack;
        let home = stack.home(service);
        make_folder(&home.join(TEMPORARY), 0o700)?;
        make_folder(&stack.folder("logs"), 0o700)?;
        let java = workshop.java()?;
        let (properties, text) = self.properties;
        write_private(properties, text)?;
        let log = stack.log(service);
        let logging_file = home.join("log4j2.properties");
        let logging = logging(&log, self.informative);
        write_private(&logging_file, &logging)?;

        let arguments = [
            format!("-Xms{}m", self.heap / 4),
            format!("-Xmx{}m", self.heap),
            "-XX:+UseSerialGC".to_owned(),
            "-XX:+ExitOnOutOfMemoryError".to_owned(),
            "-Djava.awt.headless=true".to_owned(),
            format!("-Djava.io.tmpdir={}", home.join(TEMPORARY).display()),
            "-Duser.timezone=UTC".to_owned(),
            format!("-Dlog4j2.configurationFile=file:{}", logging_file.display()),
        ];
        let mut lines = arguments.to_vec();
        // What follows changes from start to start and is no reason for a restart, so it is not in the fingerprint.
        let archive = workshop.jars.archive(self.kind, java);
        if archive.is_file() {
            lines.push(format!("-XX:SharedArchiveFile={}", archive.display()));
        } else {
            // Writing the archive warns about every class that cannot be in it.
            lines.extend([
                "-XX:+RecordDynamicDumpInfo".to_owned(),
                "-Xlog:cds*=error".to_owned(),
            ]);
        }
        lines.extend(["-cp".to_owned(), workshop.jars.class_path()?]);
        let file = home.join("java.args");
        write_private(&file, &argument_file(&lines))?;

        let environment: Vec<String> = self
            .environment
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let digest = fingerprint(&[
            &java.program.to_string_lossy(),
            &java.version,
            &workshop.jars.folder().to_string_lossy(),
            self.main,
            text,
            &logging,
            &arguments.join(" "),
            &environment.join("\n"),
        ]);
        Ok(Launch {
            prefix: Vec::new(),
            program: java.program.clone(),
            arguments: vec![
                format!("@{}", file.display()),
                self.main.to_owned(),
                properties.to_string_lossy().into_owned(),
            ],
            environment: self.environment,
            log,
            home,
            fingerprint: digest,
        })
    }
}

/// Empties the folder for temporary files of a server that is down: a killed one leaves its unpacked libraries there.
pub(super) fn clear_temporary(home: &Path) -> Result<()> {
    let folder = home.join(TEMPORARY);
    fs::remove_dir_all(&folder).wrap_err_with(|| format!("{} cannot be emptied", folder.display()))?;
    make_folder(&folder, 0o700)
}

/// Has a running server write the archive of the classes it has loaded, if there is none yet. In the background: it
/// takes some seconds, nobody waits for it, and a failure costs nothing but a slower start.
pub(super) fn archive_classes(workshop: &Workshop, kind: &str, pid: i32) -> Result<bool> {
    let java = workshop.java()?;
    let archive = workshop.jars.archive(kind, java);
    let Some(jcmd) = jcmd(&java.program) else {
        return Ok(false);
    };
    if archive.exists() {
        return Ok(false);
    }
    Command::new("setsid")
        .arg(jcmd)
        .arg(pid.to_string())
        .arg("VM.cds")
        .arg("dynamic_dump")
        .arg(&archive)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .wrap_err("jcmd cannot be started")?;
    Ok(true)
}

/// `jcmd` beside the real `java`; a JRE has none.
fn jcmd(java: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(java).ok()?;
    let jcmd = real.parent()?.join("jcmd");
    jcmd.is_file().then_some(jcmd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted() {
        let arguments = ["-cp".to_owned(), "/a b/c.jar:/d\"e\\f.jar".to_owned()];
        assert_eq!(
            argument_file(&arguments),
            "\"-cp\"\n\"/a b/c.jar:/d\\\"e\\\\f.jar\"\n"
        );
    }

    #[test]
    fn the_log_is_bounded_and_quiet() {
        insta::assert_snapshot!(logging(Path::new("/data/logs/connect.log"), &["io.debezium"]));
    }
}
