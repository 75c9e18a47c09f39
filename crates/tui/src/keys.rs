//! The one table of keys. Updates, the line at the foot and the help page are all made from it.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::app::Tab;

/// Everything a key can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// To a tab.
    Go(Tab),
    /// To the tab at the left.
    PreviousTab,
    /// To the tab at the right.
    NextTab,
    /// Focus to the next panel.
    NextPanel,
    /// Focus to the panel before.
    PreviousPanel,
    /// Selection to the left.
    Left,
    /// Selection to the right.
    Right,
    /// List up.
    Up,
    /// List down.
    Down,
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// Panel over the whole body, and back.
    Zoom,
    /// Close what is open.
    Back,
    /// Let the board stand still.
    Freeze,
    /// The cursor of the charts on, and off.
    Cursor,
    /// Less of the time axis, larger.
    Closer,
    /// More of the time axis.
    Wider,
    /// The time axis back.
    PanBack,
    /// The time axis forward.
    PanForward,
    /// To the present, whole axes, no cursor.
    Present,
    /// One step earlier.
    Earlier,
    /// One step later.
    Later,
    /// The board as of a moment.
    Travel,
    /// Mark the day under the cursor.
    Mark,
    /// What lies between a range and its base.
    Difference,
    /// Every action by its name.
    Prompt,
    /// The next view of the configuration.
    Preset,
    /// The link that leads back here.
    Link,
    /// Copy what the focus is on.
    Copy,
    /// Copy the panel as text.
    CopyPanel,
    /// The pointer for the board, or for the terminal.
    Mouse,
    /// Other display of a panel.
    Display,
    /// Sort by the next column.
    Sort,
    /// Reverse the order.
    Reverse,
    /// Next range of days.
    Range,
    /// What is compared with.
    Compare,
    /// Platform or one store.
    Scope,
    /// Filter the rows of a table.
    Filter,
    /// Write what is shown to files.
    Export,
    /// Next language.
    Language,
    /// Acknowledge an alert.
    Acknowledge,
    /// Silence an alert.
    Silence,
    /// Explain the focused number.
    Explain,
    /// Show the whole failure of a store.
    Detail,
    /// Ask both stores now.
    Poll,
    /// Paint everything again.
    Repaint,
    /// Next theme.
    Theme,
    /// Help.
    Help,
    /// Suspend.
    Suspend,
    /// End.
    Quit,
    /// End and leave the picture.
    QuitLeaving,
}

/// Keys of one action, as they are written on the screen.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// What they do.
    pub action: Action,
    /// `a`, `Ctrl-L`, `Shift-Tab`, `Left`; the first is shown at the foot.
    pub keys: &'static [&'static str],
}

const fn bind(action: Action, keys: &'static [&'static str]) -> Binding {
    Binding { action, keys }
}

impl Action {
    /// Its name in the command prompt. With more words behind it, some actions choose instead of stepping: `range 7d`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Go(tab) => tab.name(),
            Self::PreviousTab => "tab-back",
            Self::NextTab => "tab",
            Self::NextPanel => "panel",
            Self::PreviousPanel => "panel-back",
            Self::Left => "left",
            Self::Right => "right",
            Self::Up => "up",
            Self::Down => "down",
            Self::First => "first",
            Self::Last => "last",
            Self::PageUp => "page-up",
            Self::PageDown => "page-down",
            Self::Zoom => "zoom",
            Self::Back => "back",
            Self::Freeze => "freeze",
            Self::Cursor => "cursor",
            Self::Closer => "closer",
            Self::Wider => "wider",
            Self::PanBack => "pan-back",
            Self::PanForward => "pan-forward",
            Self::Present => "present",
            Self::Earlier => "earlier",
            Self::Later => "later",
            Self::Travel => "at",
            Self::Mark => "mark",
            Self::Difference => "difference",
            Self::Prompt => "prompt",
            Self::Preset => "preset",
            Self::Link => "link",
            Self::Copy => "copy",
            Self::CopyPanel => "copy-panel",
            Self::Mouse => "mouse",
            Self::Display => "display",
            Self::Sort => "sort",
            Self::Reverse => "reverse",
            Self::Range => "range",
            Self::Compare => "compare",
            Self::Scope => "store",
            Self::Filter => "find",
            Self::Export => "export",
            Self::Language => "lang",
            Self::Acknowledge => "acknowledge",
            Self::Silence => "silence",
            Self::Explain => "explain",
            Self::Detail => "enter",
            Self::Poll => "poll",
            Self::Repaint => "repaint",
            Self::Theme => "theme",
            Self::Help => "help",
            Self::Suspend => "suspend",
            Self::Quit => "quit",
            Self::QuitLeaving => "quit-leaving",
        }
    }

    /// The action of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        let mut actions = BINDINGS.iter().map(|binding| binding.action);
        actions.find(|action| action.name() == name)
    }
}

/// All bindings, in the order of the help page.
pub static BINDINGS: [Binding; 63] = [
    bind(Action::Go(Tab::Live), &["1"]),
    bind(Action::Go(Tab::Sales), &["2"]),
    bind(Action::Go(Tab::Payments), &["3"]),
    bind(Action::Go(Tab::Buyers), &["4"]),
    bind(Action::Go(Tab::Products), &["5"]),
    bind(Action::Go(Tab::Inventory), &["6"]),
    bind(Action::Go(Tab::Behaviour), &["7"]),
    bind(Action::Go(Tab::Logistics), &["8"]),
    bind(Action::Go(Tab::Stores), &["9"]),
    bind(Action::Go(Tab::System), &["0"]),
    bind(Action::Go(Tab::Alerts), &["!"]),
    bind(Action::PreviousTab, &["<"]),
    bind(Action::NextTab, &[">"]),
    bind(Action::NextPanel, &["Tab"]),
    bind(Action::PreviousPanel, &["Shift-Tab"]),
    bind(Action::Left, &["h", "Left"]),
    bind(Action::Down, &["j", "Down"]),
    bind(Action::Up, &["k", "Up"]),
    bind(Action::Right, &["l", "Right"]),
    bind(Action::First, &["g", "Home"]),
    bind(Action::Last, &["G", "End"]),
    bind(Action::PageUp, &["PgUp"]),
    bind(Action::PageDown, &["PgDn"]),
    bind(Action::Zoom, &["z"]),
    bind(Action::Back, &["Esc", "Backspace"]),
    bind(Action::Freeze, &["Space"]),
    bind(Action::Cursor, &["v"]),
    bind(Action::Closer, &["+"]),
    bind(Action::Wider, &["-"]),
    bind(Action::PanBack, &["[", "Shift-Left"]),
    bind(Action::PanForward, &["]", "Shift-Right"]),
    bind(Action::Present, &["="]),
    bind(Action::Earlier, &[","]),
    bind(Action::Later, &["."]),
    bind(Action::Travel, &["A"]),
    bind(Action::Mark, &["m"]),
    bind(Action::Difference, &["D"]),
    bind(Action::Prompt, &[":"]),
    bind(Action::Preset, &["p"]),
    bind(Action::Link, &["K"]),
    bind(Action::Copy, &["y"]),
    bind(Action::CopyPanel, &["Y"]),
    bind(Action::Mouse, &["M"]),
    bind(Action::Display, &["d"]),
    bind(Action::Sort, &["s"]),
    bind(Action::Reverse, &["S"]),
    bind(Action::Range, &["t"]),
    bind(Action::Compare, &["c"]),
    bind(Action::Scope, &["f"]),
    bind(Action::Filter, &["/"]),
    bind(Action::Export, &["e"]),
    bind(Action::Language, &["L"]),
    bind(Action::Acknowledge, &["a"]),
    bind(Action::Silence, &["i"]),
    bind(Action::Explain, &["x"]),
    bind(Action::Detail, &["Enter"]),
    bind(Action::Poll, &["r"]),
    bind(Action::Repaint, &["Ctrl-L"]),
    bind(Action::Theme, &["T"]),
    bind(Action::Help, &["?", "F1"]),
    bind(Action::Suspend, &["Ctrl-Z"]),
    bind(Action::Quit, &["q", "Ctrl-C"]),
    bind(Action::QuitLeaving, &["Q"]),
];

/// Actions of the line at the foot, most useful first; `q` is always kept.
pub static FOOT: [Action; 16] = [
    Action::Help,
    Action::Detail,
    Action::NextPanel,
    Action::Zoom,
    Action::Cursor,
    Action::Freeze,
    Action::Range,
    Action::Sort,
    Action::Filter,
    Action::Compare,
    Action::Scope,
    Action::Export,
    Action::Display,
    Action::Explain,
    Action::Poll,
    Action::Theme,
];

/// The first key of an action, as written on the screen.
pub fn key_of(action: Action) -> &'static str {
    let binding = BINDINGS.iter().find(|binding| binding.action == action);
    binding
        .and_then(|binding| binding.keys.first())
        .copied()
        .unwrap_or("")
}

/// What a key press means. Terminals on Windows send a release after each press: presses and repeats count alone.
pub fn action(event: &KeyEvent) -> Option<Action> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let binding = BINDINGS
        .iter()
        .find(|binding| binding.keys.iter().any(|key| is(key, event)));
    binding.map(|binding| binding.action)
}

/// True when an event is the key written as `name`.
fn is(name: &str, event: &KeyEvent) -> bool {
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    if let Some(letter) = name.strip_prefix("Ctrl-") {
        let letter = letter.chars().next().map(|letter| letter.to_ascii_lowercase());
        return control && matches!(event.code, KeyCode::Char(c) if Some(c.to_ascii_lowercase()) == letter);
    }
    if control || event.modifiers.contains(KeyModifiers::ALT) {
        return false;
    }
    let shift = event.modifiers.contains(KeyModifiers::SHIFT);
    let (name, arrow) = match name.strip_prefix("Shift-") {
        Some(arrow @ ("Left" | "Right")) => (arrow, true),
        _ => (name, false),
    };
    if matches!(event.code, KeyCode::Left | KeyCode::Right) && shift != arrow {
        return false;
    }
    match (name, event.code) {
        ("Tab", KeyCode::Tab)
        | ("Shift-Tab", KeyCode::BackTab)
        | ("Left", KeyCode::Left)
        | ("Right", KeyCode::Right)
        | ("Up", KeyCode::Up)
        | ("Down", KeyCode::Down)
        | ("Home", KeyCode::Home)
        | ("End", KeyCode::End)
        | ("PgUp", KeyCode::PageUp)
        | ("PgDn", KeyCode::PageDown)
        | ("Esc", KeyCode::Esc)
        | ("Backspace", KeyCode::Backspace)
        | ("Enter", KeyCode::Enter)
        | ("F1", KeyCode::F(1))
        | ("Space", KeyCode::Char(' ')) => true,
        (name, KeyCode::Char(c)) => name.chars().eq([c]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_meanings_and_every_action_has_a_key() {
        let mut keys: Vec<&str> = BINDINGS
            .iter()
            .flat_map(|binding| binding.keys)
            .copied()
            .collect();
        let total = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), total, "a key is bound twice");
        let mut names: Vec<&str> = BINDINGS.iter().map(|binding| binding.action.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), BINDINGS.len(), "a name means two actions");
        for taken in ["Ctrl-A", "Ctrl-B"] {
            assert!(!keys.contains(&taken), "{taken} belongs to screen and tmux");
        }
        for action in FOOT {
            assert_ne!(key_of(action), "", "{action:?}");
        }
        for tab in Tab::ALL {
            assert_eq!(key_of(Action::Go(tab)), tab.key().to_string());
        }
    }

    #[test]
    fn events() {
        let event = |code, modifiers| KeyEvent::new(code, modifiers);
        let (none, shift, control, alt) = (
            KeyModifiers::NONE,
            KeyModifiers::SHIFT,
            KeyModifiers::CONTROL,
            KeyModifiers::ALT,
        );
        for (event, expected) in [
            (event(KeyCode::Char('q'), none), Some(Action::Quit)),
            (event(KeyCode::Char('Q'), shift), Some(Action::QuitLeaving)),
            (event(KeyCode::Char('c'), control), Some(Action::Quit)),
            (event(KeyCode::Char('l'), control), Some(Action::Repaint)),
            (event(KeyCode::Char('l'), none), Some(Action::Right)),
            (event(KeyCode::Char('l'), alt), None),
            (event(KeyCode::BackTab, shift), Some(Action::PreviousPanel)),
            (event(KeyCode::Char(' '), none), Some(Action::Freeze)),
            (event(KeyCode::Char('<'), shift), Some(Action::PreviousTab)),
            (event(KeyCode::Left, none), Some(Action::Left)),
            (event(KeyCode::Left, shift), Some(Action::PanBack)),
            (event(KeyCode::Right, shift), Some(Action::PanForward)),
            (event(KeyCode::Char('ñ'), none), None),
            (event(KeyCode::F(1), none), Some(Action::Help)),
            (
                KeyEvent::new_with_kind(KeyCode::Char('q'), none, KeyEventKind::Release),
                None,
            ),
        ] {
            assert_eq!(action(&event), expected, "{event:?}");
        }
    }
}
