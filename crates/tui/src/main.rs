//! Binary `instashop-tui`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;

use chrono::Utc;
use clap::{CommandFactory, Parser};
use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use instashop_core::config::Config;
use instashop_tui::app::{App, Event, Tab};
use instashop_tui::cli::{Cli, Page, TabArgument};
use instashop_tui::demo::{Scene, Shop};
use instashop_tui::look::Look;
use instashop_tui::once::{Format, Status, output};
use instashop_tui::place::Place;
use instashop_tui::snapshot::{Rhythm, Snapshot};
use instashop_tui::{feed, flat, session, terminal};
use tracing_subscriber::EnvFilter;

/// Exit code when it could not start: configuration, arguments, no terminal.
const COULD_NOT_START: u8 = 4;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way as well; nothing can be done when they cannot be printed.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(COULD_NOT_START)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match start(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            terminal::leave();
            let _ = writeln!(std::io::stderr(), "instashop-tui: {error:#}");
            ExitCode::from(COULD_NOT_START)
        }
    }
}

fn start(cli: &Cli) -> Result<u8> {
    color_eyre::config::HookBuilder::default()
        .display_env_section(false)
        .install()?;
    match &cli.command {
        Some(Page::Readers { count }) => {
            read_in_a_crowd(cli, *count)?;
            return Ok(0);
        }
        Some(page) => {
            print_page(page)?;
            return Ok(0);
        }
        None => {}
    }
    let config = instashop_store::config::load(cli.config.as_deref(), std::env::vars(), &cli.overrides)?;
    let look = Look::resolve(&cli.look(), &config.dashboard, &config.meaning, |name| {
        std::env::var(name).ok()
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    if cli.once {
        return runtime.block_on(print_once(cli, &config, look));
    }
    if cli.tab == TabArgument::All {
        bail!("--tab all goes with --once; give one of them");
    }
    if !terminal::is_present() {
        bail!("the output is not a terminal; --once prints one picture without one");
    }
    log_to_file();
    let rhythm = Rhythm::from_config(&config.dashboard);
    let now = Utc::now();
    let place = cli.place(now, look.zone).map_err(|why| eyre!(why))?;
    let mut shop = cli.demo.map(|seed| Shop::new(seed, look.zone));
    let snapshot = match &mut shop {
        Some(shop) => shop.snapshot(rhythm, cli.demo_state, now, place.ask),
        None => Snapshot::new(now, rhythm),
    };
    let mut app = App::new(look, snapshot, (80, 24), place.tab, cli.demo.is_some());
    app.now = now;
    app.visit(place);
    app.mouse = wants_mouse(&config.dashboard.mouse, |name| std::env::var_os(name).is_some());
    app.presets = presets(&config, &app)?;
    let scene = cli.demo_state;
    let way = session::Way {
        synchronised: !cli.no_sync,
        baud: cli.baud,
    };
    let feed = move |app: &App, events: &_| match shop {
        Some(shop) => feed::generate(shop, scene, rhythm, app.wants(), events),
        None => feed::Feed::start(&config, app.wants(), events),
    };
    let result = if cli.plain {
        runtime.block_on(flat::run(app, feed))
    } else {
        runtime.block_on(session::run(app, way, feed))
    };
    // Background tasks may hang in a store that does not answer; nothing of theirs needs an orderly end.
    runtime.shutdown_background();
    result.map(|()| 0)
}

async fn print_once(cli: &Cli, config: &Config, mut look: Look) -> Result<u8> {
    let now = cli.clock();
    let place = cli.place(now, look.zone).map_err(|why| eyre!(why))?;
    let (tabs, ask) = (cli.tabs(&place), place.ask);
    let format = if cli.plain { Format::Plain } else { cli.format };
    if tabs.len() > 1 && cli.format == Format::Svg {
        bail!("svg holds one tab; name it with --tab");
    }
    if cli.format == Format::Svg && cli.colors.is_none() && cli.theme.as_deref() != Some("mono") {
        // A picture does not depend on the terminal it was made in.
        let wanted = instashop_tui::look::Wanted {
            colors: Some("rgb".into()),
            ..cli.look()
        };
        look = Look::resolve(&wanted, &config.dashboard, &config.meaning, |_| None);
    }
    let rhythm = Rhythm::from_config(&config.dashboard);
    let mut shop = cli.demo.map(|seed| Shop::new(seed, look.zone));
    let snapshot = match &mut shop {
        Some(shop) => shop.snapshot(rhythm, cli.demo_state, now, ask),
        None => Snapshot::new(now, rhythm),
    };
    let mut app = App::new(look, snapshot, cli.size, place.tab, cli.demo.is_some());
    app.now = now;
    app.visit(place);
    let messages = match (&mut shop, place.at) {
        (Some(shop), Some(at)) => shop.past_answers((at, now), days(ask), ask, &topics(&tabs)),
        (Some(_), None) => vec![],
        (None, _) => feed::ask_once(config, &tabs, days(ask), &place, cli.wait).await,
    };
    for message in messages {
        app.update(Event::Told(message), now);
    }
    if cli.demo.is_none() {
        app.now = Utc::now();
    }
    let status = Status::of(&app);
    std::io::stdout()
        .write_all(output(&app, &tabs, format).as_bytes())
        .wrap_err("cannot print")?;
    Ok(if cli.demo.is_some() && cli.demo_state == Scene::Full {
        0
    } else {
        status.code()
    })
}

/// Whether to take the pointer: over SSH only when asked for, so that the terminal's own selection works there.
fn wants_mouse(setting: &str, is_set: impl Fn(&str) -> bool) -> bool {
    match setting {
        "on" => true,
        "off" => false,
        _ => !is_set("SSH_CONNECTION") && !is_set("SSH_TTY"),
    }
}

/// The views of the configuration, each checked.
fn presets(config: &Config, app: &App) -> Result<Vec<(String, Place)>> {
    let read = |(name, link): (&String, &String)| match app.read_link(link) {
        Ok(place) => Ok((name.clone(), place)),
        Err(wrong) => {
            let why = (app.look.texts().wrong)(wrong);
            bail!("configuration: dashboard.presets.{name} is {link:?}; {why}")
        }
    };
    config.dashboard.presets.iter().map(read).collect()
}

/// What the tabs show of the marts.
fn topics(tabs: &[Tab]) -> Vec<instashop_core::view::Topic> {
    tabs.iter()
        .filter_map(|tab| instashop_tui::board::topic(*tab))
        .collect()
}

/// Complete days of the Sales tab.
const fn days(ask: instashop_core::view::Ask) -> u32 {
    match ask.range {
        instashop_core::view::Range::Days(days) => days as u32,
        _ => 7,
    }
}

fn print_page(page: &Page) -> Result<()> {
    let mut command = Cli::command();
    let mut out = std::io::stdout();
    match page {
        Page::Completions { shell } => {
            clap_complete::generate(*shell, &mut command, "instashop-tui", &mut out);
        }
        Page::Pictures { folder } => pictures(folder)?,
        // Needs the settings, so it is run where those are.
        Page::Readers { .. } => {}
        Page::Man => clap_mangen::Man::new(command)
            .render(&mut out)
            .wrap_err("cannot print the manual page")?,
    }
    Ok(())
}

/// Reads Redis as so many dashboards on the Live tab would, until the input ends, and says what came as JSON.
fn read_in_a_crowd(cli: &Cli, count: u32) -> Result<()> {
    let config = instashop_store::config::load(cli.config.as_deref(), std::env::vars(), &cli.overrides)?;
    let wanted = instashop_tui::app::Wanted {
        tab: Tab::Live,
        days: 30,
        ask: cli.ask(),
        orders: None,
        difference: None,
        sales_on_live: false,
        at: None,
        redis_is_out: false,
    };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    std::thread::spawn(move || {
        // Whatever it says, and whether it can be read at all: its end is the sign.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        stop.send_replace(true);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let told = runtime.block_on(feed::crowd(&config, count, &wanted, stopped));
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&told)?).wrap_err("cannot print")
}

/// Draws the pictures of the README: the same shop, at the same moment, whenever they are drawn again.
fn pictures(folder: &Path) -> Result<()> {
    let now = "2026-08-21T17:05:02Z"
        .parse()
        .wrap_err("the moment of the pictures")?;
    let wanted = instashop_tui::look::Wanted {
        colors: Some("rgb".into()),
        theme: Some("dark".into()),
        ..instashop_tui::look::Wanted::default()
    };
    let config = Config::default();
    let look = Look::resolve(&wanted, &config.dashboard, &config.meaning, |_| None);
    let mut shop = Shop::new(7, look.zone);
    let snapshot = shop.snapshot(
        Rhythm::from_config(&config.dashboard),
        Scene::Full,
        now,
        Cli::parse_from(["instashop-tui"])
            .place(now, look.zone)
            .map_err(|why| eyre!(why))?
            .ask,
    );
    std::fs::create_dir_all(folder).wrap_err_with(|| format!("cannot make {}", folder.display()))?;
    for tab in Tab::ALL {
        let mut app = App::new(look.clone(), snapshot.clone(), (120, 40), tab, true);
        app.now = now;
        let file = folder.join(format!("{}.svg", tab.name()));
        let picture = output(&app, &[tab], Format::Svg);
        std::fs::write(&file, picture).wrap_err_with(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Logs go to a file while the screen is up. Without a place to write them there are none: that is no reason not to
/// start.
fn log_to_file() {
    let Some(folder) = instashop_tui::once::boards::state_folder() else {
        return;
    };
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder);
    let file = made.and_then(|()| {
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(folder.join("instashop-tui.log"))
    });
    if let Ok(file) = file {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(false)
            .with_writer(Mutex::new(file))
            .init();
    }
}
