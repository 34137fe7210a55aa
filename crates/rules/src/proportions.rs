//! What shares of small and large numbers say, and when they differ.
//!
//! Promises: intervals after Wilson (1927), which stay within 0 and 1 and hold for small numbers; comparisons by the
//! two-sided test of two proportions with pooled variance. Does not: correct for looking often, or for comparing many.

/// 95 % of a normal distribution lie within this many standard deviations.
const Z: f64 = 1.959_964;
/// The normal approximation wants at least this many of each kind.
const LEAST: f64 = 5.0;

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub hits: u64,
    pub of: u64,
}

impl Share {
    /// The share itself; 0 of none.
    pub fn rate(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.hits.min(self.of) as f64 / self.of as f64 }
    }

    /// Where the true rate lies with 95 % confidence. Nothing is known of none: 0 to 1.
    pub fn interval(self) -> (f64, f64) {
        if self.of == 0 {
            return (0.0, 1.0);
        }
        let (n, p) = (self.of as f64, self.rate());
        let scale = 1.0 + Z * Z / n;
        let middle = p + Z * Z / (2.0 * n);
        let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        (((middle - reach) / scale).max(0.0), ((middle + reach) / scale).min(1.0))
    }
}

/// What a comparison of two shares amounts to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Comparison {
    /// Too few to say anything.
    TooFew,
    /// A difference like this comes about by chance more often than once in twenty times.
    Chance {
        /// How often chance alone does it, 0 to 1.
        p: f64,
    },
    /// The first is really higher.
    First { p: f64 },
    /// The second is.
    Second { p: f64 },
}

/// Whether two shares differ by more than chance, at the 5 % level.
pub fn compare(first: Share, second: Share) -> Comparison {
    let (n, m) = (first.of as f64, second.of as f64);
    let hits = (first.hits.min(first.of) + second.hits.min(second.of)) as f64;
    if n == 0.0 || m == 0.0 {
        return Comparison::TooFew;
    }
    let pooled = hits / (n + m);
    if n.min(m) * pooled.min(1.0 - pooled) < LEAST {
        return Comparison::TooFew;
    }
    let z = (first.rate() - second.rate()) / (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    let p = two_sided(z);
    match p < 0.05 {
        false => Comparison::Chance { p },
        true if z > 0.0 => Comparison::First { p },
        true => Comparison::Second { p },
    }
}

/// How often a normal variable is at least this far from its mean. Abramowitz and Stegun 7.1.26, off by 1.5e-7 at most.
fn two_sided(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series = t
        * (0.254_829_592
            + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    (series * (-x * x).exp()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn share(hits: u64, of: u64) -> Share {
        Share { hits, of }
    }

    #[test]
    fn intervals_are_wilsons() {
        for (given, low, high) in [
            (share(0, 0), 0.0, 1.0),
            (share(0, 10), 0.0, 0.2775),
            (share(1, 10), 0.0179, 0.4042),
            (share(5, 10), 0.2366, 0.7634),
            (share(10, 10), 0.7225, 1.0),
            (share(320, 10_000), 0.0287, 0.0356),
        ] {
            let (a, b) = given.interval();
            assert!((a - low).abs() < 1e-4 && (b - high).abs() < 1e-4, "{given:?}: {a} {b}");
        }
    }

    #[test]
    fn differences_are_told_from_chance() {
        assert_eq!(compare(share(1, 20), share(3, 20)), Comparison::TooFew);
        assert_eq!(compare(share(0, 0), share(50, 100)), Comparison::TooFew);
        assert_eq!(compare(share(0, 5000), share(0, 5000)), Comparison::TooFew);
        // 4.1 % against 3.2 % of ten thousand each: z = 3.393
        assert!(
            matches!(compare(share(410, 10_000), share(320, 10_000)), Comparison::First { p } if (p - 0.00069).abs() < 2e-5)
        );
        assert!(matches!(compare(share(320, 10_000), share(410, 10_000)), Comparison::Second { .. }));
        // 45 % against 50 % of two hundred each: z = 1.001
        assert!(
            matches!(compare(share(90, 200), share(100, 200)), Comparison::Chance { p } if (p - 0.317).abs() < 1e-3)
        );
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_rate(of in 1u64..2_000_000, part in 0.0f64..=1.0) {
            let given = share((of as f64 * part) as u64, of);
            let (low, high) = given.interval();
            prop_assert!(0.0 <= low && low <= given.rate() + 1e-12 && given.rate() <= high + 1e-12 && high <= 1.0);
        }

        #[test]
        fn turning_a_comparison_around_turns_its_answer(a in 0u64..500, b in 0u64..500) {
            let (first, second) = (share(a, 500), share(b, 500));
            let turned = match compare(second, first) {
                Comparison::First { p } => Comparison::Second { p },
                Comparison::Second { p } => Comparison::First { p },
                same => same,
            };
            prop_assert_eq!(compare(first, second), turned);
        }
    }
}
