//! A linear classifier of texts over hashed words and pairs of neighbouring words.
//!
//! A text is its words in lower case (ё as е) and its pairs of neighbours, each hashed to one of 2^bits weights; the
//! margin is the sum of the weights over the root of their number. Weights are learnt by stochastic gradient descent
//! on the logistic loss with AdaGrad's steps, in an order drawn from a seed, so the same texts give the same model.
//! The table of a hash is the model itself: two words that share a weight share it in training too.

use std::ops::ControlFlow;

mod file;

/// Weights and how a margin becomes a probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    bits: u32,
    bias: f32,
    /// Probability = logistic(slope * margin + offset).
    slope: f32,
    offset: f32,
    weights: Vec<f32>,
}

/// How a model is learnt.
#[derive(Clone, Copy, Debug)]
pub struct Training {
    pub bits: u32,
    pub epochs: u32,
    pub rate: f32,
    /// Penalty on weights, per step in which a weight takes part.
    pub decay: f32,
    pub seed: u64,
}

/// Least and most of [`Training::bits`].
pub const BITS: std::ops::RangeInclusive<u32> = 8..=26;

/// A word of a text: its hash and where it stands.
struct Word {
    hash: u64,
    start: usize,
    end: usize,
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(hash: u64) -> u64 {
    let folded = (hash ^ (hash >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    folded ^ (folded >> 29)
}

/// A letter in lower case, ё as е; other characters as they are.
#[inline]
fn lower(c: char) -> u32 {
    match c {
        'A'..='Z' | 'А'..='Я' => c as u32 + 32,
        'ё' | 'Ё' => 'е' as u32,
        _ if (c as u32) < 0x530 => match c {
            '\u{400}'..='\u{40F}' => c as u32 + 80,
            _ => c as u32,
        },
        _ => c.to_lowercase().next().unwrap_or(c) as u32,
    }
}

#[inline]
fn in_word(c: char) -> bool {
    match c as u32 {
        0..0x80 => c.is_ascii_alphanumeric(),
        0x400..0x482 | 0x48A..0x530 => true,
        _ => c.is_alphanumeric(),
    }
}

/// Calls `take` with each word of a text, in order, until it breaks off.
fn words(text: &str, mut take: impl FnMut(Word) -> ControlFlow<()>) {
    let mut open: Option<(usize, u64)> = None;
    for (at, c) in text.char_indices() {
        if in_word(c) {
            let (start, hash) = open.unwrap_or((at, STEP));
            open = Some((
                start,
                (hash ^ u64::from(lower(c))).wrapping_mul(STEP).rotate_left(23),
            ));
        } else if let Some((start, hash)) = open.take()
            && take(Word {
                hash: mix(hash),
                start,
                end: at,
            })
            .is_break()
        {
            return;
        }
    }
    if let Some((start, hash)) = open {
        let _ = take(Word {
            hash: mix(hash),
            start,
            end: text.len(),
        });
    }
}

fn pair(first: u64, second: u64) -> u64 {
    mix(first.wrapping_mul(STEP).rotate_left(17) ^ second)
}

/// Words of a text that are read: more say nothing new of what it is.
const MOST_WORDS: usize = 1 << 20;

impl Linear {
    fn slot(&self, hash: u64) -> usize {
        (hash >> (64 - self.bits)) as usize
    }

    /// The slots of a text's words and pairs.
    fn slots(&self, text: &str, slots: &mut Vec<u32>) {
        slots.clear();
        let mut before = None;
        words(text, |word| {
            slots.push(self.slot(word.hash) as u32);
            if let Some(first) = before.replace(word.hash) {
                slots.push(self.slot(pair(first, word.hash)) as u32);
            }
            if slots.len() < 2 * MOST_WORDS {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
    }

    /// The margin of a text: the log of the odds that it is positive, before calibration.
    pub fn margin(&self, text: &str) -> f32 {
        let (mut sum, mut count) = (0_f32, 0_usize);
        let mut before = None;
        words(text, |word| {
            sum += self.weights[self.slot(word.hash)];
            count += 1;
            if let Some(first) = before.replace(word.hash) {
                sum += self.weights[self.slot(pair(first, word.hash))];
                count += 1;
            }
            if count < 2 * MOST_WORDS {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        self.bias + sum * scale(count)
    }

    /// The probability that a text is positive.
    pub fn probability(&self, text: &str) -> f32 {
        logistic(self.slope * self.margin(text) + self.offset)
    }

    /// The words and pairs of a text with what each adds to its margin.
    pub fn terms(&self, text: &str) -> Vec<(String, f32)> {
        let mut found = Vec::new();
        let mut before: Option<Word> = None;
        words(text, |word| {
            found.push((
                text[word.start..word.end].to_lowercase(),
                self.weights[self.slot(word.hash)],
            ));
            if let Some(first) = before.take() {
                let weight = self.weights[self.slot(pair(first.hash, word.hash))];
                let both = format!(
                    "{} {}",
                    &text[first.start..first.end],
                    &text[word.start..word.end]
                );
                found.push((both.to_lowercase(), weight));
            }
            before = Some(word);
            if found.len() < 2 * MOST_WORDS {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        let scale = scale(found.len());
        for (_, weight) in &mut found {
            *weight *= scale;
        }
        found
    }

    /// Learns a model from texts and whether each is positive; both classes weigh alike.
    pub fn train(texts: &[&str], positive: &[bool], training: Training) -> Result<Self, String> {
        if texts.len() != positive.len() {
            return Err("each text must have a label".to_owned());
        }
        if !BITS.contains(&training.bits) {
            return Err(format!(
                "bits is {}; set it from {} to {}",
                training.bits,
                BITS.start(),
                BITS.end()
            ));
        }
        let positives = positive.iter().filter(|&&label| label).count();
        if positives == 0 || positives == positive.len() {
            return Err("a model needs texts of both classes".to_owned());
        }
        let size = 1 << training.bits;
        let mut model = Linear {
            bits: training.bits,
            bias: 0.0,
            slope: 1.0,
            offset: 0.0,
            weights: vec![0.0; size],
        };
        let half = texts.len() as f32 / 2.0;
        let class_weight = [half / (texts.len() - positives) as f32, half / positives as f32];
        let mut squares = vec![1e-4_f32; size];
        let mut bias_squares = 1e-4_f32;
        let mut order: Vec<usize> = (0..texts.len()).collect();
        let mut slots = Vec::new();
        let mut seed = training.seed;
        for _ in 0..training.epochs {
            shuffle(&mut order, &mut seed);
            for &at in &order {
                model.slots(texts[at], &mut slots);
                let scale = scale(slots.len());
                let sum: f32 = slots.iter().map(|&slot| model.weights[slot as usize]).sum();
                let label = f32::from(u8::from(positive[at]));
                let error =
                    (logistic(model.bias + sum * scale) - label) * class_weight[usize::from(positive[at])];
                let step = error * scale;
                for &slot in &slots {
                    let slot = slot as usize;
                    let gradient = step + training.decay * model.weights[slot];
                    squares[slot] += gradient * gradient;
                    model.weights[slot] -= training.rate * gradient / squares[slot].sqrt();
                }
                bias_squares += error * error;
                model.bias -= training.rate * error / bias_squares.sqrt();
            }
        }
        Ok(model)
    }

    /// Fits slope and offset so that probabilities of these texts are right on average (Platt's scaling, by Newton's
    /// steps); texts that the model has not seen.
    pub fn calibrate(&mut self, texts: &[&str], positive: &[bool]) {
        let margins: Vec<f64> = texts.iter().map(|text| f64::from(self.margin(text))).collect();
        let count = |label: bool| positive.iter().filter(|&&p| p == label).count() as f64;
        // Platt's targets keep a separable set from driving the slope to infinity.
        let (high, low) = (
            (count(true) + 1.0) / (count(true) + 2.0),
            1.0 / (count(false) + 2.0),
        );
        let (mut slope, mut offset) = (1.0_f64, 0.0_f64);
        for _ in 0..50 {
            let (mut g, mut h) = ([0.0; 2], [1e-6, 0.0, 1e-6]);
            for (&margin, &label) in margins.iter().zip(positive) {
                let p = 1.0 / (1.0 + (-(slope * margin + offset)).exp());
                let error = p - if label { high } else { low };
                let weight = p * (1.0 - p);
                g[0] += error * margin;
                g[1] += error;
                h[0] += weight * margin * margin;
                h[1] += weight * margin;
                h[2] += weight;
            }
            let determinant = h[0] * h[2] - h[1] * h[1];
            if determinant.abs() < 1e-12 {
                break;
            }
            slope -= ((h[2] * g[0] - h[1] * g[1]) / determinant).clamp(-1.0, 1.0);
            offset -= ((h[0] * g[1] - h[1] * g[0]) / determinant).clamp(-1.0, 1.0);
        }
        (self.slope, self.offset) = (slope as f32, offset as f32);
    }
}

fn scale(count: usize) -> f32 {
    if count == 0 {
        0.0
    } else {
        1.0 / (count as f32).sqrt()
    }
}

fn logistic(margin: f32) -> f32 {
    (1.0 / (1.0 + (-f64::from(margin)).exp())) as f32
}

/// Fisher and Yates' shuffle by splitmix64.
fn shuffle(order: &mut [usize], seed: &mut u64) {
    for at in (1..order.len()).rev() {
        *seed = seed.wrapping_add(STEP);
        let mut z = *seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let drawn = ((u128::from(z ^ (z >> 31)) * (at as u128 + 1)) >> 64) as usize;
        order.swap(at, drawn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAINING: Training = Training {
        bits: 16,
        epochs: 8,
        rate: 0.5,
        decay: 1e-6,
        seed: 1,
    };

    fn model() -> Linear {
        let texts = [
            "кот спит дома",
            "кот ест рыбу",
            "курс рубля растёт",
            "курс доллара падает",
        ];
        Linear::train(&texts, &[true, true, false, false], TRAINING).expect("two classes")
    }

    #[test]
    fn words_decide_and_case_and_yo_do_not() {
        let model = model();
        assert!(model.margin("Кот на крыше") > 0.0);
        assert!(model.margin("КУРС РАСТЕТ") < 0.0);
        assert_eq!(model.margin("растёт"), model.margin("РАСТЕТ"));
    }

    #[test]
    fn the_terms_add_up_to_the_margin() {
        let model = model();
        let sum: f32 = model
            .terms("кот ест рыбу и курс")
            .iter()
            .map(|(_, weight)| weight)
            .sum();
        assert!((model.bias + sum - model.margin("кот ест рыбу и курс")).abs() < 1e-5);
        assert_eq!(model.terms("кот ест")[2].0, "кот ест");
    }

    #[test]
    fn one_class_alone_is_refused() {
        assert!(Linear::train(&["а"], &[true], TRAINING).is_err());
    }

    #[test]
    fn the_file_gives_the_model_back_and_a_damaged_one_is_refused() {
        let mut model = model();
        model.calibrate(&["кот", "курс"], &[true, false]);
        let mut bytes = model.to_bytes();
        assert_eq!(Linear::read(&bytes).expect("a model"), model);
        bytes[40] ^= 1;
        assert!(Linear::read(&bytes).is_err());
        assert!(Linear::read(b"words").is_err());
    }

    #[test]
    fn an_empty_text_has_the_bias_for_a_margin() {
        let model = model();
        assert_eq!(model.margin(""), model.bias);
        assert_eq!(model.margin("… —"), model.bias);
    }
}
