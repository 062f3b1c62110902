//! Reading and writing a counts file record by record.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::TrainError;
use crate::progress::Progress;
use crate::table::CountTable;
use bukvar_split::Key;

const MAGIC: &[u8; 8] = b"BUKVCNT1";
const END: &[u8; 8] = b"BUKVEND1";
/// Bytes of buffer for a file that is read or written: what keeps system calls rare.
const BUFFER: usize = 1 << 18;
/// Records between two looks at the clock.
pub(super) const STRIDE: usize = 1 << 12;

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

    pub(super) fn add(&mut self, other: &Self) {
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
    /// One that is packed into a key.
    Short(Key),
    /// Any other, as its bytes.
    Long(Box<[u8]>),
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Short(key) => key.decoded_len() as u64,
            Self::Long(bytes) => bytes.len() as u64,
        }
    }
}

/// Reads a counts file record by record.
pub struct Reader {
    path: PathBuf,
    pub(super) header: Header,
    input: BufReader<File>,
    records: u64,
}

impl Reader {
    /// Opens a counts file. Err where it is none, or is cut short.
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

    /// What the file says of itself.
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
pub(super) struct Writer {
    path: PathBuf,
    aside: PathBuf,
    output: BufWriter<File>,
    pub(super) header: Header,
}

impl Writer {
    pub(super) fn create(path: &Path, about: Header) -> io::Result<Self> {
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

    pub(super) fn put(&mut self, piece: &Piece, count: u64) -> io::Result<()> {
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

    /// Leaves nothing behind.
    pub(super) fn give_up(self, error: TrainError) -> TrainError {
        // What cannot be removed is a leftover beside the result, not a wrong result.
        let _ = std::fs::remove_file(&self.aside);
        error
    }

    pub(super) fn finish(mut self) -> io::Result<Header> {
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
pub fn write(
    path: &Path,
    table: &CountTable,
    about: &Header,
    progress: &mut Progress<'_>,
) -> Result<Header, TrainError> {
    let mut short: Vec<(Key, u64)> = table.short().collect();
    progress.check()?;
    short.sort_unstable();
    let mut long: Vec<(&[u8], u64)> = table.long().collect();
    long.sort_unstable();
    let failed = |error: io::Error| TrainError::file(path, &error);
    let mut writer = Writer::create(path, about.clone()).map_err(failed)?;
    let mut all = || {
        for records in short.chunks(STRIDE) {
            progress.check()?;
            for &(key, count) in records {
                writer.put(&Piece::Short(key), count).map_err(failed)?;
            }
        }
        for &(bytes, count) in &long {
            writer.put(&Piece::Long(bytes.into()), count).map_err(failed)?;
        }
        Ok(())
    };
    match all() {
        Ok(()) => writer.finish().map_err(failed),
        Err(error) => Err(writer.give_up(error)),
    }
}
