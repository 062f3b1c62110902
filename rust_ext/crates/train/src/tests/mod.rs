#![allow(clippy::unwrap_used)] // a test may panic

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::allow::Everything;
use super::boundaries::Boundaries;
use super::constraints::Constraints;
use super::count::Counter;
use super::learn::{Model, learn};
use super::learner::Learner;
use super::parameters::{Parameters, Source, alphabet};
use super::progress::Progress;
use super::queue::{Candidate, Queue};
use super::score::{Penalty, Scorer, Types, power};
use super::table::CountTable;
use super::words::{Symbol, Words, pairs_by_one};
use super::*;

/// A word type: how often it occurs, its tokens, and whether a morpheme begins at each.
type Word = (i64, Vec<(u32, bool)>);

fn pairs_of(words: &[Word]) -> BTreeMap<(u32, u32), (i64, Types)> {
    let mut pairs = BTreeMap::<_, (i64, Types)>::new();
    for (count, symbols) in words {
        for (at, two) in symbols.windows(2).enumerate() {
            let pair = pairs.entry((two[0].0, two[1].0)).or_default();
            pair.0 += count;
            let ends = symbols.get(at + 2).is_none_or(|next| next.1);
            pair.1.see(two[1].1, two[0].1 && ends);
        }
    }
    pairs
}

fn join(word: &mut Vec<(u32, bool)>, pair: (u32, u32), new: u32) {
    let mut at = 0;
    while at + 1 < word.len() {
        if (word[at].0, word[at + 1].0) == pair {
            word[at].0 = new;
            word.remove(at + 1);
        }
        at += 1;
    }
}

/// Learning as it is defined: every pair counted anew for each merge. Ties: the smaller pair. With the penalty
/// until `release_merge` merges are done or nothing can be merged under it.
fn by_definition(
    mut words: Vec<Word>,
    merges: usize,
    floor: i64,
    mut penalty: Option<Penalty>,
) -> Vec<(u32, u32)> {
    let scorer = penalty.map(Scorer::new);
    let mut out = Vec::new();
    while out.len() < merges {
        penalty = penalty.filter(|penalty| out.len() < penalty.release_merge);
        let score = |count: i64, types: Types| match &scorer {
            Some(scorer) if penalty.is_some() => scorer.score(count, types),
            _ => count,
        };
        let best = pairs_of(&words)
            .into_iter()
            .filter(|(_, (count, _))| *count >= floor)
            .map(|(pair, (count, types))| (score(count, types), std::cmp::Reverse(pair)))
            .filter(|&(score, _)| score > 0)
            .max();
        let Some((_, std::cmp::Reverse(pair))) = best else {
            // A release that comes early is one that has come.
            if std::mem::take(&mut penalty).is_some() {
                continue;
            }
            break;
        };
        let new = 256 + out.len() as u32;
        words.iter_mut().for_each(|(_, word)| join(word, pair, new));
        out.push(pair);
    }
    out
}

fn fast<S: Symbol>(
    words: &[Word],
    merges: usize,
    floor: i64,
    penalty: Option<Penalty>,
    first: i64,
) -> Vec<(u32, u32)> {
    let mut out = Vec::new();
    learn_on(
        &mut start::<S>(words, floor, penalty, first),
        merges,
        penalty,
        &mut out,
    );
    out
}

/// The same, the symbols widened after `narrow` merges.
fn widened(
    words: &[Word],
    merges: usize,
    floor: i64,
    penalty: Option<Penalty>,
    first: i64,
    narrow: usize,
) -> Vec<(u32, u32)> {
    let mut out = Vec::new();
    let mut learner = start::<u16>(words, floor, penalty, first);
    learn_on(&mut learner, narrow, penalty, &mut out);
    let mut report = |_| true;
    let wide = learner.widen::<u32>(2 * first, &Everything, &mut Progress::new(&mut report));
    learn_on(&mut wide.unwrap(), merges, penalty, &mut out);
    out
}

fn start<S: Symbol>(words: &[Word], floor: i64, penalty: Option<Penalty>, first: i64) -> Learner<S> {
    start_parts(words, 1, floor, penalty, first)
}

/// The words dealt out to parts in turn.
fn start_parts<S: Symbol>(
    words: &[Word],
    parts: usize,
    floor: i64,
    penalty: Option<Penalty>,
    first: i64,
) -> Learner<S> {
    let mut held: Vec<_> = (0..parts).map(|_| Words::<S>::with_capacity(0, 0)).collect();
    for (number, (count, word)) in words.iter().enumerate() {
        held[number % parts].push(*count, word.iter().map(|&(id, start)| S::new(id, start)));
    }
    let mut report = |_| true;
    let mut learner = Learner::new(held, 256, floor, first, penalty.map(Scorer::new));
    learner
        .start(&Everything, &mut Progress::new(&mut report))
        .unwrap();
    learner
}

fn learn_on<S: Symbol>(
    learner: &mut Learner<S>,
    merges: usize,
    penalty: Option<Penalty>,
    out: &mut Vec<(u32, u32)>,
) {
    let mut report = |_| true;
    let mut progress = Progress::new(&mut report);
    while out.len() < merges {
        if learner.penalised() && penalty.is_some_and(|penalty| out.len() >= penalty.release_merge) {
            learner.release();
        }
        let Some(best) = learner.best(&Everything, &mut progress).unwrap() else {
            if learner.penalised() {
                learner.release();
                continue;
            }
            break;
        };
        learner.merge(best.left, best.right, 256 + out.len() as u32, &Everything);
        out.push((best.left, best.right));
    }
}

/// Words of four letters, with morphemes that begin anywhere.
fn words() -> impl Strategy<Value = Vec<Word>> {
    let symbols = prop::collection::vec((0..4u32, any::<bool>()), 1..12);
    let word = (1..40i64, symbols).prop_map(|(count, mut symbols)| {
        symbols[0].1 = true;
        (count, symbols)
    });
    prop::collection::vec(word, 1..40)
}

fn penalties() -> impl Strategy<Value = Penalty> {
    let range = (0.3..2.0f64, 0.1..2.0f64, 0.0..1.0f64, 0.7..=1.0f64, 0..60usize);
    range.prop_map(|(penalty, gamma, kappa, exponent, release_merge)| Penalty {
        penalty,
        gamma,
        kappa,
        exponent,
        release_merge,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever the first threshold, and so however often the words are read again.
    #[test]
    fn merges_are_those_of_the_definition(words in words(), floor in 1..4i64, first in 1..200i64) {
        let slow = by_definition(words.clone(), 60, floor, None);
        prop_assert_eq!(fast::<u16>(&words, 60, floor, None, first), &slow[..]);
        prop_assert_eq!(fast::<u32>(&words, 60, floor, None, i64::MAX), slow);
    }

    /// Scores that rise when a crossing is gone, from nothing too, and the queue built anew at the release.
    #[test]
    fn penalised_merges_are_those_of_the_definition(
        words in words(), floor in 1..3i64, first in 1..200i64, penalty in penalties(),
    ) {
        let slow = by_definition(words.clone(), 60, floor, Some(penalty));
        prop_assert_eq!(fast::<u16>(&words, 60, floor, Some(penalty), first), &slow[..]);
        prop_assert_eq!(fast::<u32>(&words, 60, floor, Some(penalty), i64::MAX), slow);
    }

    /// Whenever the symbols are widened, before the release or after it.
    #[test]
    fn merges_do_not_depend_on_the_width_of_symbols(
        words in words(), floor in 1..3i64, first in 1..200i64, penalty in prop::option::of(penalties()), narrow in 0..60usize,
    ) {
        let plain = fast::<u16>(&words, 60, floor, penalty, first);
        prop_assert_eq!(widened(&words, 60, floor, penalty, first, narrow), plain);
    }

    /// However many threads learn, and whoever does the work of a part.
    #[test]
    fn merges_do_not_depend_on_threads(
        words in words(), floor in 1..3i64, first in 1..200i64, penalty in prop::option::of(penalties()), parts in 2..5usize, narrow in 0..60usize,
    ) {
        let plain = fast::<u16>(&words, 60, floor, penalty, first);
        let (mut merges, mut report) = (Vec::new(), |_| true);
        let mut progress = Progress::new(&mut report);
        let mut learner = start_parts::<u16>(&words, parts, floor, penalty, first);
        learn_on(&mut learner, narrow, penalty, &mut merges);
        let mut learner = learner.widen::<u32>(2 * first, &Everything, &mut progress).unwrap();
        learn_on(&mut learner, 60, penalty, &mut merges);
        prop_assert_eq!(&merges, &plain);
        let mut one = start::<u16>(&words, floor, penalty, first);
        learn_on(&mut one, 60, penalty, &mut Vec::new());
        prop_assert_eq!(learner.uses(400, &mut progress).unwrap(), one.uses(400, &mut progress).unwrap());
    }

    /// Eight pairs at a time, or one after the other.
    #[test]
    fn pairs_are_found_as_by_definition(ids in prop::array::uniform9((0..3u32, any::<bool>())), first in 0..3u32, second in 0..3u32) {
        let far = |id: u32| if id == 2 { 0x7fff } else { id };
        let narrow = ids.map(|(id, start)| u16::new(far(id), start));
        let wide = ids.map(|(id, start)| u32::new(far(id), start));
        let (first, second) = (far(first), far(second));
        prop_assert_eq!(u16::pairs(&narrow, first, second), pairs_by_one(&narrow, first, second));
        prop_assert_eq!(u32::pairs(&wide, first, second), pairs_by_one(&wide, first, second));
    }

    /// A line that other lines follow is read many letters at a time, a line alone is not.
    #[test]
    fn boundaries_do_not_depend_on_what_follows(
        lines in prop::collection::vec("[а-яё]{1,15}|[а-я]{1,6}[ёжz]{0,2}", 1..20), cuts in prop::collection::vec(any::<u16>(), 20),
        ends in "\n|\r\n",
    ) {
        let line = |word: &str, cuts: u16| {
            let mut line = format!("{word}\t");
            for (at, letter) in word.chars().enumerate() {
                if at > 0 && cuts >> at & 1 != 0 {
                    line.push('|');
                }
                line.push(letter);
            }
            line + &ends
        };
        let mut seen = std::collections::BTreeSet::new();
        let words: Vec<_> = lines.iter().zip(&cuts).filter(|(word, _)| seen.insert(*word)).collect();
        let all: String = words.iter().map(|(word, cuts)| line(word, **cuts)).collect();
        let all = parsed(&(all + "# an end that is long enough for thirty-two bytes to be read\n"), 1 + cuts[0] as usize % 4).unwrap();
        let (mut one_by_one, mut together) = (Vec::new(), Vec::new());
        for (word, cuts) in words {
            let alone = parsed(&line(word, *cuts), 1).unwrap();
            let piece = format!(" {word}, {word}");
            alone.find(piece.as_bytes(), &mut one_by_one);
            all.find(piece.as_bytes(), &mut together);
            prop_assert_eq!(&one_by_one, &together);
            let starts = (0..word.chars().count()).filter(|at| cuts >> at & 1 != 0 && *at > 0).count();
            prop_assert_eq!(one_by_one.iter().filter(|start| **start).count(), starts + 1);
            // As learning looks it up, where it has a key.
            if let Some(found) = all.prefetch(bukvar_split::Key::of(word.as_bytes())) {
                all.find(word.as_bytes(), &mut together);
                let bits = (0..together.len()).map(|at| all.starts(found) >> at & 1 != 0);
                prop_assert_eq!(bits.collect::<Vec<_>>(), together.clone());
            }
        }
    }

    /// What is known to be 0 without computing it is 0.
    #[test]
    fn scores_are_those_of_the_definition(
        count in 1..1_000_000i64, partial in 0..2000u32, whole in 0..2000u32, more in 0..4000u32, penalty in penalties(),
    ) {
        let types = Types { all: partial + whole + more + 1, partial, whole };
        let crossing = f64::from(partial) + (1.0 - penalty.kappa) * f64::from(whole);
        let share = power(crossing / f64::from(types.all), penalty.gamma);
        let share = if partial + whole == 0 { 0.0 } else { share };
        let score = power(count as f64, penalty.exponent) * (1.0 - penalty.penalty * share);
        let known = if score > 0.0 { score.to_bits() as i64 } else { 0 };
        prop_assert_eq!(Scorer::new(penalty).score(count, types), known);
    }

    /// The queue gives what a sorted list would, whatever is put in meanwhile.
    #[test]
    fn the_queue_is_in_order(steps in prop::collection::vec(prop::option::weighted(0.6, (1..400i64, 0..3u32)), 0..300), penalised in any::<bool>()) {
        let (mut queue, mut sorted) = (Queue::new(penalised), Vec::new());
        for (index, step) in (0u32..).zip(steps) {
            if let Some((number, left)) = step {
                let score = if penalised { (number as f64 / 7.0).to_bits() as i64 } else { number * number };
                let one = Candidate { score, left, right: index, index };
                queue.push(one);
                sorted.push(one);
                sorted.sort_unstable();
            } else {
                while queue.peek().is_none() && let Some(candidates) = queue.next() {
                    queue.open(candidates);
                }
                prop_assert_eq!(queue.peek(), sorted.last().copied());
                if sorted.pop().is_some() {
                    queue.pop();
                }
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn counts_do_not_depend_on_threads(texts in prop::collection::vec("[ а-гa-c.]{0,80}", 1..20), threads in 2..5usize) {
        // Repeated, so that there is a share for each thread.
        let texts: Vec<String> = texts.iter().cycle().take(20_000).cloned().collect();
        let (one, many) = (counted(&texts, 1), counted(&texts, threads));
        prop_assert_eq!(one.types(), many.types());
        for (key, count) in one.short() {
            prop_assert_eq!(many.get(key), Some(count));
        }
        let sorted = |table: &CountTable| {
            table.long().map(|(piece, count)| (piece.to_vec(), count)).collect::<BTreeMap<_, _>>()
        };
        prop_assert_eq!(sorted(&one), sorted(&many));
    }
}

/// The boundaries of a text, which those of a file with it must equal.
fn parsed(text: &str, threads: usize) -> Result<Boundaries, TrainError> {
    let mut report = |_| true;
    Boundaries::parse(text, threads, &mut Progress::new(&mut report))
}

fn counted(texts: &[String], threads: usize) -> CountTable {
    let mut counter = Counter::new("llama3", threads, 0, None).unwrap();
    let data = texts.concat();
    let mut offsets = vec![0];
    offsets.extend(texts.iter().scan(0, |end, text| {
        *end += text.len();
        Some(*end)
    }));
    let mut report = |_| true;
    let mut progress = Progress::new(&mut report);
    counter.add(data.as_bytes(), &offsets, &mut progress).unwrap();
    CountTable::joined(counter.into_tables(&mut progress).unwrap().0)
}

fn parameters(tokens: usize, merges: Vec<(u32, u32)>) -> Parameters {
    Parameters {
        tokens,
        min_pair_count: 1,
        max_pretoken_bytes: 256,
        penalty: None,
        constraints: Constraints::default(),
        threads: 1,
        merges,
        alphabet: alphabet(),
    }
}

fn learnt(text: &str, tokens: usize, merges: Vec<(u32, u32)>) -> Result<Model, TrainError> {
    let table = counted(&[text.to_owned()], 1);
    let mut report = |_| true;
    learn(
        vec![Source::Tables(std::slice::from_ref(&table))],
        &parameters(tokens, merges),
        None,
        &mut Progress::new(&mut report),
    )
}

fn id(byte: u8) -> u32 {
    alphabet().iter().position(|&one| one == byte).unwrap() as u32
}

#[test]
fn of_equals_the_smaller_left_id_is_merged_and_then_the_smaller_right_one() {
    let model = learnt("bd\nbc\nad\n", 259, Vec::new()).unwrap();
    let pair = |left, right| (id(left), id(right));
    let expected = [pair(b'a', b'd'), pair(b'b', b'c'), pair(b'b', b'd')];
    assert_eq!(model.merges, expected);
}

mod runs;
