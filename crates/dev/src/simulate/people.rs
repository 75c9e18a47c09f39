//! Names, mail addresses and telephone numbers of people in Argentina. Nobody is meant: mail ends in `.example`.

use std::sync::LazyLock;

use super::dice::Dice;

static FIRST: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "María Lucía Sofía Martina Valentina Camila Julieta Florencia Agustina Micaela Carolina Daniela \
    Gabriela Verónica Mónica Inés Belén Rocío Paula Noelia Ana Catalina Emilia Jazmín Malena Pilar \
    Renata Milagros Abril Guadalupe Juan José Martín Tomás Joaquín Matías Nicolás Agustín Sebastián \
    Facundo Lautaro Bautista Benjamín Thiago Franco Gonzalo Ramón Hernán Germán Andrés Iván Raúl Óscar \
    Ángel Ignacio Santiago Lucas Pablo Diego Fermín"
        .split(' ')
        .collect()
});

static LAST: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "González Rodríguez Gómez Fernández López Díaz Martínez Pérez García Sánchez Romero Sosa Torres \
    Álvarez Ruiz Ramírez Flores Benítez Acosta Medina Herrera Suárez Aguirre Giménez Gutiérrez Pereyra \
    Rojas Molina Castro Ortiz Silva Núñez Luna Juárez Cabrera Ríos Morales Godoy Moreno Ferreyra \
    Domínguez Carrizo Peralta Castillo Ledesma Quiroga Vega Vera Muñoz Ojeda Ponce Villalba Cardozo \
    Navarro Coronel Vázquez Ramos Vargas Cáceres Arias Figueroa Córdoba Correa Maldonado Paz Rivero \
    Miranda Ibáñez Bianchi Rossi Ferrari Yáñez Etchegaray Iñíguez"
        .split(' ')
        .collect()
});

const MAIL: &[&str] = &[
    "correo.example",
    "mail.example",
    "buzon.example",
    "casilla.example",
];

const AREAS: &[&str] = &[
    "11", "221", "223", "261", "299", "341", "342", "343", "351", "381", "387", "376",
];

/// A person's name, first and last, with accents.
pub(crate) fn name(dice: &mut Dice) -> String {
    let first = dice.pick(&FIRST);
    let last = dice.pick(&LAST);
    if dice.chance(0.18) {
        let second = dice.pick(&LAST);
        return format!("{first} {last} {second}");
    }
    format!("{first} {last}")
}

/// A mail address made of a name and an id, in plain ASCII.
pub(crate) fn email(name: &str, id: i64, dice: &mut Dice) -> String {
    let local: Vec<String> = name.split(' ').take(2).map(plain).collect();
    format!("{}.{id}@{}", local.join("."), dice.pick(MAIL))
}

/// A telephone number in the international form.
pub(crate) fn phone(dice: &mut Dice) -> String {
    let area = dice.pick(AREAS);
    let line = dice.between(4_000_000, 6_999_999);
    format!("+54 {area} {:03}-{:04}", line / 10_000, line % 10_000)
}

/// Lower-case ASCII letters and digits of a text; accents are taken off, everything else is left out.
pub(crate) fn plain(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            'á' => Some('a'),
            'é' => Some('e'),
            'í' => Some('i'),
            'ó' => Some('o'),
            'ú' | 'ü' => Some('u'),
            'ñ' => Some('n'),
            other => other.is_ascii_alphanumeric().then_some(other),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_fit_into_their_columns() {
        let mut dice = Dice::new(5, "people");
        for id in 0..2000 {
            let name = name(&mut dice);
            let email = email(&name, id, &mut dice);
            let phone = phone(&mut dice);
            assert!(name.chars().count() <= 100);
            assert!(
                email.is_ascii() && email.len() <= 100 && email.ends_with(".example"),
                "{email}"
            );
            assert!(phone.len() <= 20, "{phone}");
        }
    }

    #[test]
    fn plain_text_cases() {
        for (text, expected) in [
            ("Ñandú Güemes", "nanduguemes"),
            ("Óscar", "oscar"),
            ("9 de Julio!", "9dejulio"),
        ] {
            assert_eq!(plain(text), expected);
        }
    }
}
