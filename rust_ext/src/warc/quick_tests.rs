//! Quick reading beside full reading: the same records in the same order at the same places, and no page that full
//! reading does not give.

#![allow(clippy::unwrap_used)] // a test may panic

use proptest::prelude::*;

use super::tests::{CONTAINERS, Container, LIMITS, gzip, pack, read_within, records_of, response, zstd};
use super::*;

const FULL: Limits = Limits { gate: true, ..LIMITS };
/// Some 300 bytes more than a record's heads and a hundred letters: libdeflate may hold back as many.
pub(super) const QUICK: Limits = Limits { look: 900, ..FULL };

/// Pages that take more than one look: foreign, Russian, Russian behind a foreign beginning, foreign behind a
/// script, not to be compressed, with a crawl file inside.
pub(super) fn bodies() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let english = "[a-z ]{500,1000}".prop_map(String::into_bytes).boxed();
    let russian = "[а-я ]{30,300}".prop_map(String::into_bytes).boxed();
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
fn agree(file: &[u8]) -> Result<usize, TestCaseError> {
    let (full, quick) = (read_within(file, FULL), read_within(file, QUICK));
    prop_assert_eq!(full.len(), quick.len());
    for (full, quick) in full.iter().zip(&quick) {
        if passed_over(quick) {
            prop_assert_eq!(place(full), place(quick));
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
            agree(&pack(&records_of(&bodies), container))?;
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
    ) {
        let records = records_of(&bodies);
        let mut members: Vec<Vec<u8>> = records.iter().map(|r| pack(std::slice::from_ref(r), container)).collect();
        let damaged = which.index(members.len());
        let flipped = at.index(members[damaged].len());
        members[damaged][flipped] ^= 1 << bit;
        let read = read_within(&members.concat(), QUICK);
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
        agree(&file)?;
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
        assert_eq!(
            agree(&pack(&records, container)).unwrap(),
            expected,
            "{container:?}"
        );
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
        agree(&file[..length]).unwrap();
    }
    assert_eq!(agree(&file).unwrap(), 2);
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
        assert_eq!(agree(&file).unwrap(), passed);
    }
}
