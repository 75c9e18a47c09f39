//! The tabs.

macro_rules! tabs {
    ($($name:ident $key:literal $word:literal $question:literal;)*) => {
        /// A tab.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Tab {
            $(#[doc = $question] $name,)*
        }

        impl Tab {
            /// All tabs, in the order of the bar.
            pub const ALL: [Self; 11] = [$(Self::$name),*];

            /// The key that goes to it.
            pub const fn key(self) -> char {
                match self { $(Self::$name => $key,)* }
            }

            /// Name in flags and in JSON.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

tabs! {
    Live '1' "live" "How is today going?";
    Sales '2' "sales" "Where are we going, what earns the money?";
    Payments '3' "payments" "Is a method broken, is money stuck?";
    Buyers '4' "buyers" "Do I grow or recycle? Do they come back?";
    Products '5' "products" "Which to push, fix, drop, bundle?";
    Inventory '6' "inventory" "What runs out first, what sleeps?";
    Behaviour '7' "behaviour" "Where do I lose them, what do they want?";
    Logistics '8' "logistics" "What is late now?";
    Stores '9' "stores" "Which stores thrive or hurt buyers?";
    System '0' "system" "Can I trust the numbers?";
    Alerts '!' "alerts" "What is wrong, since when, what next?";
}

impl Tab {
    /// True for a tab that can be shown as of an earlier moment; the others are about the present.
    pub const fn goes_back(self) -> bool {
        matches!(
            self,
            Self::Live
                | Self::Sales
                | Self::Payments
                | Self::Buyers
                | Self::Products
                | Self::Behaviour
                | Self::Logistics
        )
    }

    /// The neighbour, round the end.
    #[must_use]
    pub fn step(self, forward: bool) -> Self {
        let at = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        let step = if forward { 1 } else { Self::ALL.len() - 1 };
        Self::ALL[(at + step) % Self::ALL.len()]
    }
}
