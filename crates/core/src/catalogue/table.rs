//! The form in which the tables of the catalogue are written: a metric is a paragraph, English before Spanish.

/// A table of metrics of one group. `words` is a formula in words, `part` and `whole` are those of a ratio; a metric has
/// one or the other. Clauses stand in a fixed order, so that two metrics can be compared line by line.
macro_rules! metrics {
    ($group:ident; $(
        $id:ident $name_en:literal, $name_es:literal {
        terms { $( $document:ident $words:literal ),* $(,)? }
        unit $unit:ident also [ $( $also:ident ),* ] by [ $( $by:ident ),* ];
        adds $adds:ident; small $small:ident $( ($below:literal $of:ident) )?; fresh $fresh:ident; kept $kept:ident; scope $scope:ident; better $better:ident; trust $trust:ident;
        what $what_en:literal, $what_es:literal;
        $( words $words_en:literal, $words_es:literal; )?
        $( part $part_en:literal, $part_es:literal; whole $whole_en:literal, $whole_es:literal; )?
        $( know $know_en:literal, $know_es:literal; )*
    } )*) => {
        pub(super) static METRICS: &[$crate::catalogue::Metric] = &[ $( $crate::catalogue::Metric {
            id: stringify!($id),
            group: $crate::catalogue::Group::$group,
            name: $crate::catalogue::Text { en: $name_en, es: $name_es },
            terms: &[ $( $crate::catalogue::Term { document: $crate::catalogue::Document::$document, words: $words } ),* ],
            what: $crate::catalogue::Text { en: $what_en, es: $what_es },
            formula:
                $( $crate::catalogue::Formula::Words($crate::catalogue::Text { en: $words_en, es: $words_es }) )?
                $( $crate::catalogue::Formula::Ratio {
                    numerator: $crate::catalogue::Text { en: $part_en, es: $part_es },
                    denominator: $crate::catalogue::Text { en: $whole_en, es: $whole_es },
                } )?,
            notes: &[ $( $crate::catalogue::Text { en: $know_en, es: $know_es } ),* ],
            unit: $crate::catalogue::Unit::$unit,
            also: &[ $( $crate::catalogue::Unit::$also ),* ],
            by: &[ $( $crate::catalogue::Dimension::$by ),* ],
            adds: $crate::catalogue::Additivity::$adds,
            small: $crate::catalogue::SmallSample::$small $( { below: $below, of: $crate::catalogue::Unit::$of } )?,
            fresh: $crate::catalogue::Freshness::$fresh,
            kept: $crate::catalogue::Kept::$kept,
            scope: $crate::catalogue::Scope::$scope,
            better: $crate::catalogue::Better::$better,
            trust: $crate::catalogue::Trust::$trust,
        } ),* ];
    };
}
