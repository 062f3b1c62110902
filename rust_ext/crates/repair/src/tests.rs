use proptest::prelude::*;

use super::readers::{READERS, Reader, upper_half};
use super::*;

const RUSSIAN: &str = "Однажды весною, в час небывало жаркого заката, в Москве, на Патриарших прудах, появились два \
гражданина. Первый из них, одетый в летнюю серенькую пару, был маленького роста, упитан, лыс.\nИ Эхо.\nДа!";

/// Text as a reader shows its bytes.
fn misread(bytes: &[u8], reader: Reader) -> String {
    let upper = match reader {
        Reader::Latin => ('\u{80}'..='\u{ff}').collect(),
        Reader::Cp1251 => upper_half(encoding_rs::WINDOWS_1251),
        Reader::Koi8 => upper_half(encoding_rs::KOI8_R),
        Reader::Cp866 => upper_half(encoding_rs::IBM866),
        Reader::Mac => upper_half(encoding_rs::X_MAC_CYRILLIC),
    };
    let show = |&byte: &u8| {
        if byte < 0x80 {
            char::from(byte)
        } else {
            upper[usize::from(byte - 0x80)]
        }
    };
    bytes.iter().map(show).collect()
}

#[test]
fn up_to_three_layers_of_utf8_are_undone_by_every_reader() {
    for first in READERS {
        for second in READERS {
            let once = misread(RUSSIAN.as_bytes(), first);
            let twice = misread(once.as_bytes(), second);
            let thrice = misread(twice.as_bytes(), Reader::Latin);
            for (layers, damaged) in [&once, &twice, &thrice].into_iter().enumerate() {
                assert_eq!(
                    repair(damaged, &Options::ALL).0,
                    RUSSIAN,
                    "{first:?} {second:?} {layers}"
                );
            }
        }
    }
}

#[test]
fn a_mix_up_of_cyrillic_charsets_is_undone_also_twice_over() {
    let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(RUSSIAN);
    let once = misread(&bytes, Reader::Koi8);
    assert_eq!(repair(&once, &Options::ALL).0, RUSSIAN);
    let (bytes, _, lossy) = encoding_rs::WINDOWS_1251.encode(&once);
    assert!(!lossy);
    assert_eq!(repair(&misread(&bytes, Reader::Koi8), &Options::ALL).0, RUSSIAN);
}

fn texts() -> impl Strategy<Value = String> {
    let pieces = "([а-яА-Я]{0,9}|[A-Za-z ]{0,5}|[ÐÑРСпя╨╤][\u{80}-\u{bf}°±Ѓ‚─│┌А-п]|&(amp;)?(nbsp|lt|#[0-9]{1,9});|\
                  [\u{0}-\u{20}\u{ad}\u{200b}-\u{200f}\u{300}-\u{308}\u{fffd}]|[À-ÿ]{0,6}|\\PC|\n){0,30}";
    prop_oneof![
        pieces.prop_map(|text| text),
        (prop::collection::vec(any::<u8>(), 0..120), 0usize..4)
            .prop_map(|(bytes, reader)| misread(&bytes, READERS[reader])),
    ]
}

fn holds_what_it_promises(text: &str, wanted: u8) {
    let (repaired, counts) = repair(text, &Options(wanted));
    assert!(counts.0.iter().all(|&count| count >= 0));
    let changed = counts.0.iter().any(|&count| count > 0);
    assert!(
        changed || repaired == text,
        "changed and not counted: {text:?} -> {repaired:?}"
    );
    for (kind, &count) in counts.0.iter().enumerate() {
        assert!(
            count == 0 || wanted >> kind & 1 == 1,
            "kind {kind} was not wanted"
        );
    }
    // Composing may lengthen text threefold at most (UAX 15); nothing else lengthens it.
    assert!(repaired.len() <= text.len() * 3 + 3);
}

proptest! {
    #[test]
    fn any_text_is_repaired(text in texts(), wanted in any::<u8>()) {
        holds_what_it_promises(&text, wanted);
    }

    #[test]
    fn plain_text_comes_back_as_it_is(text in texts()) {
        if is_plain(text.as_bytes()) {
            let mut counts = Counts::default();
            prop_assert!(mojibake::undo(&text).is_none());
            prop_assert!(entities::repair(&text).is_none());
            let about = About::of(&text);
            prop_assert!(marks::repair(&text, &about, &Options::ALL, &mut counts).is_none());
            prop_assert!(homoglyphs::repair(&text, &about, &mut counts).is_none());
        }
    }
}

/// `cargo test --release -- --ignored a_million`.
#[test]
#[ignore = "takes minutes"]
fn a_million_texts_are_repaired() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 1_000_000,
        ..Default::default()
    });
    let outcome = runner.run(&(texts(), any::<u8>()), |(text, wanted)| {
        holds_what_it_promises(&text, wanted);
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}
