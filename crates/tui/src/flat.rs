//! Flat mode (`--plain`), for screen readers and for the poorest lines: each tab in sentences when a key asks for it. No
//! alternate screen, no cursor that moves, nothing that is printed by itself: what was said stays said.

use std::io::Write;
use std::time::Duration;

use chrono::Utc;
use color_eyre::eyre::{Result, WrapErr};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::app::{App, Command, Event};
use crate::event;
use crate::feed::Feed;
use crate::keys::{self, Action, BINDINGS};
use crate::once::{self, Format};
use crate::terminal;

/// Events that may wait.
const WAITING: usize = 256;

/// A tab is read out after this long, whatever is still awaited.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is to be said next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// Nothing.
    Nothing,
    /// The tab, as soon as its figures are there, at the latest then.
    Tab(Instant),
    /// The keys.
    Keys,
}

/// What a key has to do here; the others belong to panels that cannot be seen.
const fn works(action: Action) -> bool {
    matches!(
        action,
        Action::Go(_)
            | Action::PreviousTab
            | Action::NextTab
            | Action::Range
            | Action::Compare
            | Action::Language
            | Action::Export
            | Action::Poll
            | Action::Help
            | Action::Quit
    )
}

/// Runs until the end. `feed` starts the tasks that ask the stores.
pub async fn run(mut app: App, feed: impl FnOnce(&App, &mpsc::Sender<Event>) -> Feed) -> Result<()> {
    terminal::watch_for_hang_up().wrap_err("cannot watch the terminal")?;
    terminal::take_keys().wrap_err("the terminal gives no single keys")?;
    let (sender, mut events) = mpsc::channel(WAITING);
    event::start(&sender).wrap_err("cannot listen for keys and signals")?;
    let feed = feed(&app, &sender);
    let mut due = Due::Tab(Instant::now() + PATIENCE);
    loop {
        due = match due {
            Due::Keys => {
                say(&keys_in_words(&app))?;
                Due::Nothing
            }
            Due::Tab(until) if Instant::now() >= until || !once::awaits(&app) => {
                say(&once::output(&app, &[app.tab], Format::Plain))?;
                Due::Nothing
            }
            due => due,
        };
        let event = tokio::select! {
            event = events.recv() => event,
            () = sleep_until(match due { Due::Tab(until) => until, _ => Instant::now() }),
                if matches!(due, Due::Tab(_)) => continue,
        };
        let Some(event) = event else { break };
        if let Event::Key(key) = &event {
            match keys::action(key).filter(|action| works(*action)) {
                None => continue,
                Some(Action::Help) => {
                    due = Due::Keys;
                    continue;
                }
                Some(_) => due = Due::Tab(Instant::now() + PATIENCE),
            }
        }
        for command in app.update(event, Utc::now()) {
            match command {
                Command::Poll => feed.poll(),
                Command::Want(wanted) => feed.want(wanted),
                Command::Export(form) => say(&crate::session::export(&app, form))?,
                Command::Copy(_) | Command::Mouse(_) | Command::Repaint | Command::Suspend => {}
                Command::Quit(_) => {
                    terminal::leave();
                    return Ok(());
                }
            }
        }
    }
    terminal::leave();
    Ok(())
}

/// Prints lines; the terminal moves to the next one only, so each begins at the left by itself.
fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout();
    for line in text.trim_end().lines() {
        write!(out, "{line}\r\n").wrap_err("the terminal takes no more bytes")?;
    }
    write!(out, "\r\n")
        .and_then(|()| out.flush())
        .wrap_err("the terminal takes no more bytes")
}

/// The keys that work here, one a line.
fn keys_in_words(app: &App) -> String {
    let texts = app.look.texts();
    let lines = BINDINGS
        .iter()
        .filter(|binding| works(binding.action))
        .map(|binding| {
            format!(
                "{}: {}.\n",
                binding.keys.join(", "),
                (texts.action)(binding.action)
            )
        });
    lines.collect()
}
