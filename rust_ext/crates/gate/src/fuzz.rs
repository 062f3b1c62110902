//! Mangled pages by the thousand, and by the million where asked for: no panic, and counts that the bytes bear out.
//! That the verdicts are right is for `tests/properties/test_gate.py`, beside the oracle.

use proptest::prelude::*;

use super::judge;

const RUSSIAN: &str =
    "Мы все учились понемногу чему-нибудь и как-нибудь, так воспитаньем, слава Богу, у нас ";

fn pages() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        RUSSIAN,
        "&#1088;&#x44f;&#X0000044f&#99999999999;&#;&#x",
        "<script>",
        "<script type='application/LD+json'>",
        "<script id=__NEXT_DATA__>",
        "{\"text\": \"\\u0440\\u04zz\\u048a\"}",
        "</SCRIPT>",
        "<style",
        "</style>",
        "<!--",
        "-->",
        "--!>",
        "&rcy;&HARDcy;&acy",
        "<",
        "<!",
        "<html lang=ru><meta charset='koi8-r'>",
        "\u{feff}",
        "\0\u{4}\0",
        "中文字 Ελληνικά żółć ",
        "plain English words, and more of them &amp; so on ",
    ]);
    let text = proptest::collection::vec((piece, 1usize..40), 0..8);
    let charset = 0usize..9;
    let noise = proptest::collection::vec(any::<u8>(), 0..40);
    let change = (any::<prop::sample::Index>(), 0usize..300, noise);
    (text, charset, proptest::collection::vec(change, 0..4)).prop_map(|(text, charset, changes)| {
        let text: String = text.iter().map(|(piece, times)| piece.repeat(*times)).collect();
        let mut page = encode(&text, charset);
        for (at, length, bytes) in changes {
            let start = at.index(page.len().max(1)).min(page.len());
            let end = (start + length).min(page.len());
            page.splice(start..end, bytes);
        }
        page
    })
}

fn encode(text: &str, charset: usize) -> Vec<u8> {
    let units = || text.encode_utf16();
    match charset {
        0..5 => super::charsets::SINGLE_BYTE[charset]
            .1
            .encode(text)
            .0
            .into_owned(),
        5 => units().flat_map(u16::to_le_bytes).collect(),
        6 => units().flat_map(u16::to_be_bytes).collect(),
        7 => text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
        _ => text.as_bytes().to_vec(),
    }
}

fn judge_mangled(cases: u32) {
    let config = ProptestConfig {
        cases,
        ..ProptestConfig::default()
    };
    proptest!(config, |(page in pages(), label in prop::sample::select(vec![None, Some("koi8-r"), Some("x\u{44f}")]))| {
        let verdict = judge(&page, label);
        // A letter takes a byte at least.
        prop_assert!(verdict.cyrillic as usize + verdict.latin as usize <= page.len());
        prop_assert!(!verdict.keep || verdict.cyrillic >= super::verdict::FEW);
        prop_assert!(verdict.pair_cost <= 511);
    });
}

#[test]
fn mangled_pages_are_judged() {
    judge_mangled(10_000);
}

#[test]
#[ignore = "takes minutes: a million mangled pages"]
fn a_million_mangled_pages_are_judged() {
    judge_mangled(1_000_000);
}
