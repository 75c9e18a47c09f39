//! The region of an address (docs: kpis 0.9).

use std::collections::{BTreeMap, BTreeSet};

use super::Meaning;

/// Letters with an accent and the letters they are compared as, place by place. `core.place` in the warehouse does the same.
pub const ACCENTED: &str = "áàâãäéèêëíìîïóòôõöúùûüñçÁÀÂÃÄÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÑÇ";
/// See [`ACCENTED`].
pub const PLAIN: &str = "aaaaaeeeeiiiiooooouuuuncaaaaaeeeeiiiiooooouuuunc";

/// Name of the region that screens and views show for an address nobody can place.
pub const UNKNOWN_REGION: &str = "unknown";

/// The name of a place as it is compared: without accents and blanks at the ends, in lower case.
pub fn place(text: &str) -> String {
    let plain: String = text
        .trim_matches(' ')
        .chars()
        .map(|letter| {
            ACCENTED
                .chars()
                .zip(PLAIN.chars())
                .find_map(|(accented, plain)| (accented == letter).then_some(plain))
                .unwrap_or(letter)
        })
        .collect();
    plain.to_lowercase()
}

impl Meaning {
    /// The region of an address "street, city, province, country"; `None` when no part of it is known.
    ///
    /// The rules: parts stand between commas, empty ones do not count. When the last part is a country
    /// (`meaning.countries`) it is set aside. The other parts are looked up in `meaning.regions` from the right, so that
    /// the province is asked before the city and the city before the street; the first one found is the region. The
    /// country is asked last: a foreign address without a known province counts for its country, when that has an alias.
    /// A part has to be equal to an alias as [`place`] writes both; a street that bears the name of a province has a
    /// number and is not.
    pub fn region(&self, address: Option<&str>) -> Option<&str> {
        let parts: Vec<String> = address?
            .split(',')
            .map(place)
            .filter(|part| !part.is_empty())
            .collect();
        let (country, others) = match parts.split_last() {
            Some((last, others)) if self.countries.contains(last) => (Some(last), others),
            _ => (None, parts.as_slice()),
        };
        others
            .iter()
            .rev()
            .chain(country)
            .find_map(|part| self.regions.get(part))
            .map(String::as_str)
    }

    /// Adds the faults of the regions.
    pub(super) fn validate_regions(&self, fault: &mut impl FnMut(&str, String)) {
        for (key, alias) in (self.regions.keys().map(|alias| ("meaning.regions", alias))).chain(
            self.countries
                .iter()
                .map(|country| ("meaning.countries", country)),
        ) {
            if alias.is_empty() || *alias != place(alias) || alias.contains(',') {
                fault(
                    key,
                    format!(
                        "has {alias:?}; names to compare with are lower case, without accents, commas and blanks at the ends"
                    ),
                );
            }
        }
        for (alias, region) in &self.regions {
            let is_clean =
                region.trim() == region && !region.is_empty() && !region.chars().any(char::is_control);
            if !is_clean || region == UNKNOWN_REGION {
                fault(
                    &format!("meaning.regions.{alias}"),
                    format!("is {region:?}; give a name, and leave out what is {UNKNOWN_REGION}"),
                );
            }
        }
    }
}

/// The provinces of Argentina with their usual other names and with places whose province people leave out, and the
/// neighbours, each as one region.
pub(super) fn default_regions() -> BTreeMap<String, String> {
    [
        (
            "Buenos Aires",
            &[
                "provincia de buenos aires",
                "pcia. de buenos aires",
                "bs as",
                "bs. as.",
                "gba",
            ][..],
        ),
        (
            "Ciudad Autónoma de Buenos Aires",
            &["caba", "c.a.b.a.", "capital federal", "ciudad de buenos aires"],
        ),
        ("Catamarca", &[]),
        ("Chaco", &[]),
        ("Chubut", &[]),
        ("Córdoba", &[]),
        ("Corrientes", &[]),
        ("Entre Ríos", &[]),
        ("Formosa", &[]),
        ("Jujuy", &[]),
        ("La Pampa", &[]),
        ("La Rioja", &[]),
        ("Mendoza", &[]),
        ("Misiones", &[]),
        ("Neuquén", &[]),
        ("Río Negro", &["bariloche", "san carlos de bariloche"]),
        ("Salta", &[]),
        ("San Juan", &[]),
        ("San Luis", &[]),
        ("Santa Cruz", &[]),
        ("Santa Fe", &["rosario"]),
        ("Santiago del Estero", &[]),
        (
            "Tierra del Fuego",
            &["ushuaia", "tierra del fuego antartida e islas del atlantico sur"],
        ),
        ("Tucumán", &["san miguel de tucuman"]),
        ("Bolivia", &[]),
        ("Brasil", &["brazil"]),
        ("Chile", &[]),
        ("Paraguay", &[]),
        ("Uruguay", &[]),
    ]
    .into_iter()
    .flat_map(|(region, others): (&str, &[&str])| {
        std::iter::once(place(region))
            .chain(others.iter().map(|other| (*other).to_owned()))
            .map(move |alias| (alias, region.to_owned()))
    })
    .collect()
}

/// Argentina, as people write it, and its neighbours.
pub(super) fn default_countries() -> BTreeSet<String> {
    [
        "argentina",
        "republica argentina",
        "ar",
        "bolivia",
        "brasil",
        "brazil",
        "chile",
        "paraguay",
        "uruguay",
    ]
    .into_iter()
    .map(Into::into)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn regions_of_addresses() {
        let meaning = Meaning::default();
        for (address, expected) in [
            (
                "Calle Mitre 12, La Plata, Buenos Aires, Argentina",
                Some("Buenos Aires"),
            ),
            (
                "Calle Mitre 12, Buenos Aires, Ciudad Autónoma de Buenos Aires, Argentina",
                Some("Ciudad Autónoma de Buenos Aires"),
            ),
            ("Calle Córdoba 5, San Juan, Mendoza, Argentina", Some("Mendoza")),
            ("CALLE 9, CÓRDOBA,  CORDOBA , ARGENTINA", Some("Córdoba")),
            ("Calle 9, Río Cuarto, Córdoba", Some("Córdoba")),
            ("Calle 9, Rosario, Argentina", Some("Santa Fe")),
            ("Calle 9, Rosario, Santa Fe", Some("Santa Fe")),
            ("Calle 9, Santa Rosa, La Pampa, AR", Some("La Pampa")),
            (
                "Calle 9, Capital Federal",
                Some("Ciudad Autónoma de Buenos Aires"),
            ),
            ("Salta", Some("Salta")),
            ("Salta 1200, Springfield", None),
            ("Rua 1, Porto Alegre, Rio Grande do Sul, Brasil", Some("Brasil")),
            ("18 de Julio 1, Montevideo, Uruguay", Some("Uruguay")),
            ("Uruguay", Some("Uruguay")),
            ("Argentina", None),
            ("a, b, Atlantis, Argentina", None),
            (",, , Chaco, ,Argentina,", Some("Chaco")),
            ("", None),
            (",", None),
        ] {
            assert_eq!(meaning.region(Some(address)), expected, "{address:?}");
        }
        assert_eq!(meaning.region(None), None);
    }

    #[test]
    fn accents_stand_beside_their_letters() {
        assert_eq!(ACCENTED.chars().count(), PLAIN.chars().count());
        assert_eq!(place("  ÑANDÚ, Güemes ç "), "nandu, guemes c");
    }

    #[test]
    fn faults() {
        let faults = |alias: &str, region: &str, country: &str| {
            let meaning = Meaning {
                regions: BTreeMap::from([(alias.to_owned(), region.to_owned())]),
                countries: BTreeSet::from([country.to_owned()]),
                ..Meaning::default()
            };
            let mut keys = Vec::new();
            meaning.validate_regions(&mut |key, _| keys.push(key.to_owned()));
            keys
        };
        for (alias, region, country, expected) in [
            ("cordoba", "Córdoba", "ar", &[][..]),
            ("córdoba", "Córdoba", "ar", &["meaning.regions"]),
            ("Cordoba", "Córdoba", "ar", &["meaning.regions"]),
            ("a, b", "Córdoba", "ar", &["meaning.regions"]),
            ("cordoba", "", "ar", &["meaning.regions.cordoba"]),
            ("cordoba", "unknown", "ar", &["meaning.regions.cordoba"]),
            ("cordoba", "Córdoba", "España", &["meaning.countries"]),
        ] {
            assert_eq!(
                faults(alias, region, country),
                expected,
                "{alias} {region} {country}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_place_is_compared_as_itself(text in "[ -~áéíóúüñÁÉÍÓÚÜÑçãõ]{0,30}") {
            prop_assert_eq!(place(&place(&text)), place(&text));
        }

        #[test]
        fn any_address_ends_in_a_known_region_or_none(address in "[a-zA-Zé ,]{0,60}") {
            let meaning = Meaning::default();
            if let Some(region) = meaning.region(Some(&address)) {
                prop_assert!(meaning.regions.values().any(|known| known == region));
            }
        }
    }
}
