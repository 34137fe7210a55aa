//! Paging by key: a page ends with an opaque cursor, the next one starts after it. Lists are never counted.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::error::{Error, Result};

/// `?limit=&cursor=` of any list.
#[derive(Debug, Default, Clone, Deserialize, utoipa::IntoParams)]
pub struct PageQuery {
    /// 1 to 200, 50 unless told; beyond that the nearest of the two.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// Rows per page, within bounds.
    pub fn limit(&self) -> i64 {
        i64::from(self.limit.unwrap_or(50).clamp(1, 200))
    }

    /// The key to start after.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>> {
        self.cursor.as_deref().filter(|cursor| !cursor.is_empty()).map(decode).transpose()
    }

    /// For a list that is given whole: a cursor is of some other list.
    pub fn nowhere(&self) -> Result<()> {
        match &self.cursor {
            Some(cursor) if !cursor.is_empty() => Err(unreadable()),
            _ => Ok(()),
        }
    }
}

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Cuts `rows`, fetched with `limit + 1`, to a page and points to the next by the last row's key.
    pub fn cut<K: Serialize>(mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = more.then(|| rows.last().map(|row| encode(&key(row)))).flatten();
        Self { data: rows, next_cursor }
    }

    /// A list that is short enough to be given whole.
    pub fn whole(data: Vec<T>) -> Self {
        Self { data, next_cursor: None }
    }

    /// A page of `data` that goes on after `last`, if there is more.
    pub fn until<K: Serialize>(data: Vec<T>, last: Option<K>) -> Self {
        Self { data, next_cursor: last.map(|key| encode(&key)) }
    }

    /// The same page of something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}

/// The cursor of a key, for pages that link to where they begin.
pub fn encode(key: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).expect("keys are plain values"))
}

fn unreadable() -> Error {
    Error::BadRequest("This cursor does not come from this list.".into())
}

fn decode<K: DeserializeOwned>(cursor: &str) -> Result<K> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| unreadable())?;
    serde_json::from_slice(&bytes).map_err(|_| unreadable())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_points_to_the_next() {
        let page = Page::cut(vec![3, 2, 1], 2, |n| *n);
        assert_eq!(page.data, [3, 2]);
        let query = PageQuery { limit: None, cursor: page.next_cursor };
        assert_eq!(query.after::<i32>().unwrap(), Some(2));
        assert!(Page::cut(vec![1], 2, |n| *n).next_cursor.is_none());
        let foreign = PageQuery { limit: Some(0), cursor: Some("!".into()) };
        assert!(foreign.after::<i32>().is_err());
        assert_eq!(foreign.limit(), 1);
    }
}
