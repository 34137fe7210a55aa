//! One field of a `PATCH`: absent leaves it, `null` clears it, a value replaces it (RFC 7396).
//!
//! Declare it as `#[serde(default)] #[schema(value_type = Option<T>)] field: Patch<T>`.

use serde::{Deserialize, Deserializer};

/// What a request wants of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Not mentioned.
    #[default]
    Keep,
    /// `null`.
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    /// The value afterwards, if the field may be empty.
    pub fn over(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The value afterwards, if clearing means `empty`.
    pub fn or(self, current: T, empty: T) -> T {
        match self {
            Self::Keep => current,
            Self::Clear => empty,
            Self::Set(value) => value,
        }
    }

    /// Whether the request says nothing about the field.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The new value, if there is one.
    pub fn as_set(&self) -> Option<&T> {
        if let Self::Set(value) = self { Some(value) } else { None }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Change {
        #[serde(default)]
        name: Patch<String>,
    }

    #[test]
    fn absent_null_and_value_differ() {
        let read = |text: &str| serde_json::from_str::<Change>(text).unwrap().name;
        assert_eq!(read("{}"), Patch::Keep);
        assert_eq!(read(r#"{"name": null}"#), Patch::Clear);
        assert_eq!(read(r#"{"name": "A"}"#).over(Some("B".to_owned())), Some("A".to_owned()));
        assert_eq!(Patch::Keep.over(Some(1)), Some(1));
        assert_eq!(Patch::Clear.or(1, 0), 0);
        assert!(serde_json::from_str::<Change>(r#"{"name": 1}"#).is_err());
    }
}
