//! The tabs: only those that exist are shown.

/// A tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tab {
    /// How is today going?
    Live,
    /// Where are we going, what earns the money?
    Sales,
    /// Can I trust the numbers?
    System,
}

impl Tab {
    /// All tabs, in the order of the bar.
    pub const ALL: [Self; 3] = [Self::Live, Self::Sales, Self::System];

    /// The key that goes to it.
    pub const fn key(self) -> char {
        match self {
            Self::Live => '1',
            Self::Sales => '2',
            Self::System => '0',
        }
    }

    /// Name in flags and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sales => "sales",
            Self::System => "system",
        }
    }

    /// The neighbour, round the end.
    #[must_use]
    pub fn step(self, forward: bool) -> Self {
        let at = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        let step = if forward { 1 } else { Self::ALL.len() - 1 };
        Self::ALL[(at + step) % Self::ALL.len()]
    }
}
