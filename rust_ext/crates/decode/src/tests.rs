use encoding_rs::{GB18030, WINDOWS_1252, WINDOWS_1253};
use proptest::prelude::*;

use super::*;

const RUSSIAN: &str = "Однажды весною, в час небывало жаркого заката, в Москве, на Патриарших прудах, появились два \
гражданина. Первый из них, одетый в летнюю серенькую пару, был маленького роста, упитан, лыс.";
const UKRAINIAN: &str = "Усі люди народжуються вільними і рівними у своїй гідності та правах. Вони наділені розумом \
і совістю і повинні діяти у відношенні один до одного в дусі братерства.";

fn page(text: &str, head: &str) -> String {
    format!("<html><head>{head}</head><body class=\"main\"><p>{text}</p></body></html>")
}

#[test]
fn every_cyrillic_charset_is_found_without_a_declaration_and_despite_a_wrong_one() {
    for wrong in [
        "",
        "<meta charset=utf-8>",
        "<meta charset=koi8-r>",
        "<meta charset=windows-1252>",
    ] {
        for text in [RUSSIAN, UKRAINIAN] {
            let text = page(text, wrong);
            for encoding in CYRILLIC {
                let (bytes, _, lossy) = encoding.encode(&text);
                if !lossy {
                    let decoded = decode(&bytes, Some("iso-8859-1"));
                    assert_eq!(decoded.text, text, "{} {wrong}", encoding.name());
                    assert_eq!(decoded.replaced, 0);
                }
            }
        }
    }
}

#[test]
fn utf16_and_utf32_are_found_with_and_without_a_mark() {
    for mark in ["", "\u{feff}"] {
        let text = format!("{mark}{}", page(RUSSIAN, "<meta charset=windows-1251>"));
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let quad: Vec<u8> = text
            .chars()
            .flat_map(|char| (char as u32).to_be_bytes())
            .collect();
        let quad_little: Vec<u8> = text
            .chars()
            .flat_map(|char| (char as u32).to_le_bytes())
            .collect();
        for (bytes, name) in [
            (little, "utf-16le"),
            (big, "utf-16be"),
            (quad, "utf-32be"),
            (quad_little, "utf-32le"),
        ] {
            let decoded = decode(&bytes, None);
            assert_eq!(decoded.text, text.trim_start_matches('\u{feff}'));
            assert_eq!(decoded.charset, name);
        }
    }
}

#[test]
fn broken_bytes_in_a_utf8_page_are_replaced_and_counted() {
    let text = page(RUSSIAN, "");
    let mut bytes = text.clone().into_bytes();
    bytes.insert(60, 0xFF);
    bytes.extend_from_slice(b"\xD0<br>\xEF\xBF\xBD");
    let decoded = decode(&bytes, Some("windows-1251"));
    assert_eq!((decoded.charset.as_str(), decoded.replaced), ("utf-8", 2));
    assert_eq!(decoded.text.replace('\u{fffd}', ""), format!("{text}<br>"));
}

#[test]
fn a_page_that_is_not_cyrillic_is_read_as_declared() {
    let cases = [
        (
            WINDOWS_1252,
            "Où est l'été ? Voilà la forêt où Françoise a trouvé ses élèves, à côté de l'hôtel.",
        ),
        (
            WINDOWS_1253,
            "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
        ),
        (
            GB18030,
            "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
        ),
    ];
    for (encoding, text) in cases {
        let text = page(text, "");
        let (bytes, _, _) = encoding.encode(&text);
        let decoded = decode(&bytes, Some(encoding.name()));
        assert_eq!(decoded.text, text);
        assert_eq!(
            decoded.declared.as_deref(),
            Some(encoding.name().to_ascii_lowercase().as_str())
        );
        // And undeclared, by chardetng.
        assert_eq!(decode(&bytes, None).text, text, "{}", encoding.name());
    }
}

#[test]
fn capitals_in_cp866_are_not_taken_for_mac_cyrillic() {
    for text in [
        "ВСЁ ЕЩЁ МОЁ. ВСЁ ТВОЁ, И НЕЁ ВСЁ, ЧЬЁ ЖЕ ЭТО БЕЛЬЁ? ",
        "ПРИКАЗ О ПРИЁМЕ НА РАБОТУ. ",
    ] {
        for encoding in [encoding_rs::IBM866, encoding_rs::X_MAC_CYRILLIC] {
            let text = text.repeat(9);
            let (bytes, _, lossy) = encoding.encode(&text);
            assert!(!lossy);
            assert_eq!(decode(&bytes, None).text, text, "{}", encoding.name());
        }
    }
}

#[test]
fn an_unknown_label_is_reported_and_ignored() {
    let decoded = decode("Привет".as_bytes(), Some("\"KLINGON\""));
    assert_eq!(
        (decoded.declared.as_deref(), decoded.charset.as_str()),
        (Some("klingon"), "utf-8")
    );
}

#[test]
fn an_empty_body_is_an_empty_text() {
    assert_eq!(decode(b"", None).text, "");
    assert_eq!(decode(b"\xEF\xBB\xBF", None).declared.as_deref(), Some("utf-8"));
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let heavy = prop_oneof![
        any::<u8>(),
        0xC0u8..=0xFF,
        Just(b'<'),
        Just(0),
        Just(4),
        0x20u8..0x7F
    ];
    prop_oneof![
        prop::collection::vec(heavy, 0..200),
        "(<meta charset=|<\\?xml encoding=|<!--|-->|[а-яА-Я ]{0,9}|windows-1251>|\\PC){0,12}"
            .prop_map(String::into_bytes),
    ]
}

fn holds_what_it_promises(body: &[u8], charset: Option<&str>) {
    let decoded = decode(body, charset);
    assert!(decoded.text.len() <= body.len() * 3 + 3);
    assert!(decoded.text.matches('\u{fffd}').count() as u64 >= decoded.replaced);
    assert!(!decoded.charset.is_empty());
}

proptest! {
    #[test]
    fn any_bytes_decode(body in bytes(), charset in prop::option::of("[a-z0-9-]{0,12}")) {
        holds_what_it_promises(&body, charset.as_deref());
    }

    #[test]
    fn utf8_decodes_to_itself(text in "\\PC*") {
        prop_assume!(!text.contains('\0') && !text.starts_with('\u{feff}'));
        let decoded = decode(text.as_bytes(), None);
        prop_assert_eq!(decoded.text, text.as_str());
    }
}

/// `cargo test --release -- --ignored a_million`: four minutes.
#[test]
#[ignore = "takes minutes"]
fn a_million_bodies_decode() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 1_000_000,
        ..Default::default()
    });
    let outcome = runner.run(
        &(bytes(), prop::option::of("[a-z0-9-]{0,12}")),
        |(body, charset)| {
            holds_what_it_promises(&body, charset.as_deref());
            Ok(())
        },
    );
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// A comment of bytes of nothing, without signs that end it.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(1u8..=255, 0..120).prop_map(|mut bytes| {
        bytes.retain(|byte| !b"<>-".contains(byte));
        bytes
    })
}

proptest! {
    #[test]
    fn bytes_of_nothing_in_a_comment_change_no_letter_of_a_declared_charset(noise in noise(), start in 0usize..80) {
        let text: String = RUSSIAN.chars().skip(start).take(70).collect();
        for encoding in [encoding_rs::WINDOWS_1251, encoding_rs::KOI8_R, encoding_rs::IBM866, encoding_rs::ISO_8859_5] {
            let head = format!("<meta charset={}>", encoding.name());
            let (bytes, _, _) = encoding.encode(&text);
            let mut page = format!("<html><head>{head}</head><body><!--").into_bytes();
            page.extend_from_slice(&noise);
            page.extend_from_slice(b"--><p>");
            page.extend_from_slice(&bytes);
            page.extend_from_slice(b"</p></body></html>");
            let decoded = decode(&page, None);
            prop_assert!(decoded.text.contains(&text), "{} {}", encoding.name(), decoded.charset);
        }
    }

    #[test]
    fn united_ranges_cover_what_either_covers(
        one in proptest::collection::vec((0usize..90, 0usize..9), 0..9),
        other in proptest::collection::vec((0usize..90, 0usize..9), 0..9),
    ) {
        let list = |mut pairs: Vec<(usize, usize)>| -> Vec<Range<usize>> {
            pairs.sort_unstable();
            pairs.into_iter().map(|(start, length)| start..start + length).collect()
        };
        let (one, other) = (list(one), list(other));
        let found = markup::united(&one, &other);
        let covers = |ranges: &[Range<usize>], at: usize| ranges.iter().any(|range| range.contains(&at));
        for at in 0..100 {
            prop_assert_eq!(covers(&found, at), covers(&one, at) || covers(&other, at));
        }
        prop_assert!(found.windows(2).all(|pair| pair[0].end < pair[1].start));
    }

    #[test]
    fn markup_of_anything_is_ascending_and_inside(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let found = markup::ranges(&bytes);
        prop_assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
        prop_assert!(found.iter().all(|range| range.start < range.end && range.end <= bytes.len()));
    }
}

#[test]
fn markup_is_comments_tags_scripts_and_styles() {
    let page = b"a<b>c</b><!-- d > e -->f<script>g < h</script>i 1 < 2<style>j</STYLE>k<!--l";
    let mut text = Vec::new();
    let mut at = 0;
    for range in markup::ranges(page) {
        text.extend_from_slice(&page[at..range.start]);
        at = range.end;
    }
    text.extend_from_slice(&page[at..]);
    assert_eq!(text, b"acfi 1 < 2k");
}
