//! Months of UTC, by which tables are partitioned.

use crate::store::first_id_of;
use herald_rules::time::Timestamp;
use jiff::{civil::Date, tz::TimeZone};
use std::fmt;
use uuid::Uuid;

/// A month of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct Month {
    year: i16,
    /// From 1.
    month: i8,
}

impl Month {
    /// The month of a moment; None beyond the years that a calendar knows.
    pub(in crate::store) fn of(at: Timestamp) -> Option<Self> {
        let date = jiff::Timestamp::from_microsecond(at.0).ok()?.to_zoned(TimeZone::UTC).date();
        Some(Self { year: date.year(), month: date.month() })
    }

    pub(in crate::store) fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year.saturating_add(1), month: 1 },
            month => Self { month: month + 1, ..self },
        }
    }

    /// The lowest id of its messages: they begin with their milliseconds. It is above those of the month before.
    pub(in crate::store) fn first_id(self) -> Option<Uuid> {
        let first = Date::new(self.year, self.month, 1).ok()?.to_zoned(TimeZone::UTC).ok()?;
        Some(first_id_of(Timestamp(first.timestamp().as_microsecond())))
    }

    /// What a table's partition of it is called.
    pub(in crate::store) fn partition_of(self, table: &str) -> String {
        format!("{table}_{:04}_{:02}", self.year, self.month)
    }

    /// The table and the month of a partition, by its name.
    pub(in crate::store) fn of_partition(name: &str) -> Option<(&str, Self)> {
        let (table_and_year, month) = name.rsplit_once('_')?;
        let (table, year) = table_and_year.rsplit_once('_')?;
        let (year, month) = (year.parse().ok()?, month.parse().ok()?);
        (1..=12).contains(&month).then_some((table, Self { year, month }))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use herald_rules::ids::MessageId;
    use std::time::Duration;

    /// 2026-11-22T12:00:00Z.
    const NOVEMBER: Timestamp = Timestamp(1_795_348_800_000_000);

    #[test]
    fn a_month_is_bounded_by_ids() {
        let november = Month::of(NOVEMBER).unwrap();
        assert_eq!(november, Month { year: 2026, month: 11 });
        let (first, next) = (november.first_id().unwrap(), november.next().first_id().unwrap());
        assert!(first < MessageId::received_at(NOVEMBER, 0).0 && MessageId::received_at(NOVEMBER, 0).0 < next);
        // 2026-12-01T00:00:00Z and the millisecond before.
        let december = Timestamp(1_796_083_200_000_000);
        assert_eq!(first_id_of(december), next);
        assert!(MessageId::received_at(december - Duration::from_millis(1), u16::MAX).0 < next);
        assert_eq!(Month::of(december - Duration::from_micros(1)), Some(november));
        assert_eq!(november.next().next(), Month { year: 2027, month: 1 });
        assert_eq!(Month::of(Timestamp(i64::MAX)), None);
    }

    #[test]
    fn names_are_read_back() {
        let november = Month::of(NOVEMBER).unwrap();
        assert_eq!(november.partition_of("message"), "message_2026_11");
        assert_eq!(Month::of_partition("message_2026_11"), Some(("message", november)));
        for name in ["message", "message_rest", "message_2026", "message_2026_13", "message_2026_", "_"] {
            assert_eq!(Month::of_partition(name), None, "{name}");
        }
    }
}
