//! Money, as networks charge it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// US dollars, to the millionth.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Usd(u64);

/// A text that is no amount of money.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an amount of dollars: write it as 10 or 2.50")]
pub struct InvalidUsd(String);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// What one dollar is.
    const DOLLAR: u64 = 1_000_000;

    /// So many millionths of a dollar.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The amount in millionths of a dollar.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left without `other`; nothing, where that is more.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// So many times the amount.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// So many hundredths of the amount.
    #[must_use]
    pub fn percent(self, percent: u64) -> Self {
        Self(self.0.saturating_mul(percent) / 100)
    }
}

impl fmt::Display for Usd {
    /// As `$0.015` or `$10.00`: cents always, smaller parts where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dollars, rest) = (self.0 / Self::DOLLAR, self.0 % Self::DOLLAR);
        let digits = format!("{rest:06}");
        let (cents, smaller) = digits.split_at(2);
        write!(f, "${dollars}.{cents}{}", smaller.trim_end_matches('0'))
    }
}

impl FromStr for Usd {
    type Err = InvalidUsd;

    /// Reads `10`, `2.50` or `$2.50`.
    fn from_str(text: &str) -> Result<Self, InvalidUsd> {
        let invalid = || InvalidUsd(text.to_owned());
        let number = text.strip_prefix('$').unwrap_or(text);
        let (dollars, rest) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(dollars) || !digits(rest) || 6 < rest.len() {
            return Err(invalid());
        }
        let dollars: u64 = dollars.parse().map_err(|_| invalid())?;
        let rest: u64 = format!("{rest:0<6}").parse().map_err(|_| invalid())?;
        let micros = dollars.checked_mul(Self::DOLLAR).and_then(|micros| micros.checked_add(rest));
        micros.map(Self).ok_or_else(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let got = text.parse::<Usd>().map_or_else(|err| err.to_string(), |usd| usd.to_string());
        assert_eq!(got, expected);
    }

    #[test]
    fn amounts_are_read_and_written() {
        check("10", "$10.00");
        check("2.50", "$2.50");
        check("$0.015", "$0.015");
        check("0.000001", "$0.000001");
        check("", "`` is not an amount of dollars: write it as 10 or 2.50");
        check("-1", "`-1` is not an amount of dollars: write it as 10 or 2.50");
        check("1.", "`1.` is not an amount of dollars: write it as 10 or 2.50");
        check("1.2345678", "`1.2345678` is not an amount of dollars: write it as 10 or 2.50");
        check("1e9", "`1e9` is not an amount of dollars: write it as 10 or 2.50");
        let most = "99999999999999999999";
        check(most, &format!("`{most}` is not an amount of dollars: write it as 10 or 2.50"));
    }
}
