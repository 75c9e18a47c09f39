//! The command prompt: every action by its name, some with words behind it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{App, Command, HelpPage, Overlay, Tab};
use crate::keys::{Action, BINDINGS};
use crate::lang::Language;
use crate::once::Format;
use crate::place::{self, Wrong};
use crate::theme::Name;

/// Longest line.
const LONGEST: usize = 200;

/// Lines that are remembered.
const REMEMBERED: usize = 50;

/// What is being typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// The line so far.
    pub text: String,
    /// Selected completion; `None` while nobody chose one.
    pub selected: Option<usize>,
    /// How many lines back the history was followed.
    back: usize,
}

/// Forms an export can have.
const FORMS: [(&str, Format); 4] = [
    ("json", Format::Json),
    ("csv", Format::Csv),
    ("text", Format::Text),
    ("svg", Format::Svg),
];

impl Line {
    /// A line that begins with some words.
    pub(super) fn begin(words: &str) -> Self {
        Self {
            text: words.to_owned(),
            ..Self::default()
        }
    }
}

impl App {
    /// Lines that would go on from what was typed: names of actions, then the words that one takes.
    pub fn completions(&self, text: &str) -> Vec<String> {
        let Some((name, rest)) = text.split_once(' ') else {
            let names = BINDINGS.iter().map(|binding| binding.action.name());
            let (mut begin, mut hold): (Vec<&str>, Vec<&str>) = names
                .filter(|name| name.contains(text))
                .partition(|name| name.starts_with(text));
            begin.append(&mut hold);
            return begin.into_iter().map(str::to_owned).collect();
        };
        let words = Action::by_name(name).map_or_else(Vec::new, |action| self.words_of(action));
        let going_on = words.into_iter().filter(|word| word.starts_with(rest));
        going_on.map(|word| format!("{name} {word}")).collect()
    }

    /// Words that an action takes, as far as they can be listed.
    fn words_of(&self, action: Action) -> Vec<String> {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match action {
            Action::NextTab => Tab::ALL.map(|tab| tab.name().to_owned()).to_vec(),
            Action::Range => list(&["today", "yesterday", "7d", "30d", "90d"]),
            Action::Compare => {
                let marked = self.marks[0].map(|day| day.to_string());
                let named = ["previous", "weekday", "year"].map(str::to_owned);
                named.into_iter().chain(marked).collect()
            }
            Action::Scope => {
                let stores = self.stores_found(&HelpPage::default());
                let number = |store: Option<(i64, String)>| {
                    store.map_or_else(|| "all".to_owned(), |(id, _)| id.to_string())
                };
                stores.into_iter().map(number).collect()
            }
            Action::Export => FORMS.iter().map(|(name, _)| (*name).to_owned()).collect(),
            Action::Language => Language::ALL.map(|language| language.code().to_owned()).to_vec(),
            Action::Theme => Name::ALL.map(|name| name.as_str().to_owned()).to_vec(),
            Action::Preset => self.presets.iter().map(|(name, _)| name.clone()).collect(),
            Action::Link => vec![self.place().link()],
            Action::Travel => list(&["now"]),
            _ => vec![],
        }
    }

    /// What stands behind a completion: what the action does, or the name of a store.
    pub fn completion_words(&self, line: &str) -> String {
        match line.split_once(' ') {
            None => Action::by_name(line).map_or_else(String::new, |action| {
                (self.look.texts().action)(action).to_owned()
            }),
            Some(("store", number)) => {
                let stores = self.stores_found(&HelpPage::default());
                let found = stores
                    .into_iter()
                    .flatten()
                    .find(|(id, _)| id.to_string() == number);
                found.map_or_else(String::new, |(_, name)| name)
            }
            Some(_) => String::new(),
        }
    }

    pub(super) fn prompt_key(&mut self, mut line: Line, key: &KeyEvent) -> Vec<Command> {
        let completions = self.completions(&line.text);
        match key.code {
            KeyCode::Esc => return vec![],
            KeyCode::Backspace if line.text.is_empty() => return vec![],
            KeyCode::Enter => {
                let chosen = line.selected.and_then(|at| completions.get(at).cloned());
                return self.run(chosen.as_deref().unwrap_or(&line.text));
            }
            KeyCode::Tab => {
                if let Some(next) = completions.get(line.selected.unwrap_or(0)) {
                    let takes_more = !next.contains(' ')
                        && Action::by_name(next).is_some_and(|action| !self.words_of(action).is_empty());
                    line.text = format!("{next}{}", if takes_more { " " } else { "" });
                    line.selected = None;
                }
            }
            KeyCode::Down => {
                let last = completions.len().saturating_sub(1);
                line.selected = Some(line.selected.map_or(0, |at| (at + 1).min(last)));
            }
            KeyCode::Up if line.selected.is_some() => {
                line.selected = line.selected.and_then(|at| at.checked_sub(1));
            }
            KeyCode::Up => {
                let back = self.typed.len().checked_sub(line.back + 1);
                if let Some(earlier) = back.and_then(|at| self.typed.get(at)) {
                    line.text.clone_from(earlier);
                    line.back += 1;
                }
            }
            KeyCode::Backspace => {
                line.text.pop();
                line.selected = None;
            }
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => line.text.clear(),
            KeyCode::Char(c)
                if !key.modifiers.contains(KeyModifiers::CONTROL) && line.text.len() < LONGEST =>
            {
                line.text.push(c);
                line.selected = None;
            }
            _ => {}
        }
        self.overlay = Some(Overlay::Prompt(line));
        vec![]
    }

    /// Does what a line says, or tells why not.
    pub fn run(&mut self, line: &str) -> Vec<Command> {
        let line = line.trim();
        if line.is_empty() {
            return vec![];
        }
        self.typed.retain(|earlier| earlier != line);
        self.typed.push(line.to_owned());
        if self.typed.len() > REMEMBERED {
            self.typed.remove(0);
        }
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let Some(action) = Action::by_name(name) else {
            let texts = self.look.texts();
            let names = BINDINGS.iter().map(|binding| binding.action.name());
            let near = place::nearest(name, names);
            let more = near.map_or_else(String::new, |near| format!("; {} {near}?", texts.did_you_mean));
            self.told = Some(format!("{name}: {}{more}", texts.unknown_action));
            return vec![];
        };
        let rest = rest.trim();
        let done = if rest.is_empty() {
            Ok(self.act(action))
        } else {
            self.choose(action, rest)
        };
        done.unwrap_or_else(|wrong| {
            self.told = Some(format!("{rest}: {}", (self.look.texts().wrong)(wrong)));
            vec![]
        })
    }

    /// An action with the words that were typed behind it.
    fn choose(&mut self, action: Action, words: &str) -> Result<Vec<Command>, Wrong> {
        let mut place = self.place();
        match action {
            Action::NextTab => place.tab = place::tab(words)?,
            Action::Range => place.ask.range = place::range(words)?,
            Action::Compare => place.ask.basis = place::basis(words)?,
            Action::Scope => place.ask.store = self.store_by(words)?,
            Action::Link => place = self.read_link(words)?,
            Action::Travel => place.at = place::moment(words, self.now, self.look.zone)?,
            Action::Preset => {
                let found = self.presets.iter().find(|(name, _)| name == words);
                place = found.ok_or(Wrong::Preset)?.1;
            }
            Action::Filter => {
                if let Some(panel) = self.focused().filter(|_| self.works(Action::Filter)) {
                    self.set_filter(panel, words);
                }
                return Ok(vec![]);
            }
            Action::Export => {
                let form = FORMS.iter().find(|(name, _)| *name == words).ok_or(Wrong::Form)?;
                // A tab of charts alone has no rows.
                if form.1 == Format::Csv && crate::board::topic(self.tab).is_none() {
                    return Err(Wrong::Form);
                }
                return Ok(vec![Command::Export(Some(form.1))]);
            }
            Action::Language => {
                let found = Language::ALL
                    .into_iter()
                    .find(|language| language.code() == words);
                self.look.language = found.ok_or(Wrong::Language)?;
                return Ok(vec![]);
            }
            Action::Theme => {
                let found = Name::ALL.into_iter().find(|name| name.as_str() == words);
                let name = found.ok_or(Wrong::Theme)?;
                self.look.theme = self.look.theme.named(name, self.look.own_background);
                return Ok(vec![]);
            }
            _ => return Err(Wrong::NoArgument),
        }
        Ok(self.visit(place))
    }

    /// A store by its number, by its name, or the only one whose name holds a text.
    fn store_by(&self, text: &str) -> Result<Option<i64>, Wrong> {
        place::store(text).or_else(|wrong| {
            let page = HelpPage {
                find: text.to_owned(),
                selected: 0,
            };
            match self.stores_found(&page).as_slice() {
                [Some((id, _))] => Ok(Some(*id)),
                found => {
                    let named = |(_, name): &&(i64, String)| name.to_lowercase() == text.to_lowercase();
                    let exact = found.iter().flatten().find(named);
                    exact.map(|(id, _)| Some(*id)).ok_or(wrong)
                }
            }
        })
    }
}
