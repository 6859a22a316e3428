//! Arguments and rows that both databases know.

use sqlx::{FromRow, postgres::PgRow, sqlite::SqliteRow};

/// A row that either database can give; `#[derive(sqlx::FromRow)]` makes one,
/// and so does a tuple.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

/// One argument of a statement.
#[derive(Clone)]
pub enum Arg {
    /// BOOLEAN.
    Bool(bool),
    /// BYTEA.
    Bytes(Option<Vec<u8>>),
    /// BIGINT.
    Int(Option<i64>),
    /// DOUBLE PRECISION.
    Real(f64),
    /// TEXT.
    Text(Option<String>),
}

/// The arguments of a statement, in order; made by [`args!`](crate::args).
#[derive(Clone, Default)]
pub struct Args(pub Vec<Arg>);

/// Arguments of a statement: `args![institution, "text", 5]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        $crate::platform::db::Args(vec![$($crate::platform::db::Arg::from($value)),*])
    };
}

macro_rules! from {
    ($($type:ty => |$value:ident| $arg:expr;)+) => {$(
        impl From<$type> for Arg {
            fn from($value: $type) -> Self {
                $arg
            }
        }
    )+};
}

from! {
    &String => |v| Self::Text(Some(v.clone()));
    &[u8] => |v| Self::Bytes(Some(v.to_vec()));
    &str => |v| Self::Text(Some(v.to_owned()));
    Option<&str> => |v| Self::Text(v.map(str::to_owned));
    Option<String> => |v| Self::Text(v);
    Option<Vec<u8>> => |v| Self::Bytes(v);
    Option<i64> => |v| Self::Int(v);
    Option<jiff::Timestamp> => |v| Self::Int(v.map(crate::platform::clock::micros));
    String => |v| Self::Text(Some(v));
    Vec<u8> => |v| Self::Bytes(Some(v));
    [u8; 32] => |v| Self::Bytes(Some(v.to_vec()));
    bool => |v| Self::Bool(v);
    f64 => |v| Self::Real(v);
    i64 => |v| Self::Int(Some(v));
    jiff::Timestamp => |v| Self::Int(Some(crate::platform::clock::micros(v)));
}
