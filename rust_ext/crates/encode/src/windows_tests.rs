use super::super::rules::Rules;
use super::super::tests::{pairs, slices_of, vocabulary};
use super::*;
use proptest::prelude::*;

fn in_one_go(text: &[u8], rules: &Rules) -> Vec<u32> {
    let mut tokens = Vec::new();
    merge_block(text, rules, &mut tokens);
    tokens
}

fn in_windows(text: &[u8], rules: &Rules, window: usize) -> Vec<u32> {
    let mut run = Run::new(text, rules, window, usize::MAX);
    assert!(run.all());
    run.tokens
}

/// Runs of a few letters, so that effects reach far, and what lies between them.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let run =
        (prop::collection::vec(97..100u8, 1..4), 1..60usize).prop_map(|(unit, times)| unit.repeat(times));
    prop::collection::vec(run, 1..12).prop_map(|runs| runs.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Merges in order, any of which may be far apart: windows of every size give what one go gives.
    #[test]
    fn windows_are_one_go(pairs in pairs(), text in texts(), window in 4..80usize) {
        let (tokens, merges) = vocabulary(&pairs);
        let rules = Rules::of_pairs(&slices_of(&tokens), &merges);
        let expected = in_one_go(&text, &rules);
        prop_assert_eq!(in_windows(&text, &rules, window), &expected[..]);
        prop_assert_eq!(count_holding(&text, &rules, window, 3), expected.len() as u64);
        let mut out = vec![7];
        append(&text, &rules, &mut out);
        prop_assert_eq!(&out[1..], expected);
    }

    /// The same where any two neighbours merge whose concatenation is a token, and ranks are in no order.
    #[test]
    fn windows_are_one_go_out_of_order(pairs in pairs(), order in any::<u64>(), text in texts(), window in 4..80usize) {
        let (mut tokens, _) = vocabulary(&pairs);
        let mut state = order | 1;
        for at in (257..tokens.len()).rev() {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            tokens.swap(at, 256 + (state >> 33) as usize % (at - 255));
        }
        let rules = Rules::of_concatenation(&slices_of(&tokens));
        let expected = in_one_go(&text, &rules);
        prop_assert_eq!(in_windows(&text, &rules, window), &expected[..]);
        prop_assert_eq!(count_holding(&text, &rules, window, 3), expected.len() as u64);
    }
}

/// A vocabulary whose effects reach from the end of a text to its beginning: of a run of ever later letters,
/// pairs merge from the right. Whether the run is even decides how its first letter is merged.
#[test]
fn windows_grow_where_effects_reach_far() {
    let letters: Vec<usize> = (0..200).collect();
    let from_the_right: Vec<_> = letters.windows(2).rev().map(|two| (two[0], two[1])).collect();
    let (tokens, merges) = vocabulary(&from_the_right);
    let rules = Rules::of_pairs(&slices_of(&tokens), &merges);
    for length in [199, 200] {
        let text: Vec<u8> = (0..length).map(|letter| letter as u8).collect();
        let tokens = in_windows(&text, &rules, 8);
        assert_eq!(tokens, in_one_go(&text, &rules));
        assert_eq!(tokens.len(), 100);
        assert_eq!(count_holding(&text, &rules, 8, 2), 100);
    }
}
