//! What the stores are called and what they sell: names, categories and prices that make sense together.

use std::fmt::Write;

use instashop_core::money::Cents;

use super::dice::{Dice, Weighted};
use super::people::plain;

/// A kind of goods with the things sold under it.
pub(crate) struct Category {
    /// Name as the product column holds it.
    pub(crate) name: &'static str,
    /// Share of the stores that sell it, any unit.
    weight: f64,
    items: &'static [Item],
    variants: &'static [&'static str],
    searches: &'static [&'static str],
}

/// A thing on sale and its price range in whole units of a strong currency.
#[derive(Debug, Clone, Copy)]
struct Item {
    name: &'static str,
    low: i64,
    high: i64,
}

const fn item(name: &'static str, low: i64, high: i64) -> Item {
    Item { name, low, high }
}

/// All categories.
pub(crate) const CATEGORIES: &[Category] = &[
    Category {
        name: "Moda",
        weight: 5.0,
        items: &[
            item("Remera de algodón", 12, 30),
            item("Campera de jean", 55, 120),
            item("Vestido midi", 40, 95),
            item("Buzo canguro", 35, 75),
            item("Pantalón cargo", 38, 80),
            item("Camisa de lino", 32, 78),
            item("Pulóver tejido", 36, 90),
            item("Bufanda de alpaca", 18, 45),
            item("Cinturón de cuero", 15, 40),
            item("Pollera plisada", 28, 60),
        ],
        variants: &[
            "Negro",
            "Azul noche",
            "Crudo",
            "Bordó",
            "Verde oliva",
            "Gris melange",
            "Terracota",
        ],
        searches: &[
            "remera", "campera", "vestido", "buzo", "pantalon", "camisa", "pullover",
        ],
    },
    Category {
        name: "Calzado",
        weight: 3.0,
        items: &[
            item("Zapatillas urbanas", 55, 140),
            item("Botas de cuero", 80, 190),
            item("Alpargatas", 14, 32),
            item("Sandalias", 25, 65),
            item("Zapatos de vestir", 70, 160),
            item("Ojotas", 9, 22),
        ],
        variants: &["Negro", "Blanco", "Suela", "Arena", "Azul", "Camel"],
        searches: &["zapatillas", "botas", "alpargatas", "sandalias", "ojotas"],
    },
    Category {
        name: "Electrónica",
        weight: 4.0,
        items: &[
            item("Auriculares inalámbricos", 25, 160),
            item("Parlante portátil", 30, 180),
            item("Teclado mecánico", 45, 150),
            item("Mouse ergonómico", 18, 70),
            item("Cargador rápido", 12, 38),
            item("Smartwatch", 60, 280),
            item("Tablet 10 pulgadas", 150, 420),
            item("Cámara web", 28, 95),
            item("Batería externa", 20, 60),
            item("Lámpara inteligente", 14, 40),
        ],
        variants: &["Negro", "Blanco", "Gris espacial", "Edición Pampa", "Pro", "Lite"],
        searches: &[
            "auriculares",
            "parlante",
            "teclado",
            "mouse",
            "cargador",
            "smartwatch",
            "tablet",
        ],
    },
    Category {
        name: "Hogar",
        weight: 4.0,
        items: &[
            item("Juego de sábanas", 35, 95),
            item("Mate de calabaza", 12, 35),
            item("Termo de acero", 28, 75),
            item("Cafetera italiana", 24, 60),
            item("Manta de lana", 40, 110),
            item("Set de cuchillos", 30, 120),
            item("Florero de cerámica", 15, 50),
            item("Almohada viscoelástica", 25, 65),
            item("Canasto de mimbre", 14, 42),
        ],
        variants: &["Natural", "Blanco", "Gris", "Norteño", "Patagonia", "Clásico"],
        searches: &["sabanas", "mate", "termo", "cafetera", "manta", "almohada"],
    },
    Category {
        name: "Belleza",
        weight: 3.0,
        items: &[
            item("Crema hidratante", 10, 38),
            item("Sérum de vitamina C", 16, 55),
            item("Labial mate", 7, 22),
            item("Shampoo sólido", 6, 16),
            item("Perfume de autor", 35, 120),
            item("Protector solar", 12, 30),
            item("Esmalte", 4, 11),
        ],
        variants: &[
            "Rosa mosqueta",
            "Aloe",
            "Coco",
            "Lavanda",
            "Cítrico",
            "Sin perfume",
        ],
        searches: &[
            "crema",
            "serum",
            "labial",
            "shampoo",
            "perfume",
            "protector solar",
        ],
    },
    Category {
        name: "Deportes",
        weight: 3.0,
        items: &[
            item("Pelota de fútbol", 18, 60),
            item("Colchoneta de yoga", 20, 55),
            item("Mancuernas", 22, 90),
            item("Botella deportiva", 9, 25),
            item("Mochila de trekking", 60, 170),
            item("Calza deportiva", 25, 60),
            item("Bolsa de dormir", 55, 150),
        ],
        variants: &["Negro", "Celeste", "Verde", "Aconcagua", "Fitz Roy", "Nahuel"],
        searches: &["pelota", "yoga", "mancuernas", "mochila", "calza", "botella"],
    },
    Category {
        name: "Juguetes",
        weight: 2.0,
        items: &[
            item("Rompecabezas", 12, 35),
            item("Bloques de madera", 18, 48),
            item("Muñeca de tela", 15, 42),
            item("Juego de mesa", 20, 60),
            item("Tren a pilas", 25, 70),
            item("Peluche", 10, 38),
        ],
        variants: &["Dinosaurios", "Selva", "Ñandú", "Carpincho", "Espacio", "Granja"],
        searches: &["rompecabezas", "bloques", "juego de mesa", "peluche", "muñeca"],
    },
    Category {
        name: "Libros",
        weight: 2.0,
        items: &[
            item("Novela", 10, 28),
            item("Cuentos ilustrados", 12, 32),
            item("Cocina argentina", 18, 45),
            item("Historieta", 9, 26),
            item("Poesía reunida", 11, 30),
            item("Agenda anual", 12, 28),
        ],
        variants: &[
            "Tapa dura",
            "Bolsillo",
            "Edición aniversario",
            "Tomo I",
            "Tomo II",
        ],
        searches: &["novela", "cuentos", "cocina", "historieta", "agenda"],
    },
    Category {
        name: "Alimentos",
        weight: 3.0,
        items: &[
            item("Yerba mate orgánica", 5, 14),
            item("Alfajores artesanales x12", 12, 28),
            item("Dulce de leche", 5, 13),
            item("Aceite de oliva", 9, 32),
            item("Vino Malbec", 8, 60),
            item("Café de especialidad", 10, 26),
            item("Miel de monte", 6, 16),
        ],
        variants: &["Suave", "Intenso", "Reserva", "Familiar", "Regional"],
        searches: &["yerba", "alfajores", "dulce de leche", "malbec", "cafe", "miel"],
    },
    Category {
        name: "Mascotas",
        weight: 2.0,
        items: &[
            item("Cama para perro", 28, 80),
            item("Rascador para gato", 30, 95),
            item("Alimento balanceado", 18, 70),
            item("Correa regulable", 9, 25),
            item("Arnés", 14, 36),
            item("Pelota mordillo", 4, 12),
        ],
        variants: &["Chico", "Mediano", "Grande", "Rojo", "Azul"],
        searches: &["cama perro", "rascador", "alimento", "correa", "arnes"],
    },
];

const STORES: &[&str] = &[
    "Tienda Aurora",
    "Pampa Urbana",
    "La Huella del Sur",
    "Casa Ñandú",
    "Almacén Jacarandá",
    "Río Bonito",
    "El Galpón de Inés",
    "Mundo Quebracho",
    "Lúmina",
    "Barrio Norte Deco",
    "Sierra Chica",
    "Punto Austral",
    "Don Ángel",
    "Rayuela",
    "La Esquina de Lucía",
    "Vértice",
    "Tres Marías",
    "Cóndor Azul",
    "Feria del Litoral",
    "Mate y Compañía",
    "Ceibo Rojo",
    "Nómade",
    "El Algarrobo",
    "Patio Andaluz",
    "Atelier Güemes",
    "Bazar Colibrí",
    "Viento Norte",
    "La Bagualita",
    "Nido Patagónico",
    "Océano Store",
];

/// Searches that find nothing: misspelt, or not sold here.
pub(crate) const FRUITLESS_SEARCHES: &[&str] = &[
    "zapatiyas",
    "iphone 27",
    "auricualres",
    "regalo dia del amigo",
    "cupon",
    "talle 52",
    "bicicleta",
];

/// Name of the nth store (from 0).
pub(crate) fn store_name(index: usize) -> String {
    let name = STORES[index % STORES.len()];
    match index / STORES.len() {
        0 => name.to_owned(),
        round => format!("{name} {}", round + 1),
    }
}

/// Web address of a store of this name.
pub(crate) fn store_host(business_name: &str) -> String {
    format!("{}.instashop.example", plain(business_name))
}

/// How many units of this currency buy what one unit of a strong currency buys, roughly.
pub(crate) fn price_scale(currency: &str) -> i64 {
    match currency {
        "ARS" => 1200,
        "CLP" => 900,
        "COP" => 4000,
        "PYG" => 7500,
        "UYU" => 40,
        "MXN" => 18,
        "BRL" => 5,
        "PEN" => 4,
        _ => 1,
    }
}

/// A product to put on sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) category: &'static str,
    pub(crate) price: Cents,
}

/// The categories a new store sells: two to four, each once.
pub(crate) fn assortment(dice: &mut Dice) -> Vec<usize> {
    let weights = Weighted::new(CATEGORIES.iter().map(|category| category.weight));
    let wanted = dice.between(2, 4) as usize;
    let mut chosen = Vec::new();
    while chosen.len() < wanted {
        let index = weights.draw(dice).unwrap_or(0);
        if !chosen.contains(&index) {
            chosen.push(index);
        }
    }
    chosen
}

/// Draws a product of a category. One in forty carries a long data sheet, long enough that PostgreSQL stores it apart.
pub(crate) fn offer(category: usize, scale: i64, dice: &mut Dice) -> Offer {
    let category = &CATEGORIES[category % CATEGORIES.len()];
    let item = dice.pick(category.items);
    let variant = dice.pick(category.variants);
    let name = format!("{} {variant}", item.name);
    let mut description = format!(
        "{name}. {} para todos los días, con envío a todo el país.",
        category.name
    );
    if dice.chance(1.0 / 40.0) {
        description.push_str(" Ficha técnica:");
        for _ in 0..360 {
            let _ = write!(description, " {:016x}", dice.bits());
        }
    }
    Offer {
        name,
        description,
        category: category.name,
        price: nice_price(dice.skewed(item.low as f64, item.high as f64), scale),
    }
}

/// A price as shops write them: it ends in ,90 or ,00 or ,50.
fn nice_price(units: f64, scale: i64) -> Cents {
    let whole = ((units * scale as f64).round() as i64).max(1);
    if scale >= 100 {
        return (whole / 50).max(1) * 5000;
    }
    let ending = [0, 50, 90][(whole % 3) as usize];
    whole * 100 + ending
}

/// A word somebody types who looks for goods of this category.
pub(crate) fn search_term(category: &str, dice: &mut Dice) -> &'static str {
    let known = CATEGORIES.iter().find(|known| known.name == category);
    match known {
        Some(category) => dice.pick(category.searches),
        None => "oferta",
    }
}

/// Another category of the list, for a product that is filed anew.
pub(crate) fn other_category(current: &str, dice: &mut Dice) -> &'static str {
    let others: Vec<&'static str> = CATEGORIES
        .iter()
        .map(|known| known.name)
        .filter(|name| *name != current)
        .collect();
    dice.pick(&others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_fit_into_their_columns_and_have_a_price() {
        let mut dice = Dice::new(9, "offers");
        let mut long = 0;
        for round in 0..2000 {
            let offer = offer(round, 1, &mut dice);
            assert!(offer.name.chars().count() <= 150);
            assert!((100..100_000).contains(&offer.price), "{offer:?}");
            long += usize::from(offer.description.len() > 4000);
        }
        assert!((10..120).contains(&long), "{long}");
    }

    #[test]
    fn assortments_hold_each_category_once() {
        let mut dice = Dice::new(9, "assortments");
        for _ in 0..200 {
            let mut chosen = assortment(&mut dice);
            let before = chosen.len();
            chosen.sort_unstable();
            chosen.dedup();
            assert_eq!(chosen.len(), before);
            assert!((2..=4).contains(&before));
        }
    }

    #[test]
    fn names_of_stores_differ() {
        assert_ne!(store_name(0), store_name(STORES.len()));
        assert_eq!(store_host("Casa Ñandú"), "casanandu.instashop.example");
    }
}
