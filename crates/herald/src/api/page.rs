//! Lists in pages: `?limit=&cursor=` in, `{items, nextCursor}` out.

use super::{codes::Code, problem::Problem};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::{IntoParams, ToSchema};

/// The most items in a page.
const MOST: usize = 500;
/// The items in a page where no limit is given.
const USUAL: usize = 100;

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// At most so many items: 1 to 500, else 100.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<usize>,
    /// `nextCursor` of the page before; absent: the first page.
    pub cursor: Option<String>,
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Give it back as `cursor` for the next page; null: this was the last.
    pub next_cursor: Option<String>,
}

impl PageQuery {
    /// The items wanted, within bounds.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(USUAL).clamp(1, MOST)
    }

    /// Where to go on.
    ///
    /// # Errors
    /// When the cursor is none that a list gave out.
    pub fn after<C: FromStr>(&self) -> Result<Option<C>, Problem> {
        let Some(cursor) = self.cursor.as_deref().filter(|cursor| !cursor.is_empty()) else { return Ok(None) };
        cursor.parse().map(Some).map_err(|_| {
            Problem::new(
                Code::InvalidCursor,
                "This cursor was not given out by this list. Leave it out to begin at the start.",
            )
        })
    }

    /// The page of a list that is in memory, in the order of `key`.
    ///
    /// # Errors
    /// When the cursor is none that a list gave out.
    pub fn cut<S, T>(
        &self,
        all: impl IntoIterator<Item = S>,
        key: impl Fn(&S) -> i64,
        view: impl Fn(S) -> T,
    ) -> Result<Page<T>, Problem> {
        let after = self.after::<i64>()?.unwrap_or(i64::MIN);
        let mut rest: Vec<S> = all.into_iter().filter(|item| key(item) > after).take(self.limit() + 1).collect();
        let more = rest.len() > self.limit();
        rest.truncate(self.limit());
        let next_cursor = rest.last().filter(|_| more).map(|item| key(item).to_string());
        Ok(Page { items: rest.into_iter().map(view).collect(), next_cursor })
    }

    /// The page of rows read with a limit of one more than wanted.
    pub fn of_rows<S, T>(&self, mut rows: Vec<S>, cursor: impl Fn(&S) -> String, view: impl Fn(S) -> T) -> Page<T> {
        let more = rows.len() > self.limit();
        rows.truncate(self.limit());
        let next_cursor = rows.last().filter(|_| more).map(&cursor);
        Page { items: rows.into_iter().map(view).collect(), next_cursor }
    }

    /// How many rows to read for [`PageQuery::of_rows`].
    pub fn rows(&self) -> u32 {
        // At most 501.
        u32::try_from(self.limit() + 1).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_without_gap_or_repetition() {
        let mut query = PageQuery { limit: Some(3), cursor: None };
        let mut seen = Vec::new();
        loop {
            let page = query.cut(1..=7, |item| *item, |item| item).unwrap();
            assert!(page.items.len() <= 3);
            seen.extend(page.items);
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
        query.limit = Some(7);
        assert_eq!(query.cut(1..=7, |item| *item, |item| item).unwrap().next_cursor, None);
    }

    #[test]
    fn bounds_and_foreign_cursors() {
        assert_eq!(PageQuery { limit: Some(0), cursor: None }.limit(), 1);
        assert_eq!(PageQuery { limit: Some(9_999), cursor: None }.limit(), 500);
        let foreign = PageQuery { limit: None, cursor: Some("x".into()) };
        assert_eq!(foreign.after::<i64>().unwrap_err().code(), Code::InvalidCursor);
    }
}
