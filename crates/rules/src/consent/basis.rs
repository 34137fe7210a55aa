//! What somebody's agreement rests on, and until when it holds.
//!
//! Promises: express agreement never ends by itself; agreement that the law reads into an enquiry or a
//! purchase ends where the law of the recipient's country says so. Where more than one country may be the
//! recipient's, the earliest end stands.
//! Does not: know who the recipient is, or what else was agreed to.

use chrono::{DateTime, Months, Utc};

words! {
    /// What an agreement rests on.
    pub enum Basis {
        /// The person said so, to words that told them what for.
        Express = "express",
        /// The person asked for something.
        Enquiry = "enquiry",
        /// The person bought something.
        Purchase = "purchase",
    }
}

/// Months for which implied agreement holds, by country. Canada: Anti-Spam Legislation, S.C. 2010, c. 23,
/// s. 10(10): two years after a purchase, six months after an enquiry.
const MONTHS: &[(&str, Basis, u32)] = &[("CA", Basis::Enquiry, 6), ("CA", Basis::Purchase, 24)];

impl Basis {
    /// As it completes "consent from …".
    pub const fn origin(self) -> &'static str {
        match self {
            Self::Express => "the person",
            Self::Enquiry => "an enquiry",
            Self::Purchase => "a purchase",
        }
    }
}

/// What an agreement rests on, and when it ends by itself, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// What it rests on.
    pub basis: Basis,
    /// From then on it does not hold.
    pub ends_at: Option<DateTime<Utc>>,
}

impl Term {
    /// That of express agreement.
    pub const EXPRESS: Self = Self { basis: Basis::Express, ends_at: None };

    /// The term of an agreement given at `given_at`. `countries`: ISO 3166 alpha-2 of everywhere the person may be.
    pub fn new(basis: Basis, given_at: DateTime<Utc>, countries: &[&str]) -> Self {
        let binds = |country: &str| countries.iter().any(|given| given.eq_ignore_ascii_case(country));
        let months = MONTHS.iter().filter(|(country, of, _)| *of == basis && binds(country));
        let ends_at = months
            .map(|(_, _, months)| given_at.checked_add_months(Months::new(*months)).unwrap_or(given_at))
            .min();
        Self { basis, ends_at }
    }

    /// Whether this term takes the place of `other`: nothing takes that of express agreement, and nothing is
    /// shortened.
    pub fn replaces(self, other: Self) -> bool {
        let lasts_longer = self.ends_at.zip(other.ends_at).is_some_and(|(this, that)| this > that);
        other.basis != Basis::Express && (self.basis == Basis::Express || lasts_longer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn implied_consent_ends_where_the_law_says_so() {
        let given = at("2026-03-03T10:00:00Z");
        let cases: [(Basis, &[&str], Option<&str>); 8] = [
            (Basis::Enquiry, &["CA"], Some("2026-09-03T10:00:00Z")),
            (Basis::Purchase, &["ca"], Some("2028-03-03T10:00:00Z")),
            (Basis::Express, &["CA"], None),
            (Basis::Enquiry, &["US"], None),
            (Basis::Purchase, &["AU"], None),
            (Basis::Enquiry, &["US", "CA"], Some("2026-09-03T10:00:00Z")),
            (Basis::Enquiry, &[], None),
            (Basis::Purchase, &["C"], None),
        ];
        for (basis, countries, end) in cases {
            assert_eq!(Term::new(basis, given, countries).ends_at, end.map(at), "{basis} {countries:?}");
        }
        // The last day of a shorter month, not the first of the next.
        let end = |basis, given| Term::new(basis, at(given), &["CA"]).ends_at;
        assert_eq!(end(Basis::Enquiry, "2026-08-31T12:00:00Z"), Some(at("2027-02-28T12:00:00Z")));
        assert_eq!(end(Basis::Purchase, "2028-02-29T12:00:00Z"), Some(at("2030-02-28T12:00:00Z")));
    }

    #[test]
    fn a_term_is_extended_and_never_shortened() {
        let given = at("2026-03-03T10:00:00Z");
        let later = at("2026-05-03T10:00:00Z");
        let term = |basis, at| Term::new(basis, at, &["CA"]);
        let (enquiry, purchase) = (term(Basis::Enquiry, given), term(Basis::Purchase, given));
        assert!(purchase.replaces(enquiry) && term(Basis::Enquiry, later).replaces(enquiry));
        assert!(!enquiry.replaces(purchase) && !term(Basis::Enquiry, later).replaces(purchase));
        assert!(Term::EXPRESS.replaces(purchase) && !purchase.replaces(Term::EXPRESS));
        assert!(!Term::EXPRESS.replaces(Term::EXPRESS) && !purchase.replaces(purchase));
    }
}
