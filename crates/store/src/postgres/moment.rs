//! `timestamp` without zone, with both infinities (cdc pitfall 14).

use std::error::Error;

use bytes::BytesMut;
use instashop_core::change::Moment;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

/// Microseconds from 1970 to 2000, where PostgreSQL counts from.
const FROM_1970_TO_2000: i64 = 946_684_800_000_000;

/// First moment PostgreSQL can hold (4714 BC), in microseconds since 2000.
const FIRST: i64 = -211_813_488_000_000_000;

/// A moment as a parameter or a column of type `timestamp`. What PostgreSQL cannot hold becomes an infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SqlMoment(pub(crate) Moment);

impl ToSql for SqlMoment {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let micros = match self.0 {
            Moment::NegInfinity => i64::MIN,
            Moment::Infinity => i64::MAX,
            Moment::Micros(micros) => match micros.checked_sub(FROM_1970_TO_2000) {
                Some(micros) if micros >= FIRST => micros,
                _ => i64::MIN,
            },
        };
        out.extend_from_slice(&micros.to_be_bytes());
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMP);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for SqlMoment {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let micros = i64::from_be_bytes(raw.try_into()?);
        Ok(Self(match micros {
            i64::MIN => Moment::NegInfinity,
            i64::MAX => Moment::Infinity,
            micros => Moment::Micros(micros.saturating_add(FROM_1970_TO_2000)),
        }))
    }

    accepts!(TIMESTAMP);
}
