//! The score by which a pair of tokens is chosen.
//!
//! Plain BPE: its count. With a penalty, until a stated merge: count^c x (1 - lambda x q^gamma), floored at
//! 0, where q is the share of the pair's occurrences in word types at which the join crosses a morpheme
//! boundary; a crossing whose union is made of whole morphemes weighs 1 - kappa.
//!
//! A score is an i64 whose order is the order of the scores: the count, or the bits of a non-negative f64.
//! `power` uses nothing but + - x / and scaling by powers of two, which IEEE 754 defines to the last bit, so
//! that scores are the same on every machine and in the Python oracle.

/// The penalty's parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalty {
    /// Lambda: how much a pair that crosses morpheme boundaries loses.
    pub penalty: f64,
    /// The exponent of the share of crossings.
    pub gamma: f64,
    /// The discount of a crossing whose union is made of whole morphemes.
    pub kappa: f64,
    /// The exponent c of the count.
    pub exponent: f64,
    /// The number of merges after which scores are counts.
    pub release_merge: usize,
}

/// In how many word types a pair occurs (each occurrence counts), and how it crosses boundaries there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Types {
    pub all: u32,
    /// Crossings whose union does not begin and end at boundaries.
    pub partial: u32,
    /// Crossings whose union does.
    pub whole: u32,
}

impl Types {
    /// Counts an occurrence.
    #[inline(always)]
    pub fn see(&mut self, crosses: bool, whole: bool) {
        self.all += 1;
        self.partial += u32::from(crosses && !whole);
        self.whole += u32::from(crosses && whole);
    }

    /// Adds the counts of other word types.
    #[inline(always)]
    pub fn add(&mut self, other: Self) {
        self.all += other.all;
        self.partial += other.partial;
        self.whole += other.whole;
    }

    /// Takes counts off again.
    #[inline(always)]
    pub fn take(&mut self, other: Self) {
        self.all -= other.all;
        self.partial -= other.partial;
        self.whole -= other.whole;
    }
}

/// Counts below this have their power in a table.
const TABLE: usize = 1 << 12;

/// Scores pairs under a penalty.
pub struct Scorer {
    pub penalty: Penalty,
    powers: Vec<f64>,
    /// Where the share of crossings is above this, the score is 0.
    hopeless: f64,
}

/// Above what makes the score 0, so much that no rounding could make it more.
const SURELY: f64 = 1.0 + 1e-6;

impl Scorer {
    /// Scores under a penalty.
    pub fn new(penalty: Penalty) -> Self {
        let powers = (0..TABLE)
            .map(|count| power(count as f64, penalty.exponent))
            .collect();
        let Penalty {
            penalty: lambda,
            gamma,
            ..
        } = penalty;
        // lambda x q^gamma = 1. Below 1 for a lambda above 1 alone; for a gamma near 0 q says too little.
        let known = gamma > 1e-3;
        let hopeless = if known {
            SURELY * (1.0 / lambda).powf(1.0 / gamma)
        } else {
            f64::INFINITY
        };
        Self {
            penalty,
            powers,
            hopeless,
        }
    }

    /// The score of a pair; 0 means that it may not be merged.
    pub fn score(&self, count: i64, types: Types) -> i64 {
        let Penalty {
            penalty: lambda,
            gamma,
            kappa,
            ..
        } = self.penalty;
        if types.partial == 0 && types.whole == 0 {
            return self.base(count).to_bits() as i64;
        }
        let crossing = f64::from(types.partial) + (1.0 - kappa) * f64::from(types.whole);
        let share = crossing / f64::from(types.all);
        if share > self.hopeless {
            return 0;
        }
        let score = self.base(count) * (1.0 - lambda * power(share, gamma));
        if score > 0.0 { score.to_bits() as i64 } else { 0 }
    }

    /// The largest score that a pair of this count can have.
    pub fn most(&self, count: i64) -> i64 {
        self.base(count).to_bits() as i64
    }

    fn base(&self, count: i64) -> f64 {
        match self.powers.get(count as usize) {
            Some(&power) => power,
            None => power(count as f64, self.penalty.exponent),
        }
    }
}

/// Terms of the series of the logarithm: with |z| <= .1716, the first one left out is below 2^-56.
const LOG_TERMS: u32 = 11;
/// Terms of the series of the exponential: with |x| <= .3466, the first one left out is below 2^-60.
const EXP_TERMS: u32 = 15;

/// x to the power y for x >= 0 and y > 0, within 2^-45 of its value, the same everywhere.
pub fn power(x: f64, y: f64) -> f64 {
    if x <= 0.0 || y == 1.0 {
        return x.max(0.0);
    }
    let bits = x.to_bits();
    // x is a quotient of integers below 2^63 or an integer: never subnormal.
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut mantissa = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let square = z * z;
    let mut sum = 0.0;
    for term in (0..LOG_TERMS).rev() {
        sum = sum * square + 1.0 / f64::from(2 * term + 1);
    }
    let log = y * (exponent as f64 * std::f64::consts::LN_2 + 2.0 * z * sum);
    let twos = (log / std::f64::consts::LN_2 + 0.5).floor();
    let rest = log - twos * std::f64::consts::LN_2;
    let mut result = 1.0;
    for term in (1..EXP_TERMS).rev() {
        result = result * rest / f64::from(term) + 1.0;
    }
    result * f64::from_bits(((twos as i64 + 1023) as u64) << 52)
}
