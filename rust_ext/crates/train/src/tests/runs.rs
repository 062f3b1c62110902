//! Whole runs: what is counted, read and learnt does not depend on threads; going on, and stopping.

use super::*;

fn learn_from(source: Source<'_>, threads: usize) -> Model {
    let mut report = |_| true;
    let parameters = Parameters {
        threads,
        ..parameters(2000, Vec::new())
    };
    learn(vec![source], &parameters, None, &mut Progress::new(&mut report)).unwrap()
}

/// Much text, so that there is a part for each thread, from tables and from a file.
#[test]
fn what_is_learnt_from_much_text_does_not_depend_on_threads() {
    let mut state = 1u64;
    let mut draw = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let syllables = [
        "ка",
        "по",
        "мир",
        "ость",
        "ыва",
        "р",
        "z",
        "th",
        "ёж",
        "42",
        "слишкомдлинноесловодляключа",
    ];
    let word = |draw: &mut dyn FnMut(u64) -> u64| -> String {
        let len = 1 + draw(6) as usize;
        (0..len)
            .map(|_| syllables[draw(syllables.len() as u64) as usize])
            .collect()
    };
    let texts: Vec<String> = (0..200_000).map(|_| word(&mut draw) + " ").collect();
    let tables = |threads| {
        let mut counter = Counter::new("llama3", threads, 0, None).unwrap();
        let mut report = |_| true;
        let mut progress = Progress::new(&mut report);
        for text in texts.chunks(1000) {
            let text = text.concat();
            counter
                .hand_over(vec![Box::new(text.into_bytes())], &mut progress)
                .unwrap();
        }
        counter.into_tables(&mut progress).unwrap()
    };
    let (one, header) = tables(1);
    let known = learn_from(Source::Tables(&one), 1);
    assert_eq!(known.merges.len(), 2000 - 256);
    assert!(
        one[0].types() > 3 << 14,
        "{} types are for one thread",
        one[0].types()
    );
    for threads in 2..4 {
        let (many, about) = tables(threads);
        assert_eq!((many.len(), &about), (threads, &header));
        assert_eq!(learn_from(Source::Tables(&many), threads), known);
        assert_eq!(learn_from(Source::Owned(many), 1), known);
    }
    let path = std::env::temp_dir().join(format!("bukvar-{}.counts", std::process::id()));
    let mut report = |_| true;
    counts::write(&path, &one[0], &header, &mut Progress::new(&mut report)).unwrap();
    let from_file = learn_from(Source::File(&path), 3);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(from_file, known);
}

/// Of several documents that are no UTF-8 the first is returned, whichever thread counts it.
#[test]
fn the_first_error_is_returned() {
    for threads in 1..4 {
        let mut counter = Counter::new("llama3", threads, 0, None).unwrap();
        let mut report = |_| true;
        let mut progress = Progress::new(&mut report);
        let mut result = Ok(());
        for number in 0..40 {
            let mut text = vec![b'a'; 1 << 18];
            if number >= 20 {
                text[100 * number] = 0xff;
            }
            result = result.and_then(|()| counter.hand_over(vec![Box::new(text)], &mut progress));
        }
        let result = result.and_then(|()| counter.into_tables(&mut progress).map(drop));
        assert_eq!(result, Err(TrainError::Utf8 { at: 2000 }));
    }
}

/// However many threads read a list, the first of two lines for a word counts, and the first line that is of another
/// form is reported, by its number.
#[test]
fn boundaries_do_not_depend_on_threads() {
    let path = std::env::temp_dir().join(format!("bukvar-{}.boundaries", std::process::id()));
    let mut report = |_| true;
    let mut progress = Progress::new(&mut report);
    let line = |number: usize| {
        let word: String = number
            .to_string()
            .bytes()
            .map(|digit| char::from(digit - b'0' + b'a'))
            .collect();
        let word = if number.is_multiple_of(5) {
            word
        } else {
            word.replace(|c: char| c < 'e', "ж")
        };
        let half = word
            .char_indices()
            .nth(word.chars().count() / 2)
            .map_or(0, |(at, _)| at);
        format!(
            "{word}\t{}|{}{}",
            &word[..half],
            &word[half..],
            if number.is_multiple_of(7) { "\r\n" } else { "\n" }
        )
    };
    let all: String = (0..300).map(line).collect();
    for (text, known) in [
        (all.clone() + "дом\tд|ом\nдом\tдо|м\n# end", None),
        (all + "a\nb\n", Some(301)),
    ] {
        std::fs::write(&path, &text).unwrap();
        for threads in 1..9 {
            for read in [
                parsed(&text, threads),
                Boundaries::read(&path, threads, &mut progress),
            ] {
                let read = match (read, known) {
                    (Err(TrainError::Boundaries { line, .. }), Some(known)) => {
                        assert_eq!(line, known);
                        continue;
                    }
                    (read, known) => {
                        assert_eq!(known, None);
                        read.unwrap()
                    }
                };
                let one = parsed(&text, 1).unwrap();
                assert_eq!(read.words(), one.words());
                let (mut starts, mut known) = (Vec::new(), Vec::new());
                read.find("дом".as_bytes(), &mut starts);
                assert_eq!(starts, [true, false, true, false, false, false]);
                for line in text.lines() {
                    let word = line.split('\t').next().unwrap();
                    read.find(word.as_bytes(), &mut starts);
                    one.find(word.as_bytes(), &mut known);
                    assert_eq!(starts, known);
                }
            }
        }
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn learning_goes_on_where_a_vocabulary_ends() {
    let text = "корка коробка кора порка горка норка ".repeat(9);
    let whole = learnt(&text, 275, Vec::new()).unwrap();
    let start = whole.merges[..8].to_vec();
    assert_eq!(learnt(&text, 275, start).unwrap(), whole);
    let bad = learnt(&text, 275, vec![(3, 256)]);
    assert_eq!(bad, Err(TrainError::Merge { index: 0 }));
}

#[test]
fn being_told_to_stop_stops() {
    let table = counted(&["абвг ".repeat(10)], 1);
    let mut report = |_| false;
    let mut progress = Progress::new(&mut report);
    let stopped = learn(
        vec![Source::Tables(std::slice::from_ref(&table))],
        &parameters(258, Vec::new()),
        None,
        &mut progress,
    );
    assert_eq!(stopped, Err(TrainError::Stopped));
}
