//! Mangled inputs by the thousand, and by the million where asked for: no panic, no running on, and no more memory
//! than stated (`tests::read_all` looks).
//!
//!     cargo test --release --lib -- --ignored a_million --nocapture

#![allow(clippy::unwrap_used)] // a test may panic

use std::io::Write;

use proptest::prelude::*;

use super::header::Head;
use super::pass_over_tests::{QUICK, SKIM};
use super::tests::{
    CONTAINERS, LIMITS, arc_records_of, bodies, gzip, pack, read_all, read_within, records_of, zstd,
};
use super::*;

const THOUSANDS: u32 = 10_000;
const MILLION: u32 = 1_000_000;

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        ..ProptestConfig::default()
    }
}

pub(super) type Change = (prop::sample::Index, usize, [u8; 6], u8);

pub(super) fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = (any::<prop::sample::Index>(), 0usize..40, any::<[u8; 6]>(), 0u8..6);
    proptest::collection::vec(change, 0..4)
}

/// Bytes changed, cut out, doubled or put in, the beginning of a gzip member and a bomb among them.
pub(super) fn mangle(mut file: Vec<u8>, changes: Vec<Change>) -> Vec<u8> {
    for (at, length, bytes, kind) in changes {
        let start = at.index(file.len().max(1)).min(file.len());
        let end = (start + length).min(file.len());
        match kind {
            0 => drop(file.splice(start..end, bytes)),
            1 => drop(file.drain(start..end)),
            2 => {
                let copy = file[start..end].to_vec();
                file.splice(start..start, copy);
            }
            3 => file.truncate(start),
            4 => drop(file.splice(start..start, *b"\x1f\x8b\x08WAR")),
            _ => drop(file.splice(start..start, BOMB.iter().copied())),
        }
    }
    file
}

/// A record of 200,000 declared bytes and twice as many zeros.
static BOMB: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
    let head = b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 200000\r\n\r\n";
    gzip(&[head.as_slice(), &vec![0; 400_000]].concat())
});

fn files() -> impl Strategy<Value = Vec<u8>> {
    let container = prop::sample::select(CONTAINERS.to_vec());
    let bodies = prop_oneof![bodies(), super::pass_over_tests::bodies()];
    (bodies, container, changes(), 0u8..4).prop_map(|(bodies, container, changes, kind)| {
        let records = match kind {
            0 => arc_records_of(&bodies, 1, "\n"),
            1 => arc_records_of(&bodies, 2, ""),
            _ => records_of(&bodies),
        };
        mangle(pack(&records, container), changes)
    })
}

fn read_mangled(number: u32) {
    proptest!(cases(number), |(file in files())| {
        read_all(&file);
        read_within(&file, QUICK);
        read_within(&file, SKIM);
    });
}

#[test]
fn mangled_files_make_the_reader_neither_panic_nor_run_on() {
    read_mangled(THOUSANDS);
}

#[test]
#[ignore = "takes minutes: a million mangled files"]
fn a_million_mangled_files_are_read() {
    read_mangled(MILLION);
}

fn coded(coding: &str, body: &[u8]) -> Vec<u8> {
    let deflated = |mut encoder: flate2::write::ZlibEncoder<Vec<u8>>| {
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    match coding {
        "gzip" => gzip(body),
        "zstd" => zstd(body, None),
        "deflate" => deflated(flate2::write::ZlibEncoder::new(
            Vec::new(),
            flate2::Compression::fast(),
        )),
        _ => body.to_vec(),
    }
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let chunk = |part: &[u8]| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
    let mut parts: Vec<u8> = body.chunks(size).flat_map(chunk).collect();
    parts.extend(b"0\r\n\r\n");
    parts
}

/// HTTP responses with heads of careless servers and bodies in any coding (`br` mostly as random bytes), mangled.
fn responses() -> impl Strategy<Value = Vec<u8>> {
    let status = prop::sample::select(vec![
        "HTTP/1.1 200 OK",
        "HTTP/1.0 200",
        "ICY 200 OK",
        "HTTP/2 200\r\n",
    ]);
    let line = prop::sample::select(vec![
        "Content-Type: text/html; charset=windows-1251",
        "Content-Type: text/html; charset=\"",
        "content-type : TEXT/HTML",
        "X-Robots-Tag: noindex\r\n folded",
        "Set-Cookie: \u{44f}=1",
        "no colon",
        ": no name",
        "Content-Encoding:",
    ]);
    let lines = proptest::collection::vec(line, 0..6);
    let coding = prop::sample::select(vec![
        "gzip",
        "deflate",
        "zstd",
        "br",
        "x-gzip",
        "identity",
        "gzip, deflate",
    ]);
    let body = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..600),
        (any::<u8>(), 0usize..9000).prop_map(|(byte, count)| vec![byte; count]),
        "[а-яa-z<>/ ]{0,400}".prop_map(String::into_bytes),
    ];
    let end = prop::sample::select(vec!["\r\n", "\n"]);
    (status, lines, coding, body, end, 0usize..300, changes()).prop_map(
        |(status, lines, coding, body, end, chunk, changes)| {
            let mut head = format!("{status}{end}Content-Encoding: {coding}{end}");
            lines.iter().for_each(|line| head += &format!("{line}{end}"));
            let mut body = coded(coding, &body);
            if chunk > 0 {
                head += &format!("Transfer-Encoding: chunked{end}");
                body = chunked(&body, chunk);
            }
            mangle([head.as_bytes(), end.as_bytes(), &body].concat(), changes)
        },
    )
}

fn decode_mangled(number: u32) {
    proptest!(cases(number), |(block in responses())| {
        let head = Head {
            record_type: "response".to_owned(),
            content_type: "application/http".to_owned(),
            ..Head::default()
        };
        if let Record::Page(page) = page::judge(head, 0, &block, None, &LIMITS) {
            // What is not coded comes out as it lies in the block, which the reader bounds.
            prop_assert!(page.body.len() <= LIMITS.max_record_bytes.max(block.len()));
        }
        for coding in ["gzip", "deflate", "br", "zstd"] {
            if let Some(decoded) = body::decode(coding, &block, 700) {
                prop_assert!(decoded.bytes.len() <= 700);
            }
        }
        if let Some((joined, _)) = body::dechunk(&block) {
            prop_assert!(joined.len() <= block.len());
        }
    });
}

#[test]
fn mangled_responses_are_decoded_within_the_limit() {
    decode_mangled(THOUSANDS);
}

#[test]
#[ignore = "takes minutes: a million mangled responses"]
fn a_million_mangled_responses_are_decoded() {
    decode_mangled(MILLION);
}
