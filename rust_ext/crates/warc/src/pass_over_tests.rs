//! Quick reading and skimming beside full reading: the same records in the same order at the same places, and no page
//! that full reading does not give; skimming gives each that full reading does.

#![allow(clippy::unwrap_used)] // a test may panic

use proptest::prelude::*;

use super::tests::{CONTAINERS, Container, LIMITS, gzip, pack, read_within, records_of, response, zstd};
use super::*;

const FULL: Limits = Limits { gate: true, ..LIMITS };
/// Some 300 bytes more than a record's heads and a hundred letters: libdeflate may hold back as many.
pub(super) const QUICK: Limits = Limits { look: 900, ..FULL };
pub(super) const SKIM: Limits = Limits { skim: true, ..QUICK };

/// Pages that take more than one look: foreign, Russian, Russian behind a foreign beginning, foreign behind a
/// script, not to be compressed, with a crawl file inside.
pub(super) fn bodies() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let english = "[a-z ]{500,1000}".prop_map(String::into_bytes).boxed();
    // Letters drawn evenly may lack the common ones, which a hundred letters of Russian have.
    let russian = "[а-я ]{30,300}"
        .prop_map(|text| format!("аеио{text}").into_bytes())
        .boxed();
    let noise = proptest::collection::vec(any::<u8>(), 1..700).boxed();
    let crawl = "[a-z]{1,40}"
        .prop_map(|text| gzip(&response("http://inside/", text.as_bytes())))
        .boxed();
    let joined = |parts: Vec<Vec<u8>>| parts.concat();
    let script = Just(b"<script>".to_vec()).boxed();
    let end = Just(b"</script>".to_vec()).boxed();
    let body = prop_oneof![
        3 => english.clone(),
        1 => russian.clone(),
        1 => vec![english.clone(), russian].prop_map(joined),
        1 => vec![script, english.clone(), end].prop_map(joined),
        1 => vec![english.clone(), noise].prop_map(joined),
        1 => vec![english, crawl].prop_map(joined),
    ];
    proptest::collection::vec(body, 1..6)
}

fn passed_over(record: &Record) -> bool {
    matches!(record, Record::Dropped(d) if d.reason == Reason::NotCyrillic && d.detail.contains("first_bytes"))
}

/// Address and offset of a page or a dropped record.
fn place(record: &Record) -> Option<(&str, u64)> {
    match record {
        Record::Page(page) => Some((&page.url, page.offset)),
        Record::Dropped(dropped) => Some((&dropped.url, dropped.offset)),
        Record::Skipped(_) => None,
    }
}

/// Reads a file in both ways; how many records were passed over.
fn agree(file: &[u8], limits: Limits) -> Result<usize, TestCaseError> {
    let (full, quick) = (read_within(file, FULL), read_within(file, limits));
    prop_assert_eq!(full.len(), quick.len());
    for (full, quick) in full.iter().zip(&quick) {
        if passed_over(quick) {
            prop_assert_eq!(place(full), place(quick));
            prop_assert!(!limits.skim || !matches!(full, Record::Page(_)));
        } else {
            prop_assert_eq!(full, quick);
        }
    }
    Ok(quick.iter().filter(|record| passed_over(record)).count())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_same_records_come_out(bodies in bodies()) {
        for container in CONTAINERS {
            let file = pack(&records_of(&bodies), container);
            agree(&file, QUICK)?;
            agree(&file, SKIM)?;
        }
    }

    /// Of the member itself full reading may make two records, and quick reading may not notice the damage.
    #[test]
    fn a_flipped_byte_costs_no_other_member(
        bodies in bodies(),
        container in prop::sample::select(vec![Container::GzipMembers, Container::Zstd]),
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
        skim in any::<bool>(),
    ) {
        let records = records_of(&bodies);
        let mut members: Vec<Vec<u8>> = records.iter().map(|r| pack(std::slice::from_ref(r), container)).collect();
        let damaged = which.index(members.len());
        let flipped = at.index(members[damaged].len());
        members[damaged][flipped] ^= 1 << bit;
        let read = read_within(&members.concat(), if skim { SKIM } else { QUICK });
        for number in (0..bodies.len()).filter(|number| number + 1 != damaged) {
            let url = format!("http://h/{number}");
            let of_url = |record: &Record| place(record).is_some_and(|(known, _)| known == url);
            prop_assert!(read.iter().any(of_url), "{} at {}", url, flipped);
        }
    }

    #[test]
    fn the_same_records_come_out_where_the_file_is_cut(
        bodies in bodies(),
        container in prop::sample::select(CONTAINERS.to_vec()),
        at in any::<prop::sample::Index>(),
    ) {
        let mut file = pack(&records_of(&bodies), container);
        file.truncate(at.index(file.len()));
        agree(&file, QUICK)?;
        agree(&file, SKIM)?;
    }
}

/// A thousand letters that take more than one look and do not compress to nothing.
fn english() -> Vec<u8> {
    let letter = |n: u32| b'a' + (n * n % 977 * n % 26) as u8;
    (0..1000).map(letter).collect()
}

#[test]
fn foreign_pages_are_passed_over_where_the_container_says_how_long_they_are() {
    let records = records_of(&[english(), english(), b"short".to_vec(), english()]);
    for container in CONTAINERS {
        let expected = match container {
            Container::GzipMembers | Container::Zstd => 3,
            // The frame behind the dictionary is read in steps, small ones here, and the end of its record is
            // looked for in the next frame.
            Container::ZstdDictionary => 2,
            _ => 0,
        };
        for limits in [QUICK, SKIM] {
            let passed = agree(&pack(&records, container), limits).unwrap();
            assert_eq!(passed, expected, "{container:?}, {limits:?}");
        }
    }
}

#[test]
fn a_page_behind_scripts_takes_a_longer_look() {
    let script = [b"<script>".as_slice(), &[b'x'; 5000], b"</script>"].concat();
    let page = [script.clone(), english(), script].concat();
    let file = pack(&records_of(&[page]), Container::GzipMembers);
    let passed = |look| {
        let limits = Limits {
            max_record_bytes: 100_000,
            look,
            ..FULL
        };
        let read = read_within(&file, limits);
        read.iter().filter(|record| passed_over(record)).count()
    };
    // Eight times as many bytes, less what libdeflate holds back, end behind the first script or in it.
    assert_eq!((passed(900), passed(700)), (1, 0));
}

#[test]
fn a_file_cut_anywhere_gives_the_same() {
    let file = pack(&records_of(&[english(), english()]), Container::GzipMembers);
    for length in 0..file.len() {
        agree(&file[..length], QUICK).unwrap();
        agree(&file[..length], SKIM).unwrap();
    }
    assert_eq!(agree(&file, QUICK).unwrap(), 2);
    assert_eq!(agree(&file, SKIM).unwrap(), 2);
}

#[test]
fn what_is_not_surely_the_end_of_a_member_is_not_taken_for_it() {
    let member = |body: &[u8]| gzip(&response("http://h/", body));
    let size = |member: &[u8]| member[member.len() - 4..].to_vec();
    let page = member(&english());
    // Its size inside of it, stored: it is read whole.
    let stored = |body: &[u8]| {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        encoder.write_all(&response("http://h/", body)).unwrap();
        encoder.finish().unwrap()
    };
    let inside = stored(&[english(), vec![0; 4]].concat());
    let inside = stored(&[english(), size(&inside)].concat());
    // Another's beginning is damaged, and both have the same size.
    let mut headless = page.clone();
    headless[0] = 0;
    for (file, passed) in [
        ([page.clone(), page.clone()].concat(), 2),
        ([inside, page.clone()].concat(), 1),
        ([page.clone(), headless, page.clone()].concat(), 1),
        ([page.clone(), b"rubble".to_vec(), page.clone()].concat(), 1),
        ([page.clone(), vec![0; 20]].concat(), 0),
        ([page.clone(), zstd(b"WARC/1.0", None)].concat(), 0),
        (
            gzip(
                &[
                    response("http://h/1", &english()),
                    response("http://h/2", &english()),
                ]
                .concat(),
            ),
            0,
        ),
    ] {
        assert_eq!(agree(&file, QUICK).unwrap(), passed);
        agree(&file, SKIM).unwrap();
    }
}

/// Russian behind a foreign beginning, in every charset, is seen by what its compressed form may hold.
#[test]
fn skimming_passes_over_no_russian() {
    let russian = "Мы все учились понемногу чему-нибудь и как-нибудь, так воспитаньем, слава богу, у нас немудрено блеснуть. ";
    for container in [Container::GzipMembers, Container::Zstd] {
        for charset in [
            "utf-8",
            "windows-1251",
            "koi8-r",
            "ibm866",
            "iso-8859-5",
            "x-mac-cyrillic",
        ] {
            let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).unwrap();
            for text in [russian.to_owned(), russian.to_uppercase()] {
                if text != russian && ["ibm866", "x-mac-cyrillic"].contains(&charset) {
                    continue;
                }
                let hidden = encoding.encode(&text).0.into_owned();
                let encoded = if charset == "utf-8" {
                    text.into_bytes()
                } else {
                    hidden
                };
                for (hidden, passed) in [(encoded.as_slice(), 0), (b"Plain words of English.", 1)] {
                    let page = [&english()[..900], hidden, &english()[..300]].concat();
                    let file = pack(&records_of(&[page]), container);
                    let said = format!("{charset} {container:?}");
                    assert_eq!(agree(&file, SKIM).unwrap(), passed, "{said}");
                }
            }
        }
    }
}

#[test]
fn a_dictionary_with_cyrillic_lets_no_frame_be_skimmed() {
    let records = records_of(&[english(), english(), english()]);
    assert_eq!(
        agree(&pack(&records, Container::ZstdDictionary), SKIM).unwrap(),
        2
    );
    let dictionary = "слова, которые в каждой записи могут стоять ".repeat(20);
    let mut file = super::tests::dictionary_frame(dictionary.as_bytes());
    for record in &records {
        file.extend(zstd(record, Some(dictionary.as_bytes())));
    }
    assert_eq!(agree(&file, SKIM).unwrap(), 0);
    assert_eq!(agree(&file, QUICK).unwrap(), 2);
}
