//! One screen from start to end: the loop that owns the state, draws when something changed, and does what the state
//! asks for.

use std::io::Write;

use chrono::Utc;
use color_eyre::eyre::{Result, WrapErr};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::app::{App, Command, Event};
use crate::clipboard::Through;
use crate::event;
use crate::feed::Feed;
use crate::once;
use crate::snapshot::Body;
use crate::terminal::{self, Drawn, Screen};

/// Events that may wait: more than a burst of keys, few enough to stay fresh.
const WAITING: usize = 256;

/// How the terminal is written to.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// Frames are bracketed in a synchronised update.
    pub synchronised: bool,
    /// Speed of the line, bits a second, when somebody said it.
    pub baud: Option<u32>,
}

/// Runs the screen until it ends. `feed` starts the tasks that ask the stores, given the way to tell what came.
pub async fn run(
    mut app: App,
    way: Way,
    feed: impl FnOnce(&App, &mpsc::Sender<Event>) -> Feed,
) -> Result<()> {
    terminal::watch_for_hang_up().wrap_err("cannot watch the terminal")?;
    let mut screen =
        Screen::enter(way.synchronised, way.baud, app.mouse).wrap_err("cannot take over the terminal")?;
    app.size = screen.size().wrap_err("the terminal does not tell its size")?;
    let (sender, mut events) = mpsc::channel(WAITING);
    event::start(&sender).wrap_err("cannot listen for keys and signals")?;
    let feed = feed(&app, &sender);
    let mut dirty = true;
    // A key waits for its answer, or a picture for its end.
    let mut at_once = true;
    loop {
        let event = tokio::select! {
            // Keys first: a frame can wait, an answer must not.
            biased;
            event = events.recv() => event,
            () = sleep_until(screen.due(at_once).into()), if dirty => {
                app.traffic = Some(screen.traffic());
                dirty = draw(&app, &mut screen)? == Drawn::Part;
                at_once = dirty;
                continue;
            }
        };
        let Some(event) = event else { break };
        at_once |= matches!(event, Event::Key(_) | Event::Resize(..));
        dirty |= !matches!(&event, Event::Told(message) if matches!(message.body, Body::Asking));
        for command in app.update(event, Utc::now()) {
            match command {
                Command::Poll => feed.poll(),
                Command::Want(wanted) => feed.want(wanted),
                Command::Export(form) => app.told = Some(export(&app, form)),
                Command::Copy(text) => app.told = Some(copy(&app, &text, &mut screen)?),
                Command::Mouse(on) => screen.mouse(on).wrap_err("the terminal takes no more bytes")?,
                Command::Repaint => screen.repaint(),
                Command::Suspend => {
                    screen.suspend().wrap_err("cannot come back to the terminal")?;
                    app.size = screen.size().unwrap_or(app.size);
                }
                Command::Quit(leave_picture) => {
                    let picture = leave_picture.then(|| once::picture(&app));
                    drop(screen);
                    if let Some(picture) = picture {
                        write!(std::io::stdout(), "{}", once::ansi(&picture))
                            .wrap_err("cannot leave the picture")?;
                    }
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Puts a text on the clipboard of the terminal and says what.
fn copy(app: &App, text: &str, screen: &mut Screen) -> Result<String> {
    let texts = app.look.texts();
    let through = Through::of(|name| std::env::var(name).ok());
    let Some(sequence) = through.sequence(text) else {
        return Ok(texts.too_long.to_owned());
    };
    screen
        .pass(&sequence)
        .wrap_err("the terminal takes no more bytes")?;
    let line = text.lines().next().unwrap_or_default();
    Ok(format!("{} {}", texts.copied, crate::text::clean(line)))
}

/// Writes what is shown to files and says where, or why not.
pub(crate) fn export(app: &App, form: Option<once::Format>) -> String {
    let texts = app.look.texts();
    let written = once::boards::state_folder()
        .ok_or_else(|| std::io::Error::other("HOME is not set"))
        .and_then(|folder| once::boards::export(app, &folder.join("exports"), form));
    match written {
        Ok(stem) => format!("{} {}.*", texts.exported, stem.display()),
        Err(error) => format!("{} {error}", texts.not_exported),
    }
}

fn draw(app: &App, screen: &mut Screen) -> Result<Drawn> {
    // Lets a test see what a panic in the middle of a session leaves behind; not in release builds.
    #[cfg(debug_assertions)]
    {
        let asked =
            std::env::var_os("INSTASHOP_TUI_PANIC").is_some() && app.snapshot.redis.answered.is_some();
        assert!(!asked, "asked for by INSTASHOP_TUI_PANIC");
    }
    screen
        .draw(once::picture(app))
        .wrap_err("the terminal takes no more bytes")
}
