//! Counts files: what counting leaves and learning takes.
//!
//! All integers are little-endian. Header: `BUKVCNT1`; then u64: length of the pattern, documents, bytes of
//! text, pretokens, pretokens dropped, types dropped, short types, long types, bytes of all types; then the
//! pattern, a regular expression in UTF-8. Short records of 24 bytes follow: the key of `split::Key` (16
//! bytes, one little-endian integer) and the count, keys rising. Then the long records: u64 length, u64
//! count, bytes, in the order of their bytes. The file ends with `BUKVEND1`. Equal counts make equal files.
//!
//! `merge` adds files up, holding one record of each in memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::TrainError;
use super::table::CountTable;
use super::watch::Watch;
use crate::split::Key;

const MAGIC: &[u8; 8] = b"BUKVCNT1";
const END: &[u8; 8] = b"BUKVEND1";
/// Bytes of buffer for a file that is read or written: what keeps system calls rare.
const BUFFER: usize = 1 << 18;
/// Records between two looks at the clock.
const STRIDE: usize = 1 << 12;

/// What a counts file says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    pub pattern: String,
    pub documents: u64,
    pub bytes: u64,
    /// Occurrences of pretokens, those dropped included.
    pub pretokens: u64,
    pub dropped_pretokens: u64,
    pub dropped_types: u64,
    pub short_types: u64,
    pub long_types: u64,
    pub type_bytes: u64,
}

impl Header {
    fn numbers(&self) -> [u64; 9] {
        [
            self.pattern.len() as u64,
            self.documents,
            self.bytes,
            self.pretokens,
            self.dropped_pretokens,
            self.dropped_types,
            self.short_types,
            self.long_types,
            self.type_bytes,
        ]
    }

    fn add(&mut self, other: &Self) {
        self.documents += other.documents;
        self.bytes += other.bytes;
        self.pretokens += other.pretokens;
        self.dropped_pretokens += other.dropped_pretokens;
        self.dropped_types += other.dropped_types;
    }
}

/// A pretoken of a counts file. Short ones come first, so the derived order is the file's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    Short(Key),
    Long(Box<[u8]>),
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Short(key) => key.decode(&mut [0; 32]) as u64,
            Self::Long(bytes) => bytes.len() as u64,
        }
    }
}

/// Reads a counts file record by record.
pub struct Reader {
    path: PathBuf,
    header: Header,
    input: BufReader<File>,
    records: u64,
}

impl Reader {
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let file = File::open(path).map_err(|error| TrainError::file(path, &error))?;
        let mut input = BufReader::with_capacity(BUFFER, file);
        let header = read_header(&mut input).map_err(|error| TrainError::file(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            header,
            input,
            records: 0,
        })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next pretoken with its count; `None` after the last.
    pub fn read(&mut self) -> Result<Option<(Piece, u64)>, TrainError> {
        let record = self
            .record()
            .map_err(|error| TrainError::file(&self.path, &error))?;
        self.records += 1;
        Ok(record)
    }

    fn record(&mut self) -> io::Result<Option<(Piece, u64)>> {
        if self.records < self.header.short_types {
            let mut record = [0; 24];
            self.input.read_exact(&mut record)?;
            let (key, count) = record.split_at(16);
            let key = u128::from_le_bytes(key.try_into().map_err(io::Error::other)?);
            let count = u64::from_le_bytes(count.try_into().map_err(io::Error::other)?);
            if !Key(key).is_valid() {
                return Err(io::Error::other("is damaged: a key in it is none"));
            }
            return Ok(Some((Piece::Short(Key(key)), count)));
        }
        if self.records < self.header.short_types + self.header.long_types {
            let (len, count) = (read_u64(&mut self.input)?, read_u64(&mut self.input)?);
            let mut bytes = Vec::new();
            (&mut self.input).take(len).read_to_end(&mut bytes)?;
            return Ok(Some((Piece::Long(bytes.into()), count)));
        }
        let mut end = [0; 8];
        self.input.read_exact(&mut end)?;
        if &end == END {
            Ok(None)
        } else {
            Err(io::Error::other("is damaged: its end is missing"))
        }
    }
}

fn read_u64(input: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    input.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn read_header(input: &mut impl Read) -> io::Result<Header> {
    let mut magic = [0; 8];
    input.read_exact(&mut magic)?;
    if &magic != MAGIC {
        return Err(io::Error::other("is no counts file"));
    }
    let mut numbers = [0; 9];
    for number in &mut numbers {
        *number = read_u64(input)?;
    }
    let [
        len,
        documents,
        bytes,
        pretokens,
        dropped_pretokens,
        dropped_types,
        short_types,
        long_types,
        type_bytes,
    ] = numbers;
    let mut pattern = String::new();
    input.take(len).read_to_string(&mut pattern)?;
    Ok(Header {
        pattern,
        documents,
        bytes,
        pretokens,
        dropped_pretokens,
        dropped_types,
        short_types,
        long_types,
        type_bytes,
    })
}

/// Writes a counts file beside `path` and renames it into place; types are counted as they come.
struct Writer {
    path: PathBuf,
    aside: PathBuf,
    output: BufWriter<File>,
    header: Header,
}

impl Writer {
    fn create(path: &Path, about: Header) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".tmp");
        let aside = path.with_file_name(name);
        let mut output = BufWriter::with_capacity(BUFFER, File::create(&aside)?);
        let header = Header {
            short_types: 0,
            long_types: 0,
            type_bytes: 0,
            ..about
        };
        write_header(&mut output, &header)?;
        Ok(Self {
            path: path.to_owned(),
            aside,
            output,
            header,
        })
    }

    fn put(&mut self, piece: &Piece, count: u64) -> io::Result<()> {
        self.header.type_bytes += piece.len();
        match piece {
            Piece::Short(key) => {
                self.header.short_types += 1;
                self.output.write_all(&key.0.to_le_bytes())?;
                self.output.write_all(&count.to_le_bytes())
            }
            Piece::Long(bytes) => {
                self.header.long_types += 1;
                self.output.write_all(&(bytes.len() as u64).to_le_bytes())?;
                self.output.write_all(&count.to_le_bytes())?;
                self.output.write_all(bytes)
            }
        }
    }

    fn finish(mut self) -> io::Result<Header> {
        self.output.write_all(END)?;
        self.output.seek(SeekFrom::Start(0))?;
        write_header(&mut self.output, &self.header)?;
        self.output
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        std::fs::rename(&self.aside, &self.path)?;
        Ok(self.header)
    }
}

fn write_header(output: &mut impl Write, header: &Header) -> io::Result<()> {
    output.write_all(MAGIC)?;
    for number in header.numbers() {
        output.write_all(&number.to_le_bytes())?;
    }
    output.write_all(header.pattern.as_bytes())
}

/// Writes a table as a counts file.
pub fn write(path: &Path, table: &CountTable, about: &Header) -> Result<Header, TrainError> {
    let mut short: Vec<(Key, u64)> = table.short().collect();
    short.sort_unstable();
    let mut long: Vec<(&[u8], u64)> = table.long().collect();
    long.sort_unstable();
    let all = || -> io::Result<Header> {
        let mut writer = Writer::create(path, about.clone())?;
        for &(key, count) in &short {
            writer.put(&Piece::Short(key), count)?;
        }
        for &(bytes, count) in &long {
            writer.put(&Piece::Long(bytes.into()), count)?;
        }
        writer.finish()
    };
    all().map_err(|error| TrainError::file(path, &error))
}

/// Which pretokens a merge keeps: those seen at least `min_count` times; and if these are more than
/// `max_types` (0: no limit), only those above the count at which they are no more than that.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    pub min_count: u64,
    pub max_types: u64,
}

/// Adds counts files up into one, each count times the weight of its file (empty: 1 for all), rounded to the
/// nearest integer. What `keep` drops is counted in the header; documents and bytes there are not weighted.
pub fn merge(
    paths: &[PathBuf],
    weights: &[f64],
    out: &Path,
    keep: Keep,
    watch: &mut Watch<'_>,
) -> Result<Header, TrainError> {
    let mut about: Option<Header> = None;
    for path in paths {
        let reader = Reader::open(path)?;
        match &mut about {
            None => about = Some(reader.header().clone()),
            Some(about) if about.pattern == reader.header().pattern => about.add(reader.header()),
            Some(_) => return Err(TrainError::Patterns(path.clone())),
        }
    }
    let mut about = about.ok_or(TrainError::Empty)?;
    let least = least_count(paths, weights, keep, watch)?;
    let mut dropped = (0, 0);
    let mut writer = Writer::create(out, about.clone()).map_err(|error| TrainError::file(out, &error))?;
    merged(paths, weights, watch, |piece, count| {
        if count >= least {
            return writer
                .put(piece, count)
                .map_err(|error| TrainError::file(out, &error));
        }
        dropped = (dropped.0 + count, dropped.1 + 1);
        Ok(())
    })?;
    about.dropped_pretokens += dropped.0;
    about.dropped_types += dropped.1;
    writer.header.dropped_pretokens = about.dropped_pretokens;
    writer.header.dropped_types = about.dropped_types;
    writer.finish().map_err(|error| TrainError::file(out, &error))
}

/// The least count that is kept: needs a pass of its own when types are limited.
fn least_count(
    paths: &[PathBuf],
    weights: &[f64],
    keep: Keep,
    watch: &mut Watch<'_>,
) -> Result<u64, TrainError> {
    if keep.max_types == 0 {
        return Ok(keep.min_count);
    }
    let mut types_by_count = BTreeMap::<u64, u64>::new();
    merged(paths, weights, watch, |_, count| {
        *types_by_count.entry(count).or_default() += 1;
        Ok(())
    })?;
    let mut types = 0;
    let mut least = u64::MAX;
    for (&count, &more) in types_by_count.iter().rev() {
        types += more;
        if types > keep.max_types {
            break;
        }
        least = count;
    }
    Ok(least.max(keep.min_count))
}

/// Calls `visit` with every pretoken of the files and its count over all of them, in the files' order.
fn merged(
    paths: &[PathBuf],
    weights: &[f64],
    watch: &mut Watch<'_>,
    mut visit: impl FnMut(&Piece, u64) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let mut readers = paths
        .iter()
        .map(|path| Reader::open(path))
        .collect::<Result<Vec<_>, _>>()?;
    let records = |reader: &Reader| (reader.header.short_types + reader.header.long_types) as usize;
    let total = readers.iter().map(records).sum();
    let mut done = 0;
    let weighted = |index: usize, count: u64| match weights.get(index) {
        Some(&weight) if weight != 1.0 => (count as f64 * weight).round() as u64,
        _ => count,
    };
    let mut heads = BinaryHeap::new();
    for (index, reader) in readers.iter_mut().enumerate() {
        heads.extend(
            reader
                .read()?
                .map(|(piece, count)| Reverse((piece, index, count))),
        );
    }
    while let Some(Reverse((piece, index, count))) = heads.pop() {
        if done % STRIDE == 0 {
            watch.at("merge", done, total)?;
        }
        done += 1;
        let mut sum = weighted(index, count);
        heads.extend(
            readers[index]
                .read()?
                .map(|(piece, count)| Reverse((piece, index, count))),
        );
        while heads.peek().is_some_and(|Reverse((next, ..))| *next == piece) {
            let Some(Reverse((_, index, count))) = heads.pop() else {
                break;
            };
            sum += weighted(index, count);
            done += 1;
            heads.extend(
                readers[index]
                    .read()?
                    .map(|(piece, count)| Reverse((piece, index, count))),
            );
        }
        if sum > 0 {
            visit(&piece, sum)?;
        }
    }
    Ok(())
}
