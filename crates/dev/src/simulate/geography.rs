//! Provinces, cities and streets of Argentina, for addresses of the form "street number, city, province, Argentina".

use super::dice::{Dice, Weighted};

/// A province with the cities where buyers live.
pub(crate) struct Province {
    /// Name with its accents.
    pub(crate) name: &'static str,
    /// Share of the buyers, any unit.
    pub(crate) weight: f64,
    /// Days a parcel takes more than one that stays near the capital.
    pub(crate) distance_days: i64,
    cities: &'static [&'static str],
}

const fn province(
    name: &'static str,
    weight: f64,
    distance_days: i64,
    cities: &'static [&'static str],
) -> Province {
    Province {
        name,
        weight,
        distance_days,
        cities,
    }
}

/// The provinces, the most populous first.
pub(crate) const PROVINCES: &[Province] = &[
    province(
        "Buenos Aires",
        34.0,
        0,
        &[
            "La Plata",
            "Mar del Plata",
            "Bahía Blanca",
            "Quilmes",
            "Lanús",
            "Morón",
            "Tandil",
            "San Nicolás de los Arroyos",
            "Olavarría",
            "Junín",
        ],
    ),
    province("Ciudad Autónoma de Buenos Aires", 18.0, 0, &["Buenos Aires"]),
    province(
        "Córdoba",
        9.5,
        1,
        &[
            "Córdoba",
            "Villa María",
            "Río Cuarto",
            "Villa Carlos Paz",
            "Alta Gracia",
        ],
    ),
    province(
        "Santa Fe",
        8.5,
        1,
        &["Rosario", "Santa Fe", "Rafaela", "Venado Tuerto", "Reconquista"],
    ),
    province(
        "Mendoza",
        5.0,
        2,
        &["Mendoza", "San Rafael", "Godoy Cruz", "Luján de Cuyo", "Maipú"],
    ),
    province(
        "Tucumán",
        3.8,
        2,
        &["San Miguel de Tucumán", "Tafí Viejo", "Concepción", "Yerba Buena"],
    ),
    province("Entre Ríos", 3.2, 1, &["Paraná", "Concordia", "Gualeguaychú"]),
    province(
        "Salta",
        3.0,
        3,
        &["Salta", "San Ramón de la Nueva Orán", "Tartagal"],
    ),
    province(
        "Misiones",
        2.6,
        3,
        &["Posadas", "Oberá", "Eldorado", "Puerto Iguazú"],
    ),
    province("Chaco", 2.4, 3, &["Resistencia", "Presidencia Roque Sáenz Peña"]),
    province(
        "Corrientes",
        2.2,
        3,
        &["Corrientes", "Goya", "Paso de los Libres"],
    ),
    province(
        "Santiago del Estero",
        2.0,
        3,
        &["Santiago del Estero", "La Banda"],
    ),
    province("San Juan", 1.7, 3, &["San Juan", "Rawson", "Rivadavia"]),
    province(
        "Jujuy",
        1.6,
        3,
        &["San Salvador de Jujuy", "Palpalá", "Humahuaca"],
    ),
    province(
        "Río Negro",
        1.6,
        3,
        &["San Carlos de Bariloche", "Viedma", "Cipolletti"],
    ),
    province(
        "Neuquén",
        1.6,
        3,
        &["Neuquén", "San Martín de los Andes", "Plottier"],
    ),
    province("Formosa", 1.2, 4, &["Formosa", "Clorinda"]),
    province(
        "Chubut",
        1.2,
        4,
        &["Comodoro Rivadavia", "Trelew", "Puerto Madryn", "Esquel"],
    ),
    province("San Luis", 1.1, 2, &["San Luis", "Villa Mercedes", "Merlo"]),
    province(
        "Catamarca",
        0.9,
        3,
        &["San Fernando del Valle de Catamarca", "Andalgalá"],
    ),
    province("La Rioja", 0.8, 3, &["La Rioja", "Chilecito"]),
    province("La Pampa", 0.8, 2, &["Santa Rosa", "General Pico"]),
    province(
        "Santa Cruz",
        0.6,
        5,
        &["Río Gallegos", "El Calafate", "Caleta Olivia"],
    ),
    province("Tierra del Fuego", 0.4, 6, &["Ushuaia", "Río Grande"]),
];

const STREETS: &[&str] = &[
    "Av. Corrientes",
    "Av. Rivadavia",
    "Av. San Martín",
    "Av. 9 de Julio",
    "Av. Belgrano",
    "Av. Colón",
    "Av. Hipólito Yrigoyen",
    "Bv. Oroño",
    "Bv. Pellegrini",
    "Calle Mitre",
    "Calle Sarmiento",
    "Calle Güemes",
    "Calle Alberdi",
    "Calle Lavalle",
    "Calle Tucumán",
    "Calle Las Heras",
    "Calle Moreno",
    "Calle Ayacucho",
    "Calle Chacabuco",
    "Calle Maipú",
    "Calle Perú",
    "Calle Córdoba",
    "Calle Entre Ríos",
    "Calle Echeverría",
    "Calle Olazábal",
    "Calle Núñez",
    "Calle Peña",
    "Calle José Hernández",
    "Pasaje Los Álamos",
    "Pasaje Jacarandá",
    "Diagonal Norte",
    "Camino al Río",
    "Ruta Provincial",
    "Calle Ñuñoa",
    "Calle Aristóbulo del Valle",
    "Calle Martín Fierro",
];

/// A place to deliver to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// "street number, city, province, Argentina".
    pub(crate) text: String,
    /// Name of the province.
    pub(crate) province: &'static str,
}

/// Draws an address; populous provinces come more often.
pub(crate) fn address(dice: &mut Dice) -> Address {
    let weights = Weighted::new(PROVINCES.iter().map(|province| province.weight));
    let province = &PROVINCES[weights.draw(dice).unwrap_or(0)];
    let city = dice.pick(province.cities);
    let street = dice.pick(STREETS);
    let number = dice.between(20, 6400);
    Address {
        text: format!("{street} {number}, {city}, {}, Argentina", province.name),
        province: province.name,
    }
}

/// The province of an address as this file writes it, or "unknown" when somebody else wrote it.
pub(crate) fn province_of(address: &str) -> &'static str {
    let mut parts = address.rsplit(", ");
    let named = parts.nth(1).unwrap_or("");
    find(named).map_or("unknown", |province| province.name)
}

/// Days a parcel to this address takes more than one that stays near the capital.
pub(crate) fn distance_days(address: &str) -> i64 {
    find(province_of(address)).map_or(2, |province| province.distance_days)
}

fn find(name: &str) -> Option<&'static Province> {
    PROVINCES.iter().find(|province| province.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_four_parts_and_lead_back_to_their_province() {
        let mut dice = Dice::new(3, "addresses");
        let meaning = instashop_core::config::Meaning::default();
        for _ in 0..2000 {
            let address = address(&mut dice);
            assert_eq!(address.text.split(", ").count(), 4, "{}", address.text);
            assert!(address.text.chars().count() <= 255);
            assert_eq!(province_of(&address.text), address.province);
            assert_eq!(meaning.region(Some(&address.text)), Some(address.province));
        }
        for foreign in [
            "",
            "somewhere",
            "1 Main St, Springfield",
            "a, b, Atlantis, Argentina",
        ] {
            assert_eq!(province_of(foreign), "unknown");
            assert_eq!(distance_days(foreign), 2);
        }
    }
}
