//! The files that phases pass to each other. All numbers are little-endian.
//!
//! `.sign`, of one shard (`D` documents, `B` bands, `K` buckets, `W` values of signature kept a document):
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic `bukvsig1` |
//! | 4 x 6 | 0, bands, rows a band, words a shingle, buckets, W |
//! | 8 x 2 | seed, D |
//! | 8 x K x (B+1) | records in each section: for each bucket, each band and then the exact hashes |
//! | 4 x D | words of each document |
//! | 16 x D | doc_id of each document |
//! | 4 x W x D | signatures |
//! | 12 or 20 a record | the sections in the same order: (band hash, row), or (exact hash of 16 bytes, row) |
//!
//! A record's bucket is `hash * K / 2^64`, the exact hash counting by its first eight bytes. So one bucket
//! of all shards holds every document that could share a hash with another of the bucket, for every band.
//!
//! `.edges`, of one bucket: magic `bukvedg1`, 8 x 2 counts of exact and near edges, then the edges, exact
//! first: shard and row of the earlier document, shard and row of the other (4 x 4).
//!
//! `.marks`, of one shard: magic `bukvmrk1`, 8 x 2 documents and dropped documents, then per document the
//! cluster's size (4), the first four bytes of its doc_id (to notice a mix-up) and its fate (1: 0 kept, 1
//! exact, 2 near duplicate), as three arrays, then the doc_id of the kept document for each dropped one (16).

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::{fmt, fs, process};

/// First bytes of a `.sign` file.
pub const SIGN_MAGIC: &[u8; 8] = b"bukvsig1";
/// First bytes of an `.edges` file.
pub const EDGES_MAGIC: &[u8; 8] = b"bukvedg1";
/// First bytes of a `.marks` file.
pub const MARKS_MAGIC: &[u8; 8] = b"bukvmrk1";

/// Bytes of a document's identity and of the exact hash.
pub const ID: usize = 16;
/// Bytes of a band hash and its row.
pub const NEAR_RECORD: usize = 8 + 4;
/// Bytes of an exact hash and its row.
pub const EXACT_RECORD: usize = ID + 4;
/// Bytes of an edge.
pub const EDGE: usize = 16;
const SIGN_HEAD: u64 = 8 + 4 * 6 + 8 * 2;
/// Buffer of a sequential reader or writer: large enough that a spinning disk reads more than it seeks.
const BUFFER: usize = 1 << 20;

/// What can go wrong in a phase.
#[derive(Debug)]
pub enum DedupError {
    /// The file can't be read or written.
    Io(PathBuf, io::Error),
    /// A file is not what it should be: truncated, of another run, or not ours.
    Format(PathBuf, String),
    /// What parameters can't be worked with, and why.
    Parameters(String),
}

impl fmt::Display for DedupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Format(path, what) => write!(f, "{}: {what}", path.display()),
            Self::Parameters(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for DedupError {}

/// What the phases return.
pub type Result<T> = std::result::Result<T, DedupError>;

pub(crate) fn io_error(path: &Path) -> impl Fn(io::Error) -> DedupError + '_ {
    move |error| match error.kind() {
        io::ErrorKind::UnexpectedEof => DedupError::Format(path.into(), "is truncated".into()),
        _ => DedupError::Io(path.into(), error),
    }
}

/// How a shard was signed; equal in all files of a run but for `shard`, its place among them, which is 0 in
/// the file: a shard's signatures do not depend on what else is in the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheme {
    pub shard: u32,
    /// Zero: exact hashes only.
    pub bands: u32,
    pub rows: u32,
    pub ngram: u32,
    pub buckets: u32,
    pub seed: u64,
    pub keep_signatures: bool,
}

/// Values of a signature, or words of a shingle: ten times the widest in use, and sums fit their types.
const MOST: u32 = 4096;
/// Buckets: a file's table of counts stays below 0.5 GB.
const MOST_BUCKETS: u32 = 1 << 16;

impl Scheme {
    /// Err with what to do where a value can't be worked with.
    pub fn check(&self) -> Result<()> {
        let wrong = |what: &str| Err(DedupError::Parameters(what.into()));
        if self.bands > MOST || !(1..=MOST).contains(&self.rows) || self.bands * self.rows > MOST {
            return wrong("bands * rows must lie in 1..4096");
        }
        if !(1..=MOST).contains(&self.ngram) {
            return wrong("ngram must lie in 1..4096 words");
        }
        if !(1..=MOST_BUCKETS).contains(&self.buckets) {
            return wrong("buckets must lie in 1..65536");
        }
        Ok(())
    }

    /// Values of a signature that are kept; 0 where signatures are not.
    pub fn width(&self) -> usize {
        if self.keep_signatures {
            (self.bands * self.rows) as usize
        } else {
            0
        }
    }

    /// Sections of a bucket: one a band, one of exact hashes.
    pub fn sections(&self) -> usize {
        self.bands as usize + 1
    }

    /// The bucket that a hash falls into.
    pub fn bucket_of(&self, hash: u64) -> usize {
        ((u128::from(hash) * u128::from(self.buckets)) >> 64) as usize
    }

    pub(crate) fn write_head(&self, documents: u64, out: &mut impl Write) -> io::Result<()> {
        out.write_all(SIGN_MAGIC)?;
        let width = self.width() as u32;
        for value in [0, self.bands, self.rows, self.ngram, self.buckets, width] {
            out.write_all(&value.to_le_bytes())?;
        }
        out.write_all(&self.seed.to_le_bytes())?;
        out.write_all(&documents.to_le_bytes())
    }

    /// Bytes of a record of a section.
    pub fn record_bytes(&self, section: usize) -> usize {
        if section < self.bands as usize {
            NEAR_RECORD
        } else {
            EXACT_RECORD
        }
    }
}

/// The head of a `.sign` file and where its parts lie.
#[derive(Debug)]
pub struct SignFile {
    pub path: PathBuf,
    pub scheme: Scheme,
    pub documents: u64,
}

impl SignFile {
    /// Reads the head and checks the file's length against it.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(io_error(path))?;
        let found = file.metadata().map_err(io_error(path))?.len();
        let foreign = |what: &str| DedupError::Format(path.into(), what.into());
        if read_array::<8>(&mut file).map_err(io_error(path))? != *SIGN_MAGIC {
            return Err(foreign("is not a .sign file"));
        }
        let mut numbers = [0; 6];
        for number in &mut numbers {
            *number = u32::from_le_bytes(read_array(&mut file).map_err(io_error(path))?);
        }
        let [shard, bands, rows, ngram, buckets, width] = numbers;
        let seed = u64::from_le_bytes(read_array(&mut file).map_err(io_error(path))?);
        let documents = u64::from_le_bytes(read_array(&mut file).map_err(io_error(path))?);
        let scheme = Scheme {
            shard,
            bands,
            rows,
            ngram,
            buckets,
            seed,
            keep_signatures: width > 0,
        };
        scheme
            .check()
            .map_err(|_| foreign("has impossible parameters: damaged"))?;
        if scheme.width() != width as usize || documents > u64::from(u32::MAX) {
            return Err(foreign("has impossible sizes: damaged"));
        }
        let sign = Self {
            path: path.into(),
            scheme,
            documents,
        };
        let expected = sign.length(&sign.counts(&mut file)?);
        if expected != u128::from(found) {
            return Err(foreign(&format!(
                "has {found} bytes, not {expected}: truncated or damaged"
            )));
        }
        Ok(sign)
    }

    fn counts(&self, file: &mut File) -> Result<Vec<u64>> {
        let number = self.scheme.buckets as usize * self.scheme.sections();
        let found = file.metadata().map_err(io_error(&self.path))?.len();
        if SIGN_HEAD + 8 * number as u64 > found {
            return Err(DedupError::Format(self.path.clone(), "is truncated".into()));
        }
        let mut bytes = vec![0; 8 * number];
        read_exact_at(file, &mut bytes, SIGN_HEAD).map_err(io_error(&self.path))?;
        Ok(bytes
            .as_chunks::<8>()
            .0
            .iter()
            .map(|b| u64::from_le_bytes(*b))
            .collect())
    }

    fn length(&self, counts: &[u64]) -> u128 {
        let sections = self.scheme.sections();
        let records: u128 = counts
            .iter()
            .enumerate()
            .map(|(i, &count)| u128::from(count) * self.scheme.record_bytes(i % sections) as u128)
            .sum();
        u128::from(self.records_start()) + records
    }

    fn words_start(&self) -> u64 {
        SIGN_HEAD + 8 * u64::from(self.scheme.buckets) * self.scheme.sections() as u64
    }

    fn ids_start(&self) -> u64 {
        self.words_start() + 4 * self.documents
    }

    fn signatures_start(&self) -> u64 {
        self.ids_start() + ID as u64 * self.documents
    }

    fn records_start(&self) -> u64 {
        self.signatures_start() + 4 * self.scheme.width() as u64 * self.documents
    }

    /// Words of every document.
    pub fn words(&self) -> Result<Vec<u32>> {
        let bytes = self.part(self.words_start(), 4 * self.documents as usize)?;
        Ok(bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| u32::from_le_bytes(*b))
            .collect())
    }

    /// doc_ids of every document, one after the other.
    pub fn ids(&self) -> Result<Vec<u8>> {
        self.part(self.ids_start(), ID * self.documents as usize)
    }

    /// Where the signature of a row begins; only where signatures were kept.
    pub fn signature_start(&self, row: u32) -> u64 {
        self.signatures_start() + 4 * self.scheme.width() as u64 * u64::from(row)
    }

    /// The place and length of each section of one bucket.
    pub fn bucket(&self, bucket: u32) -> Result<Vec<(u64, usize)>> {
        let mut file = File::open(&self.path).map_err(io_error(&self.path))?;
        let counts = self.counts(&mut file)?;
        let sections = self.scheme.sections();
        let mut start = self.records_start();
        let mut found = Vec::with_capacity(sections);
        for (i, &count) in counts.iter().enumerate().take((bucket as usize + 1) * sections) {
            let bytes = count * self.scheme.record_bytes(i % sections) as u64;
            if i >= bucket as usize * sections {
                found.push((start, bytes as usize));
            }
            start += bytes;
        }
        Ok(found)
    }

    /// `length` bytes of the file from `start` on.
    pub fn part(&self, start: u64, length: usize) -> Result<Vec<u8>> {
        let file = File::open(&self.path).map_err(io_error(&self.path))?;
        let mut bytes = vec![0; length];
        read_exact_at(&file, &mut bytes, start).map_err(io_error(&self.path))?;
        Ok(bytes)
    }
}

/// Opens the `.sign` files of one run: same parameters; a file's place in the list is its shard.
pub fn open_run(paths: &[PathBuf]) -> Result<Vec<SignFile>> {
    let mut run: Vec<SignFile> = Vec::with_capacity(paths.len());
    for (path, shard) in paths.iter().zip(0u32..) {
        let mut sign = SignFile::open(path)?;
        sign.scheme.shard = shard;
        if run.first().is_some_and(|first| {
            Scheme {
                shard,
                ..first.scheme
            } != sign.scheme
        }) {
            let what = "was signed with other parameters than the first shard";
            return Err(DedupError::Format(path.clone(), what.into()));
        }
        run.push(sign);
    }
    Ok(run)
}

pub(crate) fn read_array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, bytes: &mut [u8], start: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, start)
}

pub(crate) fn reader(path: &Path) -> Result<BufReader<File>> {
    Ok(BufReader::with_capacity(
        BUFFER,
        File::open(path).map_err(io_error(path))?,
    ))
}

/// Writes a file aside and renames it into place once it is whole; nothing is left on an error.
pub(crate) fn publish(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    // The project's name for a file being written: what a killed task leaves behind is found by it.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // A path that has such a name already is its owner's to rename.
    let aside = if name.ends_with(".partial") {
        path.to_path_buf()
    } else {
        path.with_file_name(format!(".{name}.{}.partial", process::id()))
    };
    let write = || {
        let mut out = BufWriter::with_capacity(BUFFER, File::create(&aside).map_err(io_error(path))?);
        fill(&mut out)?;
        out.flush().map_err(io_error(path))?;
        fs::rename(&aside, path).map_err(io_error(path))
    };
    let done = write();
    if done.is_err() {
        // The first error is returned; a file that can't be removed has the same cause.
        let _ = fs::remove_file(&aside);
    }
    done
}
