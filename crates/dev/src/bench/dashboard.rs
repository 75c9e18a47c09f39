//! The dashboard against real servers and a shop that lives: each figure beside the bound it was promised
//! (design: terminal dashboard, sections 1, 9 and 15).

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::Args as ClapArgs;
use color_eyre::eyre::{Result, WrapErr, eyre};
use serde_json::{Value, json};

use super::board::{Board, Usage};
use crate::bed::Bed;
use crate::faults::field::{Field, live_on};

const HELP: &str = "\
Examples:
  instashop-dev bench dashboard                  everything but hours of use, about six minutes
  instashop-dev bench dashboard --soak 60        the same, then an hour of use
  instashop-dev bench dashboard --format json    for a program

Build with `cargo build --release --workspace --bins` first: a debug build is ten times as slow.
Exit codes: 0 every figure is within its bound; 1 one is not, or the servers did not come up; 2 usage.";

/// Arguments of `instashop-dev bench dashboard`.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = HELP)]
pub(super) struct Args {
    /// Minutes of use with keys pressed, after the other figures
    #[arg(long, value_name = "MINUTES", default_value_t = 0)]
    soak: u64,
    /// Only the hours of use
    #[arg(long, requires = "soak")]
    soak_only: bool,
    /// Seconds each steady figure is measured
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    seconds: u64,
    /// Readers of Redis at once
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    readers: u32,
    /// Changes a second of the shop meanwhile
    #[arg(long, value_name = "RATE", default_value = "20")]
    rate: String,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: super::Format,
}

/// Ports of its own, so that other beds are not disturbed.
const PORT_OFFSET: &str = "10500";

/// Longest wait for a state of the screen.
const PATIENCE: Duration = Duration::from_mins(1);

/// Keys pressed while their answers are timed.
const KEYS: usize = 220;

/// Tabs by key and by what their name begins with in the bar.
const TABS: [(&str, &str); 11] = [
    ("1", "[1 "),
    ("2", "[2 "),
    ("3", "[3 "),
    ("4", "[4 "),
    ("5", "[5 "),
    ("6", "[6 "),
    ("7", "[7 "),
    ("8", "[8 "),
    ("9", "[9 "),
    ("0", "[0 "),
    ("!", "[!"),
];

/// A figure; `bound` is the most it may be.
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    bound: Option<f64>,
}

impl Figure {
    fn is_good(&self) -> bool {
        self.bound.is_none_or(|bound| self.value <= bound)
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let bed = Bed::new(
        Bed::usual_folder("instashop-dashboard-bed"),
        PORT_OFFSET.into(),
        1,
        "bench",
    )?;
    bed.remove()?;
    let measured = measure(&bed, args);
    bed.remove()?;
    let figures = measured?;
    match args.format {
        super::Format::Table => print!("{}", table(&figures)),
        super::Format::Json => println!("{:#}", as_json(&figures)),
    }
    Ok(if figures.iter().all(Figure::is_good) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn measure(bed: &Bed, args: &Args) -> Result<Vec<Figure>> {
    eprintln!("--> servers, history, capture, workers");
    bed.prepare(&crate::faults::SHOP)?;
    let mut field = Field::new(bed, 1, "bench", false);
    field.fleet.one_each(bed)?;
    field.both_caught_up(Duration::from_mins(5))?;
    let mut etl = bed.spawn(bed.command("instashop", &["etl"]), "etl")?;
    let result = (|| {
        bed.good("instashop", &["verify"])?;
        field.open_shop_at(&args.rate)?;
        let mut bench = Bench {
            bed,
            steady: Duration::from_secs(args.seconds),
            figures: Vec::new(),
        };
        if !args.soak_only {
            bench.start()?;
            bench.idle()?;
            bench.keys()?;
            bench.bytes()?;
            bench.readers(args.readers)?;
        }
        if args.soak > 0 {
            bench.soak(Duration::from_mins(args.soak))?;
        }
        Ok(bench.figures)
    })();
    let _ = etl.kill();
    let _ = etl.wait();
    result
}

struct Bench<'a> {
    bed: &'a Bed,
    steady: Duration,
    figures: Vec<Figure>,
}

/// What Redis says it has done so far.
#[derive(Clone, Copy)]
struct Work {
    cpu: f64,
    commands: f64,
    bytes: f64,
    at: Instant,
}

impl Bench<'_> {
    fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str, bound: Option<f64>) {
        let name = name.into();
        let figure = Figure {
            name,
            value,
            unit,
            bound,
        };
        eprint!("{}", row(&figure));
        self.figures.push(figure);
    }

    fn dashboard(&self, tab: &str) -> Command {
        let arguments = [
            "--lang", "en", "--glyphs", "unicode", "--colors", "256", "--tab", tab,
        ];
        self.bed.command("instashop-tui", &arguments)
    }

    fn open(&self, tab: &str, columns: u16, rows: u16) -> Result<Board> {
        Board::start(&self.dashboard(tab), columns, rows)
    }

    /// First frame and first figures, the median of nine starts.
    fn start(&mut self) -> Result<()> {
        let (mut frames, mut data) = (Vec::new(), Vec::new());
        for _ in 0..9 {
            let board = self.open("live", 120, 40)?;
            frames
                .push(board.await_screen("the first frame", PATIENCE, |screen| screen.contains("[1 Live]"))?);
            data.push(board.await_screen("figures of Redis", PATIENCE, has_figures)?);
        }
        self.add("first frame", millis(median(&mut frames)), "ms", Some(150.0));
        self.add("first figures", millis(median(&mut data)), "ms", Some(500.0));
        Ok(())
    }

    /// A board that nobody touches, on Live, with one answer of Redis a second.
    fn idle(&mut self) -> Result<()> {
        for (columns, rows) in [(80, 24), (120, 40), (200, 60)] {
            let board = self.open("live", columns, rows)?;
            board.await_screen("figures of Redis", PATIENCE, has_figures)?;
            // The first answers of the warehouse belong to the start.
            live_on(Duration::from_secs(3));
            let (before, bytes) = (board.usage()?, board.bytes());
            live_on(self.steady);
            let (after, sent) = (board.usage()?, board.bytes() - bytes);
            let name = |what: &str| format!("idle {columns}x{rows}: {what}");
            self.add(
                name("processor"),
                after.percent_since(&before),
                "% of a core",
                Some(2.0),
            );
            self.add(name("memory"), after.memory_kb as f64 / 1024.0, "MB", Some(40.0));
            self.add(
                name("bytes"),
                sent as f64 / self.steady.as_secs_f64(),
                "B/s",
                Some(2048.0),
            );
        }
        Ok(())
    }

    /// From a key to its answer on the screen, while the shop lives and Redis is asked four times a second.
    fn keys(&mut self) -> Result<()> {
        let mut command = self.dashboard("live");
        command.args(["--set", "dashboard.live_ms=250"]);
        let mut board = Board::start(&command, 120, 40)?;
        board.await_screen("figures of Redis", PATIENCE, has_figures)?;
        let mut took = Vec::new();
        for (key, tab) in TABS.iter().cycle().skip(1).take(KEYS) {
            // Not in step with the answers of the stores.
            live_on(Duration::from_millis(17 + took.len() as u64 * 7 % 90));
            let pressed = Instant::now();
            board.press(key)?;
            board.await_screen(tab, PATIENCE, |screen| screen.contains(tab))?;
            took.push(pressed.elapsed());
        }
        took.sort_unstable();
        let at = |percent: usize| millis(took[(took.len() * percent / 100).min(took.len() - 1)]);
        let (half, most, worst) = (at(50), at(99), at(100));
        self.add("key to screen: p50", half, "ms", None);
        self.add("key to screen: p99", most, "ms", Some(50.0));
        self.add("key to screen: slowest", worst, "ms", None);
        Ok(())
    }

    /// Bytes of a switch to each tab, and of a quiet minute on it.
    fn bytes(&mut self) -> Result<()> {
        let mut board = self.open("sales", 80, 24)?;
        board.await_screen("the Sales tab", PATIENCE, |screen| screen.contains("[2 "))?;
        live_on(Duration::from_secs(2));
        for (key, tab) in TABS {
            let before = board.bytes();
            board.press(key)?;
            board.await_screen(tab, PATIENCE, |screen| screen.contains(tab))?;
            // The frame of the key and those with the first answers.
            live_on(Duration::from_secs(2));
            let switched = board.bytes();
            let quiet = self.steady / 2;
            live_on(quiet);
            let a_minute = (board.bytes() - switched) as f64 / quiet.as_secs_f64() * 60.0;
            let name = key;
            self.add(
                format!("tab {name} 80x24: switch"),
                (switched - before) as f64,
                "B",
                Some(12_000.0),
            );
            self.add(
                format!("tab {name} 80x24: a quiet minute"),
                a_minute,
                "B",
                Some(122_880.0),
            );
        }
        Ok(())
    }

    fn work(&self) -> Result<Work> {
        let info = self.bed.redis(&["INFO", "everything"])?;
        let field = |name: &str| {
            info.lines()
                .find_map(|line| {
                    line.strip_prefix(name)?
                        .strip_prefix(':')?
                        .trim()
                        .parse::<f64>()
                        .ok()
                })
                .ok_or_else(|| eyre!("INFO of Redis has no {name}"))
        };
        Ok(Work {
            cpu: field("used_cpu_sys")? + field("used_cpu_user")?,
            commands: field("total_commands_processed")?,
            bytes: field("total_net_output_bytes")?,
            at: Instant::now(),
        })
    }

    /// What Redis does in a steady while, a second: percent of a core, commands, bytes sent.
    fn redis_does(&self) -> Result<[f64; 3]> {
        let before = self.work()?;
        live_on(self.steady);
        let after = self.work()?;
        let seconds = (after.at - before.at).as_secs_f64();
        Ok([
            (after.cpu - before.cpu) / seconds * 100.0,
            (after.commands - before.commands) / seconds,
            (after.bytes - before.bytes) / seconds,
        ])
    }

    /// What readers cost Redis: three dashboards, and then as many readers as asked in one process.
    fn readers(&mut self, count: u32) -> Result<()> {
        let alone = self.redis_does()?;
        let boards: Vec<Board> = (0..3)
            .map(|_| {
                let board = self.open("live", 80, 24)?;
                board.await_screen("figures of Redis", PATIENCE, has_figures)?;
                Ok(board)
            })
            .collect::<Result<_>>()?;
        live_on(Duration::from_secs(2));
        let three = self.redis_does()?;
        drop(boards);
        let arguments = ["readers", "--count", &count.to_string()];
        let mut crowd = self
            .bed
            .command("instashop-tui", &arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .wrap_err("cannot start the readers")?;
        live_on(Duration::from_secs(5));
        let usage = Usage::of(crowd.id())?;
        let many = self.redis_does();
        let used = Usage::of(crowd.id())?;
        // The end of its input ends it; it then tells what came.
        drop(crowd.stdin.take());
        let output = crowd
            .wait_with_output()
            .wrap_err("the readers cannot be awaited")?;
        let many = many?;
        let told: Value = serde_json::from_slice(&output.stdout).wrap_err("the readers told nothing")?;
        let names = ["processor of Redis", "commands of Redis", "bytes of Redis"];
        let units = ["% of a core", "/s", "B/s"];
        for (index, (what, unit)) in names.into_iter().zip(units).enumerate() {
            let of = |work: &[f64; 3], readers: u32| (work[index] - alone[index]) / f64::from(readers);
            self.add(format!("without a reader: {what}"), alone[index], unit, None);
            self.add(
                format!("a dashboard, of 3 processes: {what}"),
                of(&three, 3),
                unit,
                None,
            );
            self.add(
                format!("a reader, of {count}: {what}"),
                of(&many, count),
                unit,
                None,
            );
            let bound = (index == 0).then_some(50.0);
            self.add(format!("{count} readers: {what}"), of(&many, 1), unit, bound);
        }
        let number = |name: &str| told[name].as_f64().unwrap_or(f64::NAN);
        self.add(format!("{count} readers: answers"), number("answers"), "", None);
        self.add(
            format!("{count} readers: failures"),
            number("failures"),
            "",
            Some(0.0),
        );
        self.add(
            format!("{count} readers: slowest gap"),
            number("longest_gap_ms"),
            "ms",
            Some(3000.0),
        );
        let own = used.percent_since(&usage);
        self.add(
            format!("{count} readers: their own processor"),
            own,
            "% of a core",
            None,
        );
        Ok(())
    }

    /// A person at the keys: every tab in turn, sorting, zooming, freezing, help, for as long as asked. The memory at the end
    /// is compared with that after the first quarter, when everything has been seen.
    fn soak(&mut self, time: Duration) -> Result<()> {
        let mut board = self.open("live", 120, 40)?;
        board.await_screen("figures of Redis", PATIENCE, has_figures)?;
        let (begun, cpu, mut samples) = (Instant::now(), board.usage()?, Vec::new());
        let mut walk = TABS.iter().cycle();
        let mut pressed = 0_u64;
        while begun.elapsed() < time {
            let Some((key, tab)) = walk.next() else { break };
            board.press(key)?;
            board.await_screen(tab, PATIENCE, |screen| screen.contains(tab))?;
            for key in ["\t", "s", "S", "z", "z", "x", "\u{1b}", " ", " ", "j", "k"] {
                live_on(Duration::from_millis(150));
                board.press(key)?;
                pressed += 1;
            }
            live_on(Duration::from_millis(500));
            samples.push(board.usage()?.memory_kb);
        }
        let used = board.usage()?;
        let quarter = samples.len() / 4;
        let mean = |part: &[u64]| part.iter().sum::<u64>() as f64 / part.len().max(1) as f64 / 1024.0;
        let (early, late) = (
            mean(&samples[quarter..(quarter * 2).max(quarter + 1).min(samples.len())]),
            mean(&samples[quarter * 3..]),
        );
        self.add("use: minutes", begun.elapsed().as_secs_f64() / 60.0, "min", None);
        self.add("use: keys pressed", pressed as f64, "", None);
        self.add("use: processor", used.percent_since(&cpu), "% of a core", None);
        self.add("use: memory in the second quarter", early, "MB", Some(40.0));
        self.add("use: memory in the last quarter", late, "MB", Some(40.0));
        self.add("use: growth between them", late - early, "MB", Some(1.0));
        self.add(
            "use: bytes",
            board.bytes() as f64 / begun.elapsed().as_secs_f64(),
            "B/s",
            None,
        );
        board.press("q")?;
        Ok(())
    }
}

/// The tiles of Live at 120x40 and above it, and at 80x24: no figure is awaited any more.
fn has_figures(screen: &str) -> bool {
    let tiles: Vec<&str> = screen.lines().skip(2).take(4).collect();
    tiles.iter().any(|line| line.contains("REVENUE"))
        && !tiles
            .iter()
            .any(|line| line.contains("···") || line.contains("loading"))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn row(figure: &Figure) -> String {
    let bound = figure.bound.map_or_else(String::new, |bound| {
        format!(
            "at most {bound:.0}{}",
            if figure.is_good() { "" } else { "  MISSED" }
        )
    });
    let line = format!(
        "{:<48} {:>12.2} {:<12} {bound}",
        figure.name, figure.value, figure.unit
    );
    format!("{}\n", line.trim_end())
}

fn table(figures: &[Figure]) -> String {
    figures.iter().map(row).collect()
}

fn as_json(figures: &[Figure]) -> Value {
    let figures = figures.iter().map(|figure| {
        json!({"name": figure.name, "value": figure.value, "unit": figure.unit, "at_most": figure.bound,
               "good": figure.is_good()})
    });
    figures.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_beyond_its_bound_is_said() {
        let figure = |value, bound| Figure {
            name: "first frame".into(),
            value,
            unit: "ms",
            bound,
        };
        let missed = figure(212.0, Some(150.0));
        assert!(
            row(&missed).ends_with("ms           at most 150  MISSED\n"),
            "{}",
            row(&missed)
        );
        assert_eq!(as_json(&[missed])[0]["good"], false);
        assert!(figure(212.0, None).is_good());
        assert!(row(&figure(80.0, Some(150.0))).ends_with("at most 150\n"));
    }

    #[test]
    fn figures_are_there_when_no_tile_waits() {
        for (screen, expected) in [
            ("head\nbar\n REVENUE  $  loading 0.8s\n\n ···\n", false),
            ("head\nbar\n REVENUE  $  today\n $48,210\n ▲ 6.2%\n\n ···\n", true),
            ("head\n", false),
        ] {
            assert_eq!(has_figures(screen), expected, "{screen}");
        }
    }
}
