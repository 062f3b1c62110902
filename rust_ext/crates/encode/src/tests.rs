#![allow(clippy::unwrap_used)] // a test may panic

use super::merge::SHORT;
use super::*;
use proptest::prelude::*;

/// The 256 bytes, then a token for each pair of earlier ones.
pub fn vocabulary(pairs: &[(usize, usize)]) -> (Vec<Vec<u8>>, Vec<(u32, u32)>) {
    let mut tokens: Vec<Vec<u8>> = (0..=255u8).map(|byte| vec![byte]).collect();
    let mut merges = Vec::new();
    for &(left, right) in pairs {
        let token = [&tokens[left % tokens.len()][..], &tokens[right % tokens.len()]].concat();
        if tokens.contains(&token) {
            continue;
        }
        merges.push(((left % tokens.len()) as u32, (right % tokens.len()) as u32));
        tokens.push(token);
    }
    (tokens, merges)
}

pub fn slices_of(tokens: &[Vec<u8>]) -> Vec<&[u8]> {
    tokens.iter().map(Vec::as_slice).collect()
}

/// The definition, read aloud: while some neighbours make a token, merge those of the lowest rank, leftmost
/// first.
fn by_definition(piece: &[u8], tokens: &[Vec<u8>]) -> Vec<u32> {
    let rank = |bytes: &[u8]| tokens.iter().position(|token| token == bytes);
    if let Some(whole) = rank(piece) {
        return vec![whole as u32];
    }
    let mut parts: Vec<Vec<u8>> = piece.iter().map(|&byte| vec![byte]).collect();
    loop {
        let candidates = parts
            .windows(2)
            .enumerate()
            .filter_map(|(at, two)| Some((rank(&two.concat())?, at)));
        let Some((_, at)) = candidates.min() else { break };
        let next = parts.remove(at + 1);
        parts[at].extend(next);
    }
    parts.iter().map(|part| rank(part).unwrap() as u32).collect()
}

/// Pairs among a few letters and their combinations, so that merges overlap.
pub fn pairs() -> impl Strategy<Value = Vec<(usize, usize)>> {
    let part = prop_oneof![97..100usize, 256..290usize];
    prop::collection::vec((part.clone(), part), 0..40)
}

/// The same among the bytes of four letters and a space.
fn letter_pairs() -> impl Strategy<Value = Vec<(usize, usize)>> {
    let byte = prop::sample::select(vec![0xd0, 0xd1, 0xb0, 0xb1, 32]);
    let part = prop_oneof![2 => byte, 3 => 256..290usize];
    prop::collection::vec((part.clone(), part), 0..60)
}

/// Letters, 1 to 70 of them, often behind a space.
fn word() -> impl Strategy<Value = Vec<u8>> {
    let letter = prop::sample::select(vec![[0xd0, 0xb0], [0xd0, 0xb1], [0xd1, 0xb0], [0xd1, 0xb1]]);
    let letters = prop_oneof![4 => prop::collection::vec(letter.clone(), 1..16), 1 => prop::collection::vec(letter, 1..70)];
    (any::<bool>(), letters).prop_map(|(space, letters)| {
        let mut word = letters.concat();
        if space {
            word.insert(0, b' ');
        }
        word
    })
}

fn alphabet(text: Vec<u8>) -> String {
    text.into_iter().map(|byte| (b'a' + byte % 3) as char).collect()
}

proptest! {
    /// Tokens in any order, many of them out of reach: as tiktoken's definition says.
    #[test]
    fn by_concatenation_is_the_definition(pairs in pairs(), order in any::<u64>(), text in prop::collection::vec(any::<u8>(), 1..200)) {
        let (mut tokens, _) = vocabulary(&pairs);
        let tail = &mut tokens[256..];
        let count = tail.len().max(1);
        tail.rotate_left(order as usize % count);
        let model = Model::by_concatenation(&slices_of(&tokens), 0).unwrap();
        let text = alphabet(text);
        let mut ids = Vec::new();
        model.merge(text.as_bytes(), &mut ids);
        prop_assert_eq!(ids, by_definition(text.as_bytes(), &tokens));
    }

    /// The small array and the heap merge alike.
    #[test]
    fn short_and_long_merge_alike(pairs in pairs(), text in prop::collection::vec(any::<u8>(), 1..SHORT)) {
        let (tokens, merges) = vocabulary(&pairs);
        let rules = rules::Rules::of_pairs(&slices_of(&tokens), &merges);
        let text = alphabet(text);
        let (mut short, mut long) = (Vec::new(), Vec::new());
        windows::merge(text.as_bytes(), &rules, &mut short);
        merge::merge_block(text.as_bytes(), &rules, &mut long);
        prop_assert_eq!(short, long);
    }

    /// The small arrays, several side by side, and the one that takes a pretoken alone merge alike.
    #[test]
    fn side_by_side_is_one_by_one(pairs in pairs(), texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..70), 1..30), cyrillic in any::<bool>()) {
        let letter = |byte: u8| if cyrillic { [0xd0, 0xb0, 0xb1][byte as usize % 3] } else { b'a' + byte % 3 };
        let part = |part: usize| if part < 256 { letter(part as u8) as usize } else { part };
        let pairs: Vec<_> = pairs.iter().map(|&(left, right)| (part(left), part(right))).collect();
        let (tokens, merges) = vocabulary(&pairs);
        let model = Model::ordered(&slices_of(&tokens), &merges, 9).unwrap();
        let mut text = Vec::new();
        let mut jobs = Vec::new();
        for one in texts {
            let start = text.len();
            text.extend(one.into_iter().map(letter));
            jobs.push(together::Job::new(start, text.len()));
        }
        let mut all = Vec::new();
        model.merge_all(&text, &mut jobs, &mut all);
        prop_assert_eq!(all.len(), jobs.iter().map(|job| job.count).sum::<usize>());
        for job in jobs {
            let mut ids = Vec::new();
            model.merge(&text[job.start..job.end], &mut ids);
            prop_assert_eq!(&all[job.ids()], ids);
        }
    }

    /// Words of letters, begun with whole letters where that is sure, merge as their bytes do: tokens that end within
    /// a letter or begin there, in merge order or not.
    #[test]
    fn letters_first_is_bytes_first(pairs in letter_pairs(), order in prop::option::of(any::<u64>()), words in prop::collection::vec(word(), 1..30)) {
        let (mut tokens, merges) = vocabulary(&pairs);
        let model = match order {
            None => Model::ordered(&slices_of(&tokens), &merges, 0).unwrap(),
            Some(order) => {
                let count = tokens.len() - 256;
                tokens[256..].rotate_left(order as usize % count.max(1));
                Model::by_concatenation(&slices_of(&tokens), 0).unwrap()
            }
        };
        let mut jobs = Vec::new();
        let mut text = Vec::new();
        for word in &words {
            let start = text.len();
            text.extend_from_slice(word);
            jobs.push(together::Job::new(start, text.len()));
        }
        let mut all = Vec::new();
        model.merge_all(&text, &mut jobs, &mut all);
        for (word, job) in words.iter().zip(jobs) {
            let mut ids = Vec::new();
            model.merge(word, &mut ids);
            prop_assert_eq!(&all[job.ids()], ids);
        }
    }

    /// Any text comes back, whatever the cache and the threads; counting counts.
    #[test]
    fn batches_are_the_texts_one_by_one(
        texts in prop::collection::vec("\\PC{0,40}", 0..12),
        threads in 1..4usize,
        before in prop::option::of(0..300u32),
        after in prop::option::of(0..300u32),
    ) {
        let (tokens, merges) = vocabulary(&[(0xd0, 0xb0), (32, 256), (97, 98)]);
        let model = Model::ordered(&slices_of(&tokens), &merges, 5).unwrap();
        let encoder = Encoder::new(model, "llama3", Options { cache_bytes: 512, seed: Some(1), nfc: false }).unwrap();
        let wide: Vec<Vec<u8>> = texts.iter().map(|text| text.encode_utf16().flat_map(u16::to_ne_bytes).collect()).collect();
        let either = |at: usize| if at.is_multiple_of(2) { Text::Utf8(&texts[at]) } else { Text::Utf16(&wide[at]) };
        let views: Vec<Text<'_>> = (0..texts.len()).map(either).collect();
        let Batch { ids, offsets } = encoder
            .encode_batch(&views, Around { before, after }, threads)
            .unwrap();
        prop_assert_eq!(offsets.len(), texts.len() + 1);
        let counts = encoder.count_batch(&views, threads).unwrap();
        for (index, text) in texts.iter().enumerate() {
            let all = &ids[offsets[index] as usize..offsets[index + 1] as usize];
            prop_assert_eq!(all.first(), before.as_ref().or(all.first()));
            prop_assert_eq!(all.last(), after.as_ref().or(all.last()));
            let part = &all[usize::from(before.is_some())..all.len() - usize::from(after.is_some())];
            prop_assert_eq!(part, encoder.encode(text.as_str()).unwrap());
            prop_assert_eq!(counts[index] as usize, part.len());
            prop_assert_eq!(encoder.decode(part).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn shares_follow_one_another(lengths in prop::collection::vec(0..50usize, 0..20), count in 1..6usize) {
        let texts: Vec<String> = lengths.iter().map(|&length| "x".repeat(length)).collect();
        let texts: Vec<Text<'_>> = texts.iter().map(|text| text.as_str().into()).collect();
        let cut = shares(&texts, Text::size, count);
        prop_assert!(cut.len() <= count);
        let all: Vec<usize> = cut.into_iter().flatten().collect();
        prop_assert_eq!(all, (0..texts.len()).collect::<Vec<_>>());
    }
}

#[test]
fn a_vocabulary_out_of_order_keeps_its_unreachable_tokens_for_whole_pretokens() {
    let mut tokens: Vec<Vec<u8>> = (0..=255u8).map(|byte| vec![byte]).collect();
    tokens.extend([b"ab".to_vec(), b"bc".to_vec(), b"xabc".to_vec()]);
    let merges = derive_merges(&slices_of(&tokens)).unwrap();
    assert_eq!(merges, [(97, 98), (98, 99), NO_MERGE]);
    let model = Model::by_concatenation(&slices_of(&tokens), 0).unwrap();
    let mut ids = Vec::new();
    model.merge(b"xabc", &mut ids);
    assert_eq!(ids, [258]);
    model.merge(b"xabcd", &mut ids);
    assert_eq!(ids, [120, 256, 99, 100]);
}

/// Sixteen words of a megabyte each; by the definition, or by one search a merge, they would take hours.
#[test]
fn words_of_a_megabyte_are_merged_and_counted() {
    let (tokens, merges) = vocabulary(&[(97, 97), (256, 256), (257, 97), (98, 97)]);
    let model = Model::ordered(&slices_of(&tokens), &merges, 5).unwrap();
    let encoder = Encoder::new(model, "llama3", Options::default()).unwrap();
    let word = "a".repeat(1 << 20);
    let text = vec![word; 16].join(" ");
    let ids = encoder.encode(text.as_str()).unwrap();
    let expected =
        (0..16u32).flat_map(|word| [&[5 + 32][usize::from(word == 0)..], &[5 + 257; 1 << 18]].concat());
    assert!(ids.iter().copied().eq(expected));
    assert_eq!(encoder.count(text.as_str()).unwrap(), ids.len() as u64);
}

#[test]
fn what_is_no_vocabulary_is_refused() {
    let (tokens, merges) = vocabulary(&[(97, 98)]);
    let tokens = slices_of(&tokens);
    assert!(Model::ordered(&tokens[..255], &[], 0).is_err());
    assert!(Model::ordered(&tokens, &[], 0).is_err());
    assert!(Model::ordered(&tokens, &[(97, 99)], 0).is_err());
    assert!(Model::ordered(&tokens, &[(256, 98)], 0).is_err());
    assert!(Model::ordered(&tokens, &merges, 1 << 24).is_err());
    assert!(Model::by_concatenation(&[&[][..]; 300], 0).is_err());
}

#[test]
fn offsets_that_cut_a_character_or_fall_are_refused() {
    let data = "я да".as_bytes();
    let cut = slices(data, &[0, 2, 2, 7]).unwrap();
    assert!(matches!(
        cut[..],
        [Text::Utf8("я"), Text::Utf8(""), Text::Utf8(" да")]
    ));
    assert!(slices(data, &[]).unwrap().is_empty());
    for wrong in [&[0, 1, 7][..], &[0, 8], &[3, 2, 7], &[-1, 2], &[2, 0, 7]] {
        assert!(slices(data, wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn an_unknown_id_does_not_decode() {
    let (tokens, merges) = vocabulary(&[]);
    let model = Model::ordered(&slices_of(&tokens), &merges, 3).unwrap();
    let encoder = Encoder::new(model, "llama3", Options::default()).unwrap();
    assert_eq!(encoder.decode(&[3, 258]).unwrap(), [0, 255]);
    assert_eq!(encoder.decode(&[2]), Err(EncodeError::UnknownId(2)));
    assert_eq!(encoder.decode(&[259]), Err(EncodeError::UnknownId(259)));
}
