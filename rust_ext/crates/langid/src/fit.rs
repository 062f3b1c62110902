//! Fits a section: chooses the n-grams that tell most, and learns their weights.
//!
//! Softmax regression by stochastic gradient descent with AdaGrad's step a row. First over many n-grams, chosen
//! by how far the languages of the texts that hold one lie from those of all texts; then the rows that matter
//! most are kept and learned on, so that they make up for the ones that are gone. The order of texts is drawn
//! from a seed: the same texts give the same bytes.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::features::features;
use crate::letters::Script;
use crate::words::{Break, Visitor, Word, read};

/// A feature is a hash already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&b| self.0 = self.0 << 8 | u64::from(b));
    }
    fn write_u32(&mut self, value: u32) {
        self.0 = u64::from(value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

type Map<T> = HashMap<u32, T, BuildHasherDefault<AsItIs>>;

/// A text whose squared error is below this (its label has a probability of .99) changes no row.
const LEARNED: f32 = 1e-4;

/// How to fit.
pub struct Plan {
    pub labels: usize,
    /// Rows learned first, and rows kept.
    pub candidates: usize,
    pub rows: usize,
    /// Times that the kept rows learn from each text; the candidates do so once.
    pub epochs: usize,
    pub rate: f32,
    /// The power of the number of words that sums are divided by.
    pub length: f32,
    /// What every weight shrinks by at each step that touches it.
    pub decay: f32,
}

/// What was learned: keys in ascending order, a bias a label, a row of weights a key, and their unit.
pub struct Fitted {
    pub keys: Vec<u32>,
    pub bias: Vec<f32>,
    pub weights: Vec<i8>,
    pub scale: f32,
}

/// Features of a text's words in one script, and the number of these words.
pub fn text_features(text: &str, script: Script) -> (Vec<u32>, u32) {
    struct Collect {
        script: Script,
        found: Vec<u32>,
        words: u32,
    }
    impl Visitor for Collect {
        fn letter(&mut self, _: u32, _: Script) {}
        fn word(&mut self, word: &Word<'_>) {
            if word.script == self.script {
                features(word.folded, |feature| self.found.push(feature));
                self.words += 1;
            }
        }
        fn end(&mut self, _: Break, _: usize) {}
    }
    let mut collect = Collect {
        script,
        found: Vec::new(),
        words: 0,
    };
    read(text, &mut collect);
    (collect.found, collect.words)
}

/// Fits a section to `texts`, each with the number of its label and what it counts for.
pub fn fit(texts: &[(&str, u16, f32)], script: Script, plan: &Plan) -> Fitted {
    let first = choose(texts, script, plan);
    let mut learner = Learner::new(&first, plan);
    learner.learn(texts, script, plan, 1, 1.0);
    let kept = learner.best(plan.rows);
    let mut learner = learner.only(&kept, plan.labels);
    learner.learn(texts, script, plan, plan.epochs, 0.7);
    learner.quantised(plan.labels)
}

/// The candidates: of all n-grams seen five times, those whose texts' languages are most unlike all texts'.
fn choose(texts: &[(&str, u16, f32)], script: Script, plan: &Plan) -> Vec<u32> {
    const FEWEST: u32 = 4;
    let mut seen: Map<u32> = Map::default();
    let mut all = vec![1.0f64; plan.labels];
    for &(text, label, weight) in texts {
        let (mut found, _) = text_features(text, script);
        found.sort_unstable();
        found.dedup();
        all[usize::from(label)] += f64::from(weight);
        for feature in found {
            *seen.entry(feature).or_default() += 1;
        }
    }
    let mut numbers: Map<usize> = Map::default();
    let mut keys: Vec<u32> = seen
        .into_iter()
        .filter(|&(_, n)| n >= FEWEST)
        .map(|(key, _)| key)
        .collect();
    keys.sort_unstable();
    for (number, &key) in keys.iter().enumerate() {
        numbers.insert(key, number);
    }
    let mut counts = vec![0f32; keys.len() * plan.labels];
    for &(text, label, weight) in texts {
        let (mut found, _) = text_features(text, script);
        found.sort_unstable();
        found.dedup();
        for number in found.iter().filter_map(|f| numbers.get(f)) {
            counts[number * plan.labels + usize::from(label)] += weight;
        }
    }
    let whole: f64 = all.iter().sum();
    let mut gains: Vec<(f64, u32)> = Vec::with_capacity(keys.len());
    for (counts, &key) in counts.chunks_exact(plan.labels).zip(&keys) {
        let total: f64 = counts.iter().map(|&c| f64::from(c)).sum::<f64>() + 1.0;
        let gain: f64 = counts
            .iter()
            .zip(&all)
            .filter(|&(&c, _)| c > 0.0)
            .map(|(&c, a)| f64::from(c) * (f64::from(c) / total / (a / whole)).ln())
            .sum();
        gains.push((gain, key));
    }
    gains.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    gains.truncate(plan.candidates);
    gains.into_iter().map(|(_, key)| key).collect()
}

/// The rows of every text's features, one after another.
struct Known {
    rows: Vec<u32>,
    ends: Vec<usize>,
    words: Vec<u32>,
}

impl Known {
    fn new(texts: &[(&str, u16, f32)], script: Script, numbers: &Map<u32>) -> Self {
        let mut known = Self {
            rows: Vec::new(),
            ends: Vec::new(),
            words: Vec::new(),
        };
        for &(text, ..) in texts {
            let (found, words) = text_features(text, script);
            known
                .rows
                .extend(found.iter().filter_map(|feature| numbers.get(feature)));
            known.ends.push(known.rows.len());
            known.words.push(words);
        }
        known
    }

    fn of(&self, text: usize) -> (&[u32], u32) {
        let start = if text == 0 { 0 } else { self.ends[text - 1] };
        (&self.rows[start..self.ends[text]], self.words[text])
    }
}

struct Learner {
    rows: Map<u32>,
    keys: Vec<u32>,
    weights: Vec<f32>,
    /// Sum of squared gradients a row, and times that a row was touched.
    squares: Vec<f32>,
    touched: Vec<u32>,
    bias: Vec<f32>,
}

impl Learner {
    fn new(keys: &[u32], plan: &Plan) -> Self {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        Self {
            rows: keys
                .iter()
                .enumerate()
                .map(|(row, &key)| (key, row as u32))
                .collect(),
            weights: vec![0.0; keys.len() * plan.labels],
            squares: vec![0.0; keys.len()],
            touched: vec![0; keys.len()],
            bias: vec![0.0; plan.labels],
            keys,
        }
    }

    fn learn(&mut self, texts: &[(&str, u16, f32)], script: Script, plan: &Plan, epochs: usize, rate: f32) {
        let labels = plan.labels;
        let known = Known::new(texts, script, &self.rows);
        let mut order: Vec<u32> = (0..texts.len() as u32).collect();
        let mut random = 0x2545_F491_4F6C_DD1D_u64;
        let steps = (epochs * texts.len()) as f32;
        let mut step = 0f32;
        let mut scores = vec![0f32; labels];
        for _ in 0..epochs {
            for i in (1..order.len()).rev() {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                order.swap(i, (random % (i as u64 + 1)) as usize);
            }
            for &number in &order {
                let (_, label, weight) = texts[number as usize];
                let rate = plan.rate * rate * (1.0 - 0.9 * step / steps);
                step += 1.0;
                let (rows, words) = known.of(number as usize);
                if words == 0 {
                    continue;
                }
                let by = (words as f32).powf(-plan.length);
                scores.fill(0.0);
                for &row in rows {
                    let row = row as usize;
                    for (s, w) in scores.iter_mut().zip(&self.weights[row * labels..][..labels]) {
                        *s += w;
                    }
                }
                for (s, b) in scores.iter_mut().zip(&self.bias) {
                    *s = *s * by + b;
                }
                let mut errors = crate::score::softmax(&scores);
                errors[usize::from(label)] -= 1.0;
                errors.iter_mut().for_each(|e| *e *= weight);
                let size: f32 = errors.iter().map(|e| e * e).sum();
                for (bias, error) in self.bias.iter_mut().zip(&errors) {
                    *bias -= 0.01 * rate * error;
                }
                if size < LEARNED * weight * weight {
                    continue;
                }
                let square = size * by * by;
                for &row in rows {
                    let row = row as usize;
                    self.squares[row] += square;
                    self.touched[row] += 1;
                    let step = rate * by / (self.squares[row] + 1e-3).sqrt();
                    let keep = 1.0 - plan.decay * rate;
                    for (w, error) in self.weights[row * labels..][..labels].iter_mut().zip(&errors) {
                        *w = *w * keep - step * error;
                    }
                }
            }
        }
    }

    /// The keys of the rows that move scores most: the spread of a row's weights times how often it is met.
    fn best(&self, rows: usize) -> Vec<u32> {
        let labels = self.bias.len();
        let mut worth: Vec<(f32, u32)> = self
            .keys
            .iter()
            .enumerate()
            .map(|(row, &key)| {
                let weights = &self.weights[row * labels..][..labels];
                let mean = weights.iter().sum::<f32>() / labels as f32;
                let spread: f32 = weights.iter().map(|w| (w - mean) * (w - mean)).sum();
                (spread.sqrt() * (self.touched[row] as f32).sqrt(), key)
            })
            .collect();
        worth.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        worth.truncate(rows);
        worth.into_iter().map(|(_, key)| key).collect()
    }

    fn only(&self, keys: &[u32], labels: usize) -> Self {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        let rows: Vec<usize> = keys.iter().map(|key| self.rows[key] as usize).collect();
        Self {
            rows: keys
                .iter()
                .enumerate()
                .map(|(row, &key)| (key, row as u32))
                .collect(),
            weights: rows
                .iter()
                .flat_map(|&r| self.weights[r * labels..][..labels].to_vec())
                .collect(),
            squares: rows.iter().map(|&r| self.squares[r]).collect(),
            touched: rows.iter().map(|&r| self.touched[r]).collect(),
            bias: self.bias.clone(),
            keys,
        }
    }

    /// Rows less their mean (softmax does not see it), in steps of 1/127 of the 99.9th percentile.
    fn quantised(&self, labels: usize) -> Fitted {
        let mut centred = self.weights.clone();
        for row in centred.chunks_exact_mut(labels) {
            let mean = row.iter().sum::<f32>() / labels as f32;
            row.iter_mut().for_each(|w| *w -= mean);
        }
        let mut sizes: Vec<f32> = centred.iter().map(|w| w.abs()).collect();
        sizes.sort_by(f32::total_cmp);
        let top = sizes
            .get(sizes.len().saturating_sub(1) * 9995 / 10_000)
            .copied()
            .unwrap_or(1.0);
        let scale = top.max(1e-6) / 127.0;
        let weights = centred
            .iter()
            .map(|w| (w / scale).round().clamp(-127.0, 127.0) as i8)
            .collect();
        Fitted {
            keys: self.keys.clone(),
            bias: self.bias.clone(),
            weights,
            scale,
        }
    }
}
