//! What wakes the loop: keys, pointer and sizes from the terminal, signals, and a tick every second.

use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, EventStream};
use futures::StreamExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::app::Event;
use crate::terminal;

/// How long the loop may take to end after a signal before the process ends anyway.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Starts the tasks that send events.
pub fn start(events: &Sender<Event>) -> std::io::Result<()> {
    tokio::spawn(input(events.clone()));
    tokio::spawn(ticks(events.clone()));
    for (kind, code) in [
        (SignalKind::terminate(), 143),
        (SignalKind::hangup(), 129),
        (SignalKind::interrupt(), 130),
    ] {
        let mut signals = signal(kind)?;
        let events = events.clone();
        tokio::spawn(async move {
            signals.recv().await;
            let _ = tokio::time::timeout(PATIENCE, events.send(Event::Stop)).await;
            // The loop ends the process; it cannot while a write to a terminal that does not read is stuck.
            tokio::time::sleep(PATIENCE).await;
            terminal::leave_and_exit(code);
        });
    }
    let mut stops = signal(SignalKind::from_raw(nix::libc::SIGTSTP))?;
    let events = events.clone();
    tokio::spawn(async move {
        while stops.recv().await.is_some() {
            if events.send(Event::Suspend).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Keys and sizes; the end of the stream is the end of the terminal.
async fn input(events: Sender<Event>) {
    let mut stream = EventStream::new();
    while let Some(Ok(event)) = stream.next().await {
        let event = match event {
            TerminalEvent::Key(key) => Event::Key(key),
            TerminalEvent::Mouse(event) => Event::Mouse(event),
            TerminalEvent::Resize(columns, rows) => Event::Resize(columns, rows),
            _ => continue,
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
    let _ = events.send(Event::Stop).await;
}

/// Ages and the clock move once a second. After a pause the missed ticks are skipped, not caught up.
async fn ticks(events: Sender<Event>) {
    let second = Duration::from_secs(1);
    let mut ticks = interval_at(Instant::now() + second, second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        if events.send(Event::Tick).await.is_err() {
            return;
        }
    }
}
