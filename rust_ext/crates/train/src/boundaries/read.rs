//! Reading a list of segmented words, in parts, one a thread.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::{BINS, Boundaries, Entry, Masks, Progress, TrainError, parallel};
use bukvar_split::Key;
use bukvar_split::key::MAX_LETTERS;
use bukvar_split::lanes::cyrillic;

/// Bytes of a list that are worth a thread of their own.
const SHARE: usize = if cfg!(test) { 64 } else { 1 << 20 };
/// Bytes of a line of Russian, on average: memory grows where there are more.
const LINE: usize = 40;
/// Bytes read at once in search of a line's end.
const END: usize = 256;
/// Lines between two looks at the clock.
const STRIDE: usize = 1 << 12;

/// The word, the mask and the length of the line that the text begins with, if it is one of 1..=14 letters
/// U+0400..U+047F: nearly all are.
#[inline(always)]
fn letters(text: &[u8]) -> Option<(Key, u64, usize)> {
    let run = |at: usize| -> Option<(u128, u32)> {
        let run = cyrillic(text.get(at..)?.first_chunk()?);
        let letters = run.letters.trailing_ones();
        Some((run.codes & ((1u128 << (8 * letters.min(15))) - 1), letters))
    };
    let (word, letters) = run(0)?;
    let mut at = 2 * letters as usize + 1;
    if !(1..=MAX_LETTERS).contains(&letters) || text[at - 1] != b'\t' {
        return None;
    }
    let (mut codes, mut done, mut mask) = (0, 0, 0);
    loop {
        let (more, len) = run(at)?;
        if done + len > letters {
            return None;
        }
        codes |= more << (8 * done);
        done += len;
        at += 2 * len as usize + 1;
        match text[at - 1] {
            b'|' => mask |= 1 << done,
            b'\n' => break,
            _ => return None,
        }
    }
    (codes == word).then(|| (Key::of_letters(word, letters, None), mask, at))
}

/// What one part of a list holds.
#[derive(Default)]
struct Lines {
    /// Words held by their keys, by table, in the order of the lines.
    words: Vec<Vec<Entry>>,
    others: Vec<(Box<str>, Box<[u16]>)>,
    lines: usize,
    /// The line that is of another form, by its number from 1 in this part; nothing is read after it.
    bad: Option<(usize, String)>,
}

impl Lines {
    fn read(text: &str, progress: &mut Progress<'_>) -> Result<Self, TrainError> {
        let room = text.len() / LINE / BINS;
        let mut all = Self {
            words: (0..BINS).map(|_| Vec::with_capacity(room)).collect(),
            ..Self::default()
        };
        let mut rest = text;
        while !rest.is_empty() {
            all.lines += 1;
            if all.lines.is_multiple_of(STRIDE) {
                progress.check()?;
            }
            if let Some((key, mask, len)) = letters(rest.as_bytes()) {
                all.add(key, mask);
                rest = &rest[len..];
                continue;
            }
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            rest = after;
            let line = line.strip_suffix('\r').unwrap_or(line);
            if !line.is_empty() && !line.starts_with('#') && all.read_line(line).is_none() {
                all.bad = Some((all.lines, line.chars().take(60).collect()));
                break;
            }
        }
        Ok(all)
    }

    fn add(&mut self, key: Key, mask: u64) {
        self.words[Boundaries::bin(key)].push(Entry::new(key, mask));
    }

    /// `None` for a line of another form.
    fn read_line(&mut self, line: &str) -> Option<()> {
        let (word, morphs) = line.split_at(memchr::memchr(b'\t', line.as_bytes())?);
        let (word, morphs) = (word.as_bytes(), &morphs.as_bytes()[1..]);
        let key = Key::of(word);
        let short = key.letters().is_some();
        let (mut mask, mut starts) = (0u64, Vec::new());
        let (mut at, mut letters) = (0, 0u32);
        for &byte in morphs {
            if byte == b'|' {
                if short {
                    mask |= 1 << letters;
                } else {
                    starts.push(u16::try_from(letters).ok()?);
                }
            } else {
                if word.get(at) != Some(&byte) {
                    return None;
                }
                at += 1;
                letters += u32::from(byte & 0xc0 != 0x80);
            }
        }
        if at != word.len() || word.is_empty() {
            return None;
        }
        if short {
            self.add(key, mask);
        } else {
            self.others.push((line[..word.len()].into(), starts.into()));
        }
        Some(())
    }
}

impl Boundaries {
    /// Reads lines `word<TAB>morph|morph|...`, in which the morphs make up the word; of a word that occurs
    /// twice, the first line counts. Empty lines and lines that begin with `#` are passed over.
    pub fn parse(text: &str, threads: usize, progress: &mut Progress<'_>) -> Result<Self, TrainError> {
        let parts = parts(text.len(), threads);
        let bytes = text.as_bytes();
        let start = |part: usize| {
            let from = text.len() / parts * part;
            if part == 0 {
                return 0;
            }
            // Behind the line's end at or after the byte before.
            memchr::memchr(b'\n', &bytes[from - 1..]).map_or(text.len(), |end| from + end)
        };
        let ranges: Vec<_> = (0..parts)
            .map(|part| {
                start(part)..if part + 1 < parts {
                    start(part + 1)
                } else {
                    text.len()
                }
            })
            .collect();
        let lines = parallel::map(ranges.into_iter(), progress, |range, _, progress| {
            Lines::read(&text[range], progress)
        })?;
        Self::of_lines(lines, progress)
    }

    /// The same from a file.
    pub fn read(path: &Path, threads: usize, progress: &mut Progress<'_>) -> Result<Self, TrainError> {
        let failed = |error: io::Error| TrainError::File {
            path: path.to_owned(),
            why: error.to_string(),
        };
        let size = std::fs::metadata(path).map_err(failed)?.len();
        let parts = parts(size as usize, threads);
        let start = |part: usize| size / parts as u64 * part as u64;
        let lines = parallel::map(0..parts, progress, |part, _, progress| {
            let to = (part + 1 < parts).then(|| start(part + 1));
            let bytes = lines_between(path, start(part), to).map_err(failed)?;
            let text = simdutf8::basic::from_utf8(&bytes).map_err(|_| TrainError::utf8(&bytes))?;
            Lines::read(text, progress)
        })?;
        Self::of_lines(lines, progress)
    }

    fn of_lines(parts: Vec<Lines>, progress: &mut Progress<'_>) -> Result<Self, TrainError> {
        let mut before = 0;
        for part in &parts {
            if let Some((line, text)) = &part.bad {
                return Err(TrainError::Boundaries {
                    line: before + line,
                    text: text.clone(),
                });
            }
            before += part.lines;
        }
        let mut all = Self::default();
        let workers = parts.len();
        let filled = parallel::map(0..workers, progress, |worker, _, progress| {
            let bins = (worker..BINS).step_by(workers);
            bins.map(|bin| {
                progress.check()?;
                let words = || parts.iter().map(|part| &part.words[bin]);
                let mut table = Masks::with_room(words().map(Vec::len).sum());
                for entry in words().flatten() {
                    table.add(entry.key(), entry.count);
                }
                Ok((bin, table))
            })
            .collect::<Result<Vec<_>, _>>()
        })?;
        let mut tables: Vec<_> = filled.into_iter().flatten().collect();
        tables.sort_by_key(|(bin, _)| *bin);
        all.masks = tables.into_iter().map(|(_, table)| table).collect();
        for (word, starts) in parts.into_iter().flat_map(|part| part.others) {
            all.ascii |= word.bytes().any(|byte| byte.is_ascii());
            all.others.entry(word).or_insert(starts);
        }
        Ok(all)
    }
}

/// In how many parts so many bytes are read.
fn parts(bytes: usize, threads: usize) -> usize {
    threads.min(bytes / SHARE).clamp(1, BINS)
}

/// The lines of a file that begin at `from` or after it, and before `to`.
fn lines_between(path: &Path, from: u64, to: Option<u64>) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let Some(to) = to else {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from.saturating_sub(1)))?;
        file.read_to_end(&mut bytes)?;
        drop_begun(&mut bytes, from);
        return Ok(bytes);
    };
    let first = from.saturating_sub(1);
    file.seek(SeekFrom::Start(first))?;
    let mut bytes = Vec::with_capacity((to - first) as usize + END);
    (&mut file).take(to - first).read_to_end(&mut bytes)?;
    // A line that ends right before `to` has its end here; any other is read to its end.
    while bytes.last().is_some_and(|&last| last != b'\n') {
        let len = bytes.len();
        if (&mut file).take(END as u64).read_to_end(&mut bytes)? == 0 {
            break;
        }
        if let Some(end) = memchr::memchr(b'\n', &bytes[len..]) {
            bytes.truncate(len + end + 1);
        }
    }
    drop_begun(&mut bytes, from);
    Ok(bytes)
}

/// Drops the end of the line that began before `from`, where the bytes begin one before `from`.
fn drop_begun(bytes: &mut Vec<u8>, from: u64) {
    if from > 0 {
        let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
        bytes.drain(..end);
    }
}
