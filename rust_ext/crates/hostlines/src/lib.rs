//! Lines that stand on many pages of one host: menus, disclaimers, boxes about the author.
//!
//! A line of a host is a 16-byte BLAKE2b digest of host and line (spaces at its ends left out): two lines that
//! differ have different digests, by the strength of the hash. A page counts once for each of its lines.
//! Three steps, each of independent tasks: `Writer` writes the digests of a shard's pages, cut into buckets;
//! `count` reads one bucket of all shards and keeps the digests of more than so many pages; `Stripper` takes
//! those lines out of a shard's texts. Memory: a block of the writer, one bucket of the counter, and of the
//! stripper the lines that go from its own shard.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use blake2b_simd::Params;

/// Of a host and one of its lines.
pub type Digest = [u8; 16];

const MAGIC: &[u8; 8] = b"bkvlin1\n";
/// Digests that a writer holds before it writes them: 64 MiB.
const BLOCK: usize = 4 << 20;

/// The digest of a line; `None` where the line is empty.
pub fn digest(host: &str, line: &str) -> Option<Digest> {
    let line = line.trim();
    if line.is_empty() {
        return None;
    }
    let hash = Params::new()
        .hash_length(16)
        .to_state()
        .update(host.as_bytes())
        .update(b"\n")
        .update(line.as_bytes())
        .finalize();
    let mut out = [0; 16];
    out.copy_from_slice(hash.as_bytes());
    Some(out)
}

fn bucket_of(digest: &Digest, buckets: usize) -> usize {
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    (u64::from_le_bytes(first) % buckets as u64) as usize
}

/// Writes the digests of pages to a file, in blocks that are cut into buckets.
pub struct Writer {
    file: BufWriter<File>,
    buckets: usize,
    held: Vec<Digest>,
    page: HashSet<Digest>,
}

impl Writer {
    /// Begins a file of `buckets` buckets.
    pub fn create(path: &Path, buckets: usize) -> std::io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(MAGIC)?;
        file.write_all(&(buckets as u64).to_le_bytes())?;
        Ok(Self {
            file,
            buckets: buckets.max(1),
            held: Vec::new(),
            page: HashSet::new(),
        })
    }

    /// Adds one page; a page without a host has no lines that count.
    pub fn add(&mut self, host: &str, text: &str) -> std::io::Result<()> {
        if host.is_empty() {
            return Ok(());
        }
        self.page.clear();
        for found in text.split('\n').filter_map(|line| digest(host, line)) {
            if self.page.insert(found) {
                self.held.push(found);
                if self.held.len() >= BLOCK {
                    self.flush()?;
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let buckets = self.buckets;
        self.held.sort_unstable_by_key(|d| (bucket_of(d, buckets), *d));
        let mut starts = vec![0u64; buckets + 1];
        for found in &self.held {
            starts[bucket_of(found, buckets) + 1] += 1;
        }
        for n in 0..buckets {
            starts[n + 1] += starts[n];
        }
        for start in starts {
            self.file.write_all(&start.to_le_bytes())?;
        }
        for found in self.held.drain(..) {
            self.file.write_all(&found)?;
        }
        Ok(())
    }

    /// Writes what is held and the table of sections.
    pub fn close(mut self) -> std::io::Result<()> {
        if !self.held.is_empty() {
            self.flush()?;
        }
        self.file.flush()
    }
}

/// Calls `take` with every digest of one bucket of a writer's file.
fn read_bucket(path: &Path, bucket: usize, mut take: impl FnMut(Digest)) -> std::io::Result<usize> {
    let damaged = || {
        std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "not a file of lines, or cut short",
        )
    };
    let mut file = BufReader::new(File::open(path)?);
    let size = file.get_ref().metadata()?.len();
    let mut head = [0; 16];
    file.read_exact(&mut head).map_err(|_| damaged())?;
    let mut number = [0; 8];
    number.copy_from_slice(&head[8..]);
    let buckets = usize::try_from(u64::from_le_bytes(number)).map_err(|_| damaged())?;
    if head[..8] != *MAGIC || bucket >= buckets || buckets as u64 > size {
        return Err(damaged());
    }
    let mut at = 16u64;
    let mut starts = vec![0; (buckets + 1) * 8];
    while at < size {
        file.read_exact(&mut starts).map_err(|_| damaged())?;
        let start = |n: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&starts[n * 8..][..8]);
            u64::from_le_bytes(bytes)
        };
        let (from, to, all) = (start(bucket), start(bucket + 1), start(buckets));
        let block = at + starts.len() as u64;
        let end = all.checked_mul(16).and_then(|bytes| bytes.checked_add(block));
        if from > to || to > all || end.is_none_or(|end| end > size) {
            return Err(damaged());
        }
        file.seek(SeekFrom::Start(block + from * 16))?;
        for _ in from..to {
            let mut found = [0; 16];
            file.read_exact(&mut found).map_err(|_| damaged())?;
            take(found);
        }
        at = block + all * 16;
        file.seek(SeekFrom::Start(at))?;
    }
    Ok(buckets)
}

/// Counts one bucket of all files; writes the digests that stand on more than `pages` pages, sorted. Returns
/// how many lines there are, and how many of them are written.
pub fn count(
    paths: &[impl AsRef<Path>],
    bucket: usize,
    pages: usize,
    out: &Path,
) -> std::io::Result<(u64, u64)> {
    let mut all: Vec<Digest> = Vec::new();
    for path in paths {
        read_bucket(path.as_ref(), bucket, |found| all.push(found))?;
    }
    all.sort_unstable();
    let mut file = BufWriter::new(File::create(out)?);
    let (mut lines, mut kept) = (0, 0);
    for same in all.chunk_by(|a, b| a == b) {
        lines += 1;
        if same.len() > pages {
            kept += 1;
            file.write_all(&same[0])?;
        }
    }
    file.flush()?;
    Ok((lines, kept))
}

/// Takes lines of many pages out of a shard's texts.
pub struct Stripper {
    lines: HashSet<Digest>,
}

/// A text without such lines, how many went, and how many characters with them (their ends included).
#[derive(Debug, PartialEq, Eq)]
pub struct Stripped {
    pub text: String,
    pub lines: usize,
    pub chars: usize,
}

impl Stripper {
    /// `own` is the shard's file of a `Writer`, `counted` the outputs of `count`, one a bucket, in order.
    pub fn open(own: &Path, counted: &[impl AsRef<Path>]) -> std::io::Result<Self> {
        let mut lines = HashSet::new();
        for (bucket, path) in counted.iter().enumerate() {
            let bytes = std::fs::read(path.as_ref())?;
            let many: Vec<Digest> = bytes.as_chunks::<16>().0.to_vec();
            if many.is_empty() {
                continue;
            }
            read_bucket(own, bucket, |found| {
                if many.binary_search(&found).is_ok() {
                    lines.insert(found);
                }
            })?;
        }
        Ok(Self { lines })
    }

    /// `None` where no line goes.
    pub fn strip(&self, host: &str, text: &str) -> Option<Stripped> {
        if self.lines.is_empty() || host.is_empty() {
            return None;
        }
        let goes = |line: &str| digest(host, line).is_some_and(|d| self.lines.contains(&d));
        let kept: Vec<&str> = text.split('\n').filter(|line| !goes(line)).collect();
        let lines = text.split('\n').count() - kept.len();
        if lines == 0 {
            return None;
        }
        let out = kept.join("\n");
        let chars = text.chars().count() - out.chars().count();
        Some(Stripped {
            text: out,
            lines,
            chars,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn folder(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("bukvar-hostlines-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// A map from host and line to the pages it stands on is the oracle.
        #[test]
        fn lines_that_go_are_those_of_many_pages(
            shards in prop::collection::vec(prop::collection::vec(
                ("[ab]?", prop::collection::vec("[xyz ]{0,2}", 0..6)), 0..12), 1..4),
            pages in 0usize..4,
            buckets in 1usize..5,
        ) {
            let folder = folder("property");
            let mut places: BTreeMap<(String, String), BTreeSet<(usize, usize)>> = BTreeMap::new();
            let mut files = Vec::new();
            for (s, shard) in shards.iter().enumerate() {
                let path = folder.join(format!("{s}.lines"));
                let mut writer = Writer::create(&path, buckets).unwrap();
                for (p, (host, lines)) in shard.iter().enumerate() {
                    writer.add(host, &lines.join("\n")).unwrap();
                    for line in lines {
                        let key = (host.clone(), line.trim().to_owned());
                        places.entry(key).or_default().insert((s, p));
                    }
                }
                writer.close().unwrap();
                files.push(path);
            }
            let counted: Vec<_> = (0..buckets).map(|b| {
                let out = folder.join(format!("{b}.many"));
                count(&files, b, pages, &out).unwrap();
                out
            }).collect();
            for (s, shard) in shards.iter().enumerate() {
                let stripper = Stripper::open(&files[s], &counted).unwrap();
                for (host, lines) in shard {
                    let goes = |line: &&String| {
                        let line = line.trim();
                        let many = places[&(host.clone(), line.to_owned())].len() > pages;
                        !host.is_empty() && !line.is_empty() && many
                    };
                    let text = lines.join("\n");
                    let kept: Vec<&str> = lines.iter().filter(|l| !goes(l)).map(String::as_str).collect();
                    let expected = (kept.len() < lines.len()).then(|| kept.join("\n"));
                    prop_assert_eq!(stripper.strip(host, &text).map(|s| s.text), expected);
                }
            }
        }
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        let folder = folder("damaged");
        let path = folder.join("x");
        for bytes in [
            &b""[..],
            b"bkvlin1\n\x01\0\0\0\0\0\0\0cut",
            b"something else entirely",
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert!(read_bucket(&path, 0, |_| ()).is_err());
        }
    }
}
