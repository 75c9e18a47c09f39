//! Password verifiers of PostgreSQL (`SCRAM-SHA-256$...`, RFC 5803): made on this side, so that a password never stands
//! in a statement and never in a server's log, and checked, so that setup can say whether a password changed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Rounds PostgreSQL uses by default.
const ROUNDS: u32 = 4096;

/// Largest number of rounds that is checked; a verifier with more is taken as another password.
const MOST_ROUNDS: u32 = 1_000_000;

type Key = [u8; 32];

/// A verifier of a password; `None` when the password is not plain ASCII, which would have to be normalised first.
pub(crate) fn verifier(password: &str, salt: &[u8]) -> Option<String> {
    if !password.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return None;
    }
    let (stored, server) = keys(password, salt, ROUNDS);
    Some(format!(
        "SCRAM-SHA-256${ROUNDS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored),
        STANDARD.encode(server)
    ))
}

/// True when the verifier was made from the password.
pub(crate) fn matches(verifier: &str, password: &str) -> bool {
    let made = || -> Option<bool> {
        let rest = verifier.strip_prefix("SCRAM-SHA-256$")?;
        let (rounds_and_salt, made_keys) = rest.split_once('$')?;
        let (rounds, salt) = rounds_and_salt.split_once(':')?;
        let rounds = rounds
            .parse()
            .ok()
            .filter(|rounds| (1..=MOST_ROUNDS).contains(rounds))?;
        let (stored, server) = keys(password, &STANDARD.decode(salt).ok()?, rounds);
        Some(made_keys == format!("{}:{}", STANDARD.encode(stored), STANDARD.encode(server)))
    };
    made().unwrap_or(false)
}

fn keys(password: &str, salt: &[u8], rounds: u32) -> (Key, Key) {
    let password = password.as_bytes();
    let mut round = hmac(password, &[salt, &1u32.to_be_bytes()].concat());
    let mut salted = round;
    for _ in 1..rounds {
        round = hmac(password, &round);
        for (sum, byte) in salted.iter_mut().zip(round) {
            *sum ^= byte;
        }
    }
    let stored = Sha256::digest(hmac(&salted, b"Client Key")).into();
    (stored, hmac(&salted, b"Server Key"))
}

fn hmac(key: &[u8], message: &[u8]) -> Key {
    const BLOCK: usize = 64;
    let mut block = [0u8; BLOCK];
    if key.len() > BLOCK {
        let short: Key = Sha256::digest(key).into();
        block[..short.len()].copy_from_slice(&short);
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7677() {
        // Salt and rounds of the RFC; the keys give its client proof and server signature.
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let made = verifier("pencil", &salt).unwrap();
        assert!(made.starts_with("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"));
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                       s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let (_, server) = keys("pencil", &salt, 4096);
        assert_eq!(
            STANDARD.encode(hmac(&server, message.as_bytes())),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
    }

    #[test]
    fn a_verifier_knows_its_password() {
        let made = verifier("s3cret", b"0123456789abcdef").unwrap();
        assert!(matches(&made, "s3cret"));
        assert!(!matches(&made, "s3creT"));
        for odd in ["", "md5abc", "SCRAM-SHA-256$x:y$z", "SCRAM-SHA-256$0:AA==$A:B"] {
            assert!(!matches(odd, "s3cret"), "{odd}");
        }
        assert_eq!(verifier("contraseña", b"x"), None);
    }
}
