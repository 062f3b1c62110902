//! The reader as a whole: sound files in every container come out whole, damage costs its record only, and
//! nothing panics or runs on.

#![allow(clippy::unwrap_used)] // a test may panic

use std::io::Write;

use proptest::prelude::*;

use super::*;

pub(super) const LIMITS: Limits = Limits {
    max_record_bytes: 1500,
    gate: false,
    look: 0,
    skim: false,
};

#[derive(Debug, Clone, Copy)]
pub(super) enum Container {
    Plain,
    GzipMembers,
    GzipWhole,
    GzipBlocks,
    Zstd,
    ZstdDictionary,
    Lz4,
}

pub(super) const CONTAINERS: [Container; 7] = [
    Container::Plain,
    Container::GzipMembers,
    Container::GzipWhole,
    Container::GzipBlocks,
    Container::Zstd,
    Container::ZstdDictionary,
    Container::Lz4,
];

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A skippable frame with a compressed dictionary, as it stands before the first record.
pub(super) fn dictionary_frame(dictionary: &[u8]) -> Vec<u8> {
    let compressed = zstd(dictionary, None);
    let length = compressed.len() as u32;
    [
        &0x184D_2A5Du32.to_le_bytes(),
        &length.to_le_bytes(),
        compressed.as_slice(),
    ]
    .concat()
}

pub(super) fn zstd(bytes: &[u8], dictionary: Option<&[u8]>) -> Vec<u8> {
    let mut frame = Vec::with_capacity(bytes.len() + 1024);
    let mut context = zstd_safe::CCtx::create();
    if let Some(dictionary) = dictionary {
        context.load_dictionary(dictionary).unwrap();
    }
    context.compress2(&mut frame, bytes).unwrap();
    frame
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    // Independent uncompressed blocks of up to 64 KiB; the header checksum is not read.
    let mut frame = vec![0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0];
    for block in bytes.chunks(300) {
        frame.extend((block.len() as u32 | 1 << 31).to_le_bytes());
        frame.extend(block);
    }
    frame.extend([0; 4]);
    frame
}

pub(super) fn pack(records: &[Vec<u8>], container: Container) -> Vec<u8> {
    let whole = records.concat();
    match container {
        Container::Plain => whole,
        Container::GzipMembers => records.iter().flat_map(|r| gzip(r)).collect(),
        Container::GzipWhole => gzip(&whole),
        Container::GzipBlocks => whole.chunks(333).flat_map(gzip).collect(),
        Container::Zstd => records.iter().flat_map(|r| zstd(r, None)).collect(),
        Container::ZstdDictionary => {
            let dictionary =
                b"WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http\r\n".repeat(3);
            let mut file = dictionary_frame(&dictionary);
            file.extend(records.iter().flat_map(|r| zstd(r, Some(&dictionary))));
            file
        }
        Container::Lz4 => records.iter().flat_map(|r| lz4(r)).collect(),
    }
}

pub(super) fn response(url: &str, body: &[u8]) -> Vec<u8> {
    let mut block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n".to_vec();
    block.extend(body);
    record("response", url, "application/http; msgtype=response", &block)
}

fn record(kind: &str, url: &str, content_type: &str, block: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Record-ID: <urn:x:{url}>\r\n\
         WARC-Date: 2024-05-18T01:58:10Z\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        block.len()
    )
    .into_bytes();
    bytes.extend(block);
    bytes.extend(b"\r\n\r\n");
    bytes
}

/// What a reader may hold, with the small sizes that tests use: the 64 KiB in which a container is recognised, and
/// a window that doubles until it holds the largest header (64 KiB) and a member; in LZ4 files, twice the format's largest block.
fn most_held(file: &[u8]) -> usize {
    let lz4 = memchr::memmem::find(file, b"\x04\x22\x4d\x18").is_some();
    if lz4 { 9 << 20 } else { 224 << 10 }
}

/// A source that gives a few bytes at a time.
struct Trickle<'a>(&'a [u8]);

impl std::io::Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let given = self.0.len().min(buffer.len()).min(37);
        buffer[..given].copy_from_slice(&self.0[..given]);
        self.0 = &self.0[given..];
        Ok(given)
    }
}

pub(super) fn read_all(file: &[u8]) -> Vec<Record> {
    read_within(file, LIMITS)
}

pub(super) fn read_within(file: &[u8], limits: Limits) -> Vec<Record> {
    let mut reader = Reader::new(Trickle(file), limits);
    let (mut records, most) = (Vec::new(), most_held(file));
    while let Some(record) = reader.next_record().unwrap() {
        if let Record::Page(page) = &record {
            assert!(
                page.body.len() <= LIMITS.max_record_bytes,
                "a page above the limit"
            );
        }
        records.push(record);
        assert!(records.len() <= file.len() + 1, "the reader runs on");
        assert!(reader.held() <= most, "the reader holds {}", reader.held());
    }
    records
}

fn pages(records: &[Record]) -> Vec<(String, Vec<u8>)> {
    let page = |record: &Record| match record {
        Record::Page(page) if page.damage.is_none() => Some((page.url.clone(), page.body.clone())),
        _ => None,
    };
    records.iter().filter_map(page).collect()
}

pub(super) fn bodies() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let body = prop_oneof![
        "[a-zа-я<>/ \r\n]{1,300}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 1..900),
        Just(b"text WARC/1.0\r\nWARC-Type: response\r\n inside".to_vec()),
    ];
    let body = body.prop_map(|mut body| {
        body.insert(0, b'.');
        body
    });
    proptest::collection::vec(body, 1..6)
}

pub(super) fn records_of(bodies: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut records = vec![record(
        "warcinfo",
        "",
        "application/warc-fields",
        b"software: test",
    )];
    let responses = bodies.iter().enumerate();
    records.extend(responses.map(|(number, body)| response(&format!("http://h/{number}"), body)));
    records
}

/// The description of an ARC and its records; `end` stands behind each.
pub(super) fn arc_records_of(bodies: &[Vec<u8>], version: u8, end: &str) -> Vec<Vec<u8>> {
    let fields = if version == 1 {
        "text/html"
    } else {
        "text/html 200 - - 0 a.arc"
    };
    let record = |url: &str, block: &[u8]| {
        let head = format!("{url} 10.0.0.1 20041015060312 {fields} {}\n", block.len());
        [head.as_bytes(), block, end.as_bytes()].concat()
    };
    let description = format!("{version} 0 InternetArchive\nURL IP-address\n");
    let mut records = vec![record("filedesc://a.arc", description.as_bytes())];
    records.extend(bodies.iter().enumerate().map(|(number, body)| {
        let block = [
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
            body.as_slice(),
        ]
        .concat();
        record(&format!("http://h/{number}"), &block)
    }));
    records
}

/// Bodies each of which has a mark of its own.
fn marked(bodies: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mark = |(number, body): (usize, Vec<u8>)| [format!("#{number}#").as_bytes(), &body].concat();
    bodies.into_iter().enumerate().map(mark).collect()
}

fn expected(bodies: &[Vec<u8>]) -> Vec<(String, Vec<u8>)> {
    bodies
        .iter()
        .enumerate()
        .map(|(number, body)| (format!("http://h/{number}"), body.clone()))
        .collect()
}

/// Flips a bit of a member: every other member's page comes out.
fn flipped(
    records: &[Vec<u8>],
    bodies: &[Vec<u8>],
    which: prop::sample::Index,
    (at, bit): (prop::sample::Index, u8),
    compress: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<(), TestCaseError> {
    let mut file: Vec<Vec<u8>> = records.iter().map(|r| compress(r)).collect();
    let damaged = which.index(file.len());
    let place = at.index(file[damaged].len());
    file[damaged][place] ^= 1 << bit;
    let read = pages(&read_all(&file.concat()));
    for (number, page) in expected(bodies).into_iter().enumerate() {
        if number + 1 != damaged {
            prop_assert!(
                read.contains(&page),
                "page {} lost by damage to {} at {}",
                number,
                damaged,
                place
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn sound_files_come_out_whole_from_every_container(bodies in bodies()) {
        let records = records_of(&bodies);
        // Where members are cut anywhere, one that begins with text like a record's is taken for one.
        let ambiguous = bodies.iter().any(|b| memchr::memmem::find(b, b"WARC/").is_some());
        for container in CONTAINERS {
            if matches!(container, Container::GzipBlocks) && ambiguous {
                continue;
            }
            let read = read_all(&pack(&records, container));
            prop_assert_eq!(pages(&read), expected(&bodies), "{:?}", container);
            prop_assert_eq!(read.len(), records.len(), "{:?}", container);
        }
    }

    #[test]
    fn sound_arc_files_come_out_whole_from_every_container(
        bodies in bodies(),
        version in 1u8..3,
        end in prop::sample::select(vec!["\n", "", "\r\n", "\n\n"]),
    ) {
        let records = arc_records_of(&bodies, version, end);
        for container in CONTAINERS {
            let read = read_all(&pack(&records, container));
            prop_assert_eq!(pages(&read), expected(&bodies), "{:?}", container);
            prop_assert_eq!(read.len(), records.len(), "{:?}", container);
        }
    }

    #[test]
    fn a_wrong_arc_length_costs_its_own_record_and_puts_no_page_under_a_foreign_address(
        bodies in bodies(),
        version in 1u8..3,
        end in prop::sample::select(vec!["\n", ""]),
        which in any::<prop::sample::Index>(),
        wrong in prop_oneof![(0usize..4000).prop_map(|n| n.to_string()), Just("999999999999".to_owned()), Just("-1".to_owned()), Just("x".to_owned())],
        reach in 0usize..3,
    ) {
        let bodies = marked(bodies);
        let mut records = arc_records_of(&bodies, version, end);
        let damaged = which.index(bodies.len()) + 1;
        let line = memchr::memchr(b'\n', &records[damaged]).unwrap();
        let start = memchr::memrchr(b' ', &records[damaged][..line]).unwrap() + 1;
        // As far as another record reaches, or anywhere.
        let behind: usize = records[damaged..].iter().take(reach + 1).map(Vec::len).sum();
        let wrong = if reach > 0 { (behind - line - 1 - end.len()).to_string() } else { wrong };
        let text = records[damaged].clone();
        records[damaged] = [&text[..start], wrong.as_bytes(), &text[line..]].concat();
        for container in [Container::Plain, Container::GzipMembers, Container::GzipWhole] {
            let records = read_all(&pack(&records, container));
            let read = pages(&records);
            for (number, page) in expected(&bodies).into_iter().enumerate() {
                let found = number + 1 == damaged || read.contains(&page);
                prop_assert!(found, "page {} lost, {:?}, length {}", number, container, wrong);
            }
            for record in &records {
                let Record::Page(page) = record else { continue };
                for number in 0..bodies.len() {
                    let mark = format!("#{number}#");
                    let holds = memchr::memmem::find(&page.body, mark.as_bytes()).is_some();
                    let own = page.url.ends_with(&format!("/{number}"));
                    prop_assert!(own || !holds, "{} holds {}, {:?}, length {}", page.url, mark, container, wrong);
                }
            }
        }
    }

    #[test]
    fn a_flipped_byte_costs_its_own_arc_member_only(
        bodies in bodies(),
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        flipped(&arc_records_of(&bodies, 1, "\n"), &bodies, which, (at, bit), gzip)?;
    }

    #[test]
    fn a_flipped_byte_costs_its_own_member_only(
        bodies in bodies(),
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        flipped(&records_of(&bodies), &bodies, which, (at, bit), gzip)?;
    }

    #[test]
    fn a_flipped_byte_costs_its_own_frame_only(
        bodies in bodies(),
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        flipped(&records_of(&bodies), &bodies, which, (at, bit), |record| zstd(record, None))?;
    }

    #[test]
    fn a_wrong_content_length_costs_its_own_record_only(bodies in bodies(), which in any::<prop::sample::Index>(), wrong in 0usize..4000) {
        let mut records = records_of(&bodies);
        let damaged = which.index(bodies.len());
        let text = records[damaged + 1].clone();
        let start = memchr::memmem::find(&text, b"Content-Length: ").unwrap() + 16;
        let end = start + memchr::memchr(b'\r', &text[start..]).unwrap();
        records[damaged + 1] = [&text[..start], wrong.to_string().as_bytes(), &text[end..]].concat();
        // A body that holds a record's beginning may rightly be taken for one once lengths lie.
        prop_assume!(!bodies.iter().any(|b| memchr::memmem::find(b, b"WARC/").is_some()));
        // A wrong length that ends just where another record begins looks like a right one.
        let block = memchr::memmem::find(&records[damaged + 1], b"\r\n\r\n").unwrap() + 4;
        let before: usize = records[..=damaged].iter().map(Vec::len).sum();
        let whole = records.concat();
        let behind = whole.get(before + block + wrong..).map(<[u8]>::trim_ascii_start);
        prop_assume!(behind.is_none_or(|rest| !rest.is_empty() && !rest.starts_with(b"WARC/")));
        for container in [Container::Plain, Container::GzipMembers, Container::GzipWhole] {
            let read = pages(&read_all(&pack(&records, container)));
            for (number, page) in expected(&bodies).into_iter().enumerate() {
                if number != damaged {
                    prop_assert!(read.contains(&page), "page {} lost, {:?}, length {}", number, container, wrong);
                }
            }
        }
    }
}

#[test]
fn site_files_are_handed_on_whatever_their_kind_and_letters() {
    let gated = Limits {
        gate: true,
        look: 64,
        skim: true,
        ..LIMITS
    };
    for (url, is_site) in [
        ("http://a.ru/robots.txt", true),
        ("https://a.ru:8080/.well-known/tdmrep.json", true),
        ("http://a.ru/docs/robots.txt", false),
        ("http://a.ru/robots.txt?x=1", false),
        ("http://a.ru/en/.well-known/tdmrep.json", false),
    ] {
        let file = pack(&[response(url, b"User-agent: *")], Container::GzipMembers);
        match read_within(&file, gated).as_slice() {
            [Record::Page(page)] => {
                assert!(is_site && page.record_type == page::SITE, "{url}");
                assert_eq!(page.body, b"User-agent: *");
            }
            found => assert!(
                !is_site && matches!(found, [Record::Dropped(_)]),
                "{url}: {found:?}"
            ),
        }
    }
}

#[test]
fn a_record_above_the_limit_is_passed_over() {
    let records = [
        response("http://h/0", b"<p>one"),
        response("http://h/1", &[b'x'; 5000]),
        response("http://h/2", b"<p>three"),
    ];
    for container in CONTAINERS {
        let read = read_all(&pack(&records, container));
        let urls: Vec<_> = pages(&read).into_iter().map(|(url, _)| url).collect();
        assert_eq!(urls, ["http://h/0", "http://h/2"], "{container:?}");
        let reason = |r: &Record| matches!(r, Record::Dropped(d) if d.reason == Reason::PageTooLarge);
        assert_eq!(read.iter().filter(|r| reason(r)).count(), 1, "{container:?}");
    }
}

#[test]
fn a_record_that_ends_anywhere_before_its_length_leaves_the_next_one_whole() {
    let end = |record: &[u8]| memchr::memmem::find(record, b"\r\n\r\n").unwrap() + 4;
    for length in [700, 5000] {
        // In a member with its own checksum or a wrong one: cut behind the head, at each step of reading.
        let record = response("http://h/0", &vec![b'x'; length]);
        for (held, sound) in (0..400).flat_map(|held| [(held, true), (held, false)]) {
            let mut cut = gzip(&record[..end(&record) + held]);
            let checksum = cut.len() - 8;
            cut[checksum] ^= u8::from(!sound);
            let file = [cut, gzip(&response("http://h/1", b"<p>whole"))].concat();
            let read = read_all(&file);
            let whole = [("http://h/1".to_owned(), b"<p>whole".to_vec())];
            assert_eq!(pages(&read), whole, "{length} {held} {sound}");
            let cut = |r: &&Record| matches!(r, Record::Dropped(d) if d.detail == "truncated" && d.record_id.is_empty());
            let reported = read.iter().filter(cut).count();
            assert!(
                reported <= 1 && read.len() - reported == 2,
                "{length} {held} {sound} {read:?}"
            );
        }
    }
}

#[test]
fn a_member_that_inflates_without_end_is_left_and_the_next_one_read() {
    let mut bomb = record("response", "http://h/0", "application/http", b"");
    let declared = memchr::memmem::find(&bomb, b"Content-Length: 0").unwrap();
    bomb.splice(declared + 16..declared + 17, *b"999999999");
    bomb.extend(vec![0; 3_000_000]);
    let file = [gzip(&bomb), gzip(&response("http://h/1", b"<p>after"))].concat();
    let read = read_all(&file);
    assert_eq!(pages(&read), [("http://h/1".to_owned(), b"<p>after".to_vec())]);
    assert!(
        matches!(&read[0], Record::Dropped(d) if d.detail == "bad_bomb"),
        "{:?}",
        read[0]
    );
}

#[test]
fn an_error_of_the_source_is_an_error() {
    struct Failing;
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the network is gone"))
        }
    }
    assert!(Reader::new(Failing, LIMITS).next_record().is_err());
}
