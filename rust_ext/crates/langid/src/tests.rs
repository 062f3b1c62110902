//! A tiny model made in place, and what any text and any file may do.

use proptest::prelude::*;

use crate::document::{COUNTS, trim};
use crate::features::features;
use crate::fit::{Plan, fit};
use crate::letters::Script;
use crate::model::{MAGIC, Model, ModelError, checksum};
use crate::{Reader, Reading};

const LABELS: [[&str; 2]; 2] = [["ru", "uk"], ["en", "ru-Latn"]];
const TEXTS: [[&str; 2]; 2] = [
    ["что это было и где она сейчас", "що це було і де вона зараз"],
    [
        "what was this and where is she now",
        "chto eto bylo i gde ona seychas",
    ],
];

/// A model fitted to a sentence a language.
fn file() -> Vec<u8> {
    let mut head = format!("{MAGIC}\nmade in a test\n");
    let mut body = Vec::new();
    for (script, (labels, texts)) in [Script::Cyrillic, Script::Latin]
        .into_iter()
        .zip(LABELS.iter().zip(&TEXTS))
    {
        let plan = Plan {
            labels: 2,
            candidates: 400,
            rows: 300,
            epochs: 8,
            rate: 0.1,
            length: 0.5,
            decay: 0.0,
        };
        let rows: Vec<(&str, u16, f32)> = (0..20).map(|n| (texts[n % 2], (n % 2) as u16, 1.0)).collect();
        let fitted = fit(&rows, script, &plan);
        let name = if script == Script::Cyrillic {
            "Cyrl"
        } else {
            "Latn"
        };
        head += &format!(
            "section {name} {} {} 0.5 0 0\nlabels {}\n",
            fitted.keys.len(),
            fitted.scale,
            labels.join(" ")
        );
        body.extend(fitted.keys.iter().flat_map(|key| key.to_le_bytes()));
        body.extend(fitted.bias.iter().flat_map(|bias| bias.to_le_bytes()));
        body.extend(fitted.weights.iter().map(|&w| w as u8));
    }
    let mut data = (head + "\n").into_bytes();
    data.extend(body);
    let sum = checksum(&data);
    data.extend(sum.to_le_bytes());
    data
}

fn model() -> Model {
    Model::parse(&file()).expect("the model of the test parses")
}

fn best(model: &Model, reading: &Reading) -> String {
    model.labels[reading.ranked[0].0].clone()
}

#[test]
fn fitting_twice_gives_the_same_bytes() {
    assert_eq!(file(), file());
}

#[test]
fn a_fitted_model_tells_what_it_was_fitted_to() {
    let model = model();
    let mut reader = Reader::new(&model);
    for (labels, texts) in LABELS.iter().zip(&TEXTS) {
        for (label, text) in labels.iter().zip(texts) {
            assert_eq!(best(&model, &reader.read(text, 0.3)), *label);
            assert_eq!(best(&model, &reader.read(&text.to_uppercase(), 0.3)), *label);
        }
    }
    assert_eq!(best(&model, &reader.read("Τι είναι αυτό", 0.3)), "el");
}

#[test]
fn lines_are_told_apart_and_foreign_passages_are_cut() {
    let model = model();
    let text = format!(
        "{}\n\n{}\n{}\n{}\n",
        TEXTS[0][0], TEXTS[0][1], TEXTS[0][1], TEXTS[0][0]
    );
    let reading = Reader::new(&model).read(&text, 0.3);
    let labels: Vec<_> = reading
        .units
        .iter()
        .map(|unit| unit.label.map(|l| model.labels[l].as_str()))
        .collect();
    assert_eq!(labels, [Some("ru"), Some("uk"), Some("uk"), Some("ru")]);
    let kept = format!("{}\n\n{}", TEXTS[0][0], TEXTS[0][0]);
    let letters = TEXTS[0][1].chars().filter(|c| c.is_alphabetic()).count() as u64;
    assert_eq!(trim(&text, &reading.units, &[0], 20), Some((kept, 2 * letters)));
    assert_eq!(trim(&text, &reading.units, &[0], 2 * letters as u32 + 1), None);
}

#[test]
fn millions_of_lines_of_one_letter_stay_bounded() {
    let model = model();
    let reading = Reader::new(&model).read(&"я\n".repeat(2_000_000), 0.3);
    assert_eq!(reading.counts[0], 2_000_000);
    assert!(reading.units.len() < 120_000, "{}", reading.units.len());
    assert_eq!(
        reading
            .units
            .iter()
            .map(|unit| u64::from(unit.letters))
            .sum::<u64>(),
        2_000_000
    );
}

#[test]
fn a_word_of_a_million_letters_is_read_to_its_end() {
    let reading = Reader::new(&model()).read(&"я".repeat(1_000_000), 0.3);
    assert_eq!(reading.counts[0], 1_000_000);
    assert_eq!(
        reading.counts[COUNTS.iter().position(|&name| name == "words").expect("a count")],
        1
    );
}

#[test]
fn files_of_another_kind_and_damaged_ones_are_told() {
    assert_eq!(Model::parse(b"").err(), Some(ModelError::OtherKind));
    assert_eq!(
        Model::parse(b"\x2f\x16\x4f\xba\0\0\0\x0c").err(),
        Some(ModelError::OtherKind)
    );
    let whole = file();
    for cut in [MAGIC.len(), MAGIC.len() + 2, whole.len() / 2, whole.len() - 1] {
        assert_eq!(Model::parse(&whole[..cut]).err(), Some(ModelError::Damaged));
    }
    let mut wrong = whole.clone();
    let at = whole.len() / 2;
    wrong[at] ^= 1;
    assert_eq!(Model::parse(&wrong).err(), Some(ModelError::Damaged));
}

#[test]
fn no_word_has_more_features_than_an_i16_of_weights_can_hold() {
    let mut count = 0i32;
    features(&[0x430; crate::words::WORD_LETTERS], |_| count += 1);
    assert!(count * 127 <= i32::from(i16::MAX));
}

#[test]
fn a_proof_wants_russian_letters_and_a_lead() {
    let model = model();
    let proof = model.proof.as_ref().expect("the model has Russian");
    let tried = |text: &str| {
        let mut leads = Default::default();
        let words: Vec<Vec<u32>> = text
            .split(' ')
            .map(|word| word.chars().map(u32::from).collect())
            .collect();
        words.iter().all(|word| proof.add(word, &mut leads)) && proof.holds(&leads, words.len())
    };
    assert!(tried(TEXTS[0][0]));
    assert!(!tried(TEXTS[0][1]), "of another language");
    assert!(!tried("что это былі и где она сейчас"), "і");
    assert!(!tried("что это былъ и где она сейчас"), "ъ at the end");
    assert!(!tried("to"), "Latin letters");
}

#[test]
fn keys_that_do_not_ascend_are_refused() {
    let mut data = file();
    let keys = data
        .windows(2)
        .position(|pair| pair == b"\n\n")
        .expect("a header")
        + 2;
    data[keys..keys + 8].rotate_left(4);
    let end = data.len() - 8;
    let sum = checksum(&data[..end]).to_le_bytes();
    data[end..].copy_from_slice(&sum);
    assert_eq!(Model::parse(&data).err(), Some(ModelError::Damaged));
}

/// A header line replaced and the checksum put right: only what the header says can be wrong then.
fn with_header(from: &str, to: &str) -> Vec<u8> {
    let data = file();
    let end = data
        .windows(2)
        .position(|pair| pair == b"\n\n")
        .expect("a header");
    let head = String::from_utf8_lossy(&data[..end]).replacen(from, to, 1);
    let mut changed = head.into_bytes();
    changed.extend(&data[end..data.len() - 8]);
    let sum = checksum(&changed);
    changed.extend(sum.to_le_bytes());
    changed
}

#[test]
fn a_header_that_promises_too_much_is_refused() {
    for (from, to) in [
        ("section Cyrl ", "section Cyrl 9"),
        ("section Cyrl ", "section Grek "),
        ("labels ru uk", "labels ru uk be"),
        ("labels ru uk\n", ""),
        ("made in", "mode in"),
        ("section Latn ", "section Latn 4294967295"),
        (" 0.5 0 0\n", " inf 0 0\n"),
    ] {
        assert!(Model::parse(&with_header(from, to)).is_err(), "{from} -> {to}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_model_or_an_error(mut data in proptest::collection::vec(any::<u8>(), 0..400), magic in any::<bool>()) {
        if magic {
            data.splice(..0, format!("{MAGIC}\n").into_bytes());
        }
        if data.len() >= 8 {
            let sum = checksum(&data);
            data.extend(sum.to_le_bytes());
        }
        let _ = Model::parse(&data);
    }

    #[test]
    fn any_text_is_read_whole(text in "\\PC{0,200}|[а-яіїўёА-Яa-z'’1\u{301}\u{306}.!? \n]{0,400}", share in 0f32..1.0) {
        let model = model();
        let mut reader = Reader::new(&model);
        let reading = reader.read(&text, share);
        let letters: u64 = reading.units.iter().map(|unit| u64::from(unit.letters)).sum();
        prop_assert_eq!(reading.counts[0], letters);
        for pair in reading.units.windows(2) {
            prop_assert_eq!(pair[0].end, pair[1].start);
        }
        if let Some(last) = reading.units.last() {
            prop_assert_eq!((reading.units[0].start, last.end), (0, text.len()));
            let whole: f32 = reading.ranked.iter().map(|&(_, chance)| chance).sum();
            prop_assert!((whole - 1.0).abs() < 1e-3);
        }
        let again = reader.read(&text, share);
        prop_assert_eq!(again.ranked, reading.ranked);
        prop_assert_eq!(again.shares, reading.shares);
        if let Some((kept, gone)) = trim(&text, &reading.units, &[0], 1) {
            prop_assert_eq!(reader.read(&kept, share).counts[0] + gone, letters);
        }
    }
}
