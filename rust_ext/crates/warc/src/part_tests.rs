//! The parts of a file hold each record once, wherever it is cut and whatever is wrong with it.

#![allow(clippy::unwrap_used)] // a test may panic

use std::io::{Cursor, Write};

use proptest::prelude::*;

use super::fuzz::{changes, mangle};
use super::pass_over_tests::{QUICK, SKIM};
use super::tests::{
    CONTAINERS, Container, LIMITS, arc_records_of, bodies, gzip, pack, read_within, records_of, response,
};
use super::*;

fn read_part(file: &[u8], limits: Limits, start: u64, stop: u64) -> Vec<String> {
    let mut part = PartReader::new(Cursor::new(file), limits, start, stop).unwrap();
    let mut found = Vec::new();
    while let Some(record) = part.next_record().unwrap() {
        found.push(format!("{record:?}"));
    }
    found
}

/// The records of all parts of about `size` bytes, in order.
fn read_parts(file: &[u8], limits: Limits, size: usize) -> Vec<String> {
    let starts = (0..file.len().max(1)).step_by(size);
    let part = |start: usize| {
        let stop = if start + size < file.len() {
            (start + size) as u64
        } else {
            u64::MAX
        };
        read_part(file, limits, start as u64, stop)
    };
    starts.flat_map(part).collect()
}

fn read_whole(file: &[u8], limits: Limits) -> Vec<String> {
    let records = read_within(file, limits);
    records.iter().map(|record| format!("{record:?}")).collect()
}

fn records(kind: u8, bodies: &[Vec<u8>]) -> Vec<Vec<u8>> {
    match kind {
        0 => arc_records_of(bodies, 1, "\n"),
        1 => arc_records_of(bodies, 2, ""),
        _ => records_of(bodies),
    }
}

/// Files of several times the bytes by which a jump leads before its part.
fn many() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(bodies(), 4..9).prop_map(|bodies| bodies.concat())
}

/// Bodies of incompressible bytes, each of `size`.
fn noise(count: usize, size: usize) -> Vec<Vec<u8>> {
    let mut state = 7u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    };
    (0..count).map(|_| (0..size).map(|_| byte()).collect()).collect()
}

#[test]
fn a_part_reads_no_more_of_its_file_than_it_needs() {
    struct Counted<'a>(Cursor<&'a [u8]>, &'a std::cell::Cell<usize>);
    impl std::io::Read for Counted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let read = self.0.read(buffer)?;
            self.1.set(self.1.get() + read);
            Ok(read)
        }
    }
    impl std::io::Seek for Counted<'_> {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }
    for container in [
        Container::Plain,
        Container::GzipMembers,
        Container::ZstdDictionary,
    ] {
        let file = pack(&records_of(&noise(600, 900)), container);
        let read = std::cell::Cell::new(0);
        let source = Counted(Cursor::new(&file), &read);
        let start = file.len() as u64 * 3 / 4;
        let mut part = PartReader::new(source, LIMITS, start, start + 20_000).unwrap();
        let mut records = 0;
        while part.next_record().unwrap().is_some() {
            records += 1;
        }
        assert!((15..25).contains(&records), "{container:?}: {records} records");
        // The head by which the file is recognised, what lies before the part, the part, and a member behind it.
        assert!(
            read.get() < (64 << 10) + 30_000,
            "{container:?}: {} bytes",
            read.get()
        );
    }
}

#[test]
fn an_archive_inside_of_a_record_is_not_taken_for_the_file() {
    let inner = noise(120, 250);
    let inner = inner
        .chunks(3)
        .map(|bodies| pack(&records_of(bodies), Container::GzipMembers));
    let outer: Vec<Vec<u8>> = inner.collect();
    // Stored, as a compressor does with what is compressed already.
    let stored = |record: &Vec<u8>| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        encoder.write_all(record).unwrap();
        encoder.finish().unwrap()
    };
    let file: Vec<u8> = records_of(&outer).iter().flat_map(stored).collect();
    assert!(memchr::memmem::find_iter(&file, &outer[0][..3]).count() > 120);
    for size in [700, 1500, 5000] {
        assert_eq!(
            read_parts(&file, LIMITS, size),
            read_whole(&file, LIMITS),
            "{size}"
        );
    }
}

#[test]
fn members_of_several_records_keep_their_offsets() {
    let records = records_of(&noise(60, 300));
    for size in [2, 3, 7] {
        let file: Vec<u8> = records
            .chunks(size)
            .flat_map(|some| gzip(&some.concat()))
            .collect();
        assert_eq!(Layout::of(&file), Layout::Whole);
        assert_eq!(read_parts(&file, LIMITS, 2500), read_whole(&file, LIMITS));
    }
}

#[test]
fn the_first_bytes_show_whether_a_file_can_be_cut() {
    for records in [
        records_of(&noise(9, 500)),
        arc_records_of(&noise(9, 500), 1, "\n"),
    ] {
        for container in CONTAINERS {
            let file = pack(&records, container);
            let expected = match container {
                Container::Plain => Layout::Plain,
                Container::GzipMembers | Container::Zstd | Container::ZstdDictionary => Layout::Members,
                Container::GzipWhole | Container::GzipBlocks => Layout::Whole,
                Container::Lz4 => Layout::Other,
            };
            assert_eq!(Layout::of(&file), expected, "{container:?}");
            // Its end does not matter, as long as two records are there.
            assert_eq!(Layout::of(&file[..file.len() / 2]), expected, "{container:?}");
        }
    }
    for other in [
        b"".as_slice(),
        b"PK\x03\x04",
        b"BZh91AY",
        b"<html>",
        b"{\"text\": 1}\n",
        &[0; 900],
    ] {
        assert_eq!(Layout::of(other), Layout::Other);
    }
    // One record of which the head holds a part only.
    let large = gzip(&response("http://h/", &noise(1, 9000)[0]));
    assert_eq!(Layout::of(&large[..4000]), Layout::Whole);
}

const CASES: u32 = 300;
/// Files that `Layout` says can be cut.
const CUT: [Container; 4] = [
    Container::Plain,
    Container::GzipMembers,
    Container::Zstd,
    Container::ZstdDictionary,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn parts_of_sound_files_are_the_file(
        bodies in many(),
        container in prop::sample::select(CONTAINERS.to_vec()),
        kind in 0u8..4,
        size in 200usize..9000,
    ) {
        let file = pack(&records(kind, &bodies), container);
        for limits in [LIMITS, QUICK, SKIM] {
            prop_assert_eq!(read_parts(&file, limits, size), read_whole(&file, limits));
        }
    }

    #[test]
    fn parts_of_damaged_files_are_the_file(
        bodies in many(),
        container in prop::sample::select(CUT.to_vec()),
        changes in changes(),
        kind in 0u8..4,
        size in 200usize..9000,
    ) {
        let file = mangle(pack(&records(kind, &bodies), container), changes);
        for limits in [LIMITS, QUICK, SKIM] {
            prop_assert_eq!(read_parts(&file, limits, size), read_whole(&file, limits));
        }
    }
}
