//! Unicode's normal form C, which Qwen's vocabularies want text in.
//!
//! Nearly all text is in it, and that of nearly all of it shows in its bytes: no character below U+0300, no
//! Cyrillic letter and no dash or quotation mark takes part in any composition. Other text is asked character by
//! character, and only what is not in the form is made anew.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Bytes that are looked at together.
const BLOCK: usize = 32;

/// The text in normal form C: `text` itself if it is in it, else what is written to `room`.
pub fn normalized<'a>(text: &'a str, room: &'a mut String) -> &'a str {
    if is_plain(text.as_bytes()) || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text;
    }
    room.clear();
    room.extend(text.nfc());
    room
}

/// True only for text in the form, whatever stands before and after it.
fn is_plain(text: &[u8]) -> bool {
    let blocks = text.chunks(BLOCK).enumerate();
    blocks.filter(|(_, block)| has_odd(block)).all(|(number, block)| {
        let odd = (0..block.len()).filter(|&at| is_odd(block[at]));
        odd.map(|at| number * BLOCK + at)
            .all(|at| plain_character(&text[at..]))
    })
}

/// True for the lead bytes of characters from U+0300 on, without those of U+0400..U+047F, which are letters all.
fn is_odd(byte: u8) -> bool {
    byte >= 0xcc && byte & 0xfe != 0xd0
}

/// Whether any is odd, without a branch a byte.
fn has_odd(block: &[u8]) -> bool {
    block.iter().fold(0, |odd, &byte| odd | u8::from(is_odd(byte))) != 0
}

/// True for characters that neither change nor combine with any other: U+048A..U+04FF, U+2002..U+203F (dashes,
/// quotation marks, bullets), №, Chinese characters U+4000..U+9FFF, U+1F000..U+1FFFF (emoji).
fn plain_character(text: &[u8]) -> bool {
    matches!(
        text,
        [0xd2, 0x8a..=0xbf, ..]
            | [0xd3, ..]
            | [0xe2, 0x80, 0x82..=0xbf, ..]
            | [0xe2, 0x84, 0x96, ..]
            | [0xe4..=0xe9, ..]
            | [0xf0, 0x9f, ..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_normalization::char::canonical_combining_class;

    fn is_character_plain(character: char) -> bool {
        is_plain(character.encode_utf8(&mut [0; 4]).as_bytes())
    }

    #[test]
    fn plain_characters_never_change() {
        let plain = (0..=char::MAX as u32)
            .filter_map(char::from_u32)
            .filter(|&one| is_character_plain(one));
        let mut count = 0;
        for character in plain {
            let quick = is_nfc_quick(std::iter::once(character));
            assert!(quick == IsNormalized::Yes, "{character:?}");
            assert_eq!(canonical_combining_class(character), 0, "{character:?}");
            count += 1;
        }
        assert!(count > 0x300 + 0x80 + 0x5000, "{count}");
    }

    fn character() -> impl Strategy<Value = char> {
        prop_oneof![
            prop::char::range('\u{400}', '\u{52f}'),
            prop::char::range('\u{2000}', '\u{2130}'),
            prop::char::range('a', 'z'),
            prop::char::range('\u{300}', '\u{330}'),
            prop::char::range('\u{1100}', '\u{11ff}'),
            prop::char::range('\u{ac00}', '\u{ac80}'),
            Just('\u{4e00}'),
            any::<char>(),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn as_the_library_normalizes_it(texts in prop::collection::vec(prop::collection::vec(character(), 0..90), 1..4)) {
            let mut room = String::new();
            for text in texts {
                let text: String = text.into_iter().collect();
                let expected: String = text.nfc().collect();
                prop_assert_eq!(normalized(&text, &mut room), expected);
            }
        }
    }
}
