//! HTTP bodies: transfer coding, then content codings, each up to a limit.

use std::io::Read;

use super::zstd;

/// Decoded bytes and what happened on the way.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    pub bytes: Vec<u8>,
    /// The body decodes to more than the limit; `bytes` holds the limit's worth.
    pub over_limit: bool,
    /// The coding was cut or damaged; `bytes` holds what came out before.
    pub damaged: bool,
}

/// Size line of a chunk: at most this long, with its extensions.
const MAX_SIZE_LINE: usize = 4096;

/// How the chunks of a body end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunks {
    Whole,
    /// The last chunk is missing, or a part of it.
    Cut,
    /// Where a chunk's header belongs, there is none: the rest stands as it is.
    Odd,
}

/// Undoes chunked transfer coding. Where a chunk's header is no header, the rest is taken as it stands: some
/// writers store decoded bodies under the old header. None where the first chunk's header is none.
pub fn dechunk(body: &[u8]) -> Option<(Vec<u8>, Chunks)> {
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body;
    let mut first = true;
    while !rest.is_empty() {
        let blank = if first { blank_lines(rest) } else { 0 };
        let Some((size, line)) = chunk_size(&rest[blank..]) else {
            if first {
                return None;
            }
            bytes.extend_from_slice(rest);
            return Some((bytes, Chunks::Odd));
        };
        first = false;
        rest = &rest[blank + line..];
        if size == 0 {
            return Some((bytes, Chunks::Whole));
        }
        let taken = size.min(rest.len());
        bytes.extend_from_slice(&rest[..taken]);
        rest = &rest[taken..];
        if taken < size {
            return Some((bytes, Chunks::Cut));
        }
        match rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n")) {
            Some(after) => rest = after,
            None if rest.is_empty() => {}
            None => {
                bytes.extend_from_slice(rest);
                return Some((bytes, Chunks::Odd));
            }
        }
    }
    // No closing chunk: cut by the crawler.
    Some((bytes, Chunks::Cut))
}

fn blank_lines(data: &[u8]) -> usize {
    data.iter()
        .take(8)
        .take_while(|&&b| b == b'\r' || b == b'\n')
        .count()
}

/// Size of the chunk that `data` begins with and length of its header line: hexadecimal digits, by some servers
/// behind "0x", and what a semicolon parts from them.
fn chunk_size(data: &[u8]) -> Option<(usize, usize)> {
    let end = memchr::memchr(b'\n', &data[..data.len().min(MAX_SIZE_LINE)])?;
    let line = data[..end].split(|&b| b == b';').next()?.trim_ascii();
    let digits = line
        .strip_prefix(b"0x")
        .or(line.strip_prefix(b"0X"))
        .unwrap_or(line);
    let size = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())?;
    (size <= 1 << 31).then_some((size as usize, end + 1))
}

/// The coding that a body shows by its first bytes, whatever its head says.
pub fn coding_of(body: &[u8]) -> Option<&'static str> {
    match body {
        [0x1f, 0x8b, 8, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        _ => None,
    }
}

/// Undoes one content coding; None where the coding is unknown or the bytes are not in it, which means that
/// the writer stored the body decoded.
pub fn decode(coding: &str, body: &[u8], limit: usize) -> Option<Decoded> {
    let decoded = match coding {
        "gzip" | "x-gzip" => gunzip(body, limit),
        "deflate" => {
            let wrapped = read_limited(flate2::read::ZlibDecoder::new(body), limit);
            if wrapped.bytes.is_empty() {
                read_limited(flate2::read::DeflateDecoder::new(body), limit)
            } else {
                wrapped
            }
        }
        "br" => read_limited(brotli_decompressor::Decompressor::new(body, 64 << 10), limit),
        "zstd" => {
            let mut bytes = Vec::new();
            let complete = zstd::decode_frames(body, limit, &mut bytes);
            let over_limit = !complete && bytes.len() == limit;
            Decoded {
                over_limit,
                damaged: !complete && !over_limit,
                bytes,
            }
        }
        _ => return None,
    };
    (!decoded.bytes.is_empty() || !decoded.damaged).then_some(decoded)
}

/// All members; what stands behind the last one is not looked at, as browsers do.
fn gunzip(body: &[u8], limit: usize) -> Decoded {
    let mut rest = body;
    let mut decoded = Decoded::default();
    loop {
        let mut member = flate2::bufread::GzDecoder::new(rest);
        let next = read_limited(&mut member, limit - decoded.bytes.len());
        decoded.bytes.extend_from_slice(&next.bytes);
        (decoded.over_limit, decoded.damaged) = (next.over_limit, next.damaged);
        rest = member.into_inner();
        if decoded.over_limit || decoded.damaged || coding_of(rest) != Some("gzip") {
            return decoded;
        }
    }
}

fn read_limited(mut source: impl Read, limit: usize) -> Decoded {
    let mut bytes = Vec::new();
    let mut step = vec![0u8; 64 << 10];
    loop {
        let read = match source.read(&mut step) {
            Ok(0) => {
                return Decoded {
                    bytes,
                    over_limit: false,
                    damaged: false,
                };
            }
            Ok(read) => read,
            Err(_) => {
                return Decoded {
                    bytes,
                    over_limit: false,
                    damaged: true,
                };
            }
        };
        let room = limit - bytes.len();
        bytes.extend_from_slice(&step[..read.min(room)]);
        if read > room {
            return Decoded {
                bytes,
                over_limit: true,
                damaged: false,
            };
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn chunks_are_joined_and_what_is_not_chunked_stays() {
        assert_eq!(
            dechunk(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"),
            Some((b"abcde".to_vec(), Chunks::Whole))
        );
        assert_eq!(
            dechunk(b"3\r\nabc\r\n9\r\nde"),
            Some((b"abcde".to_vec(), Chunks::Cut))
        );
        assert_eq!(
            dechunk(b"3\r\nabc\r\nplain"),
            Some((b"abcplain".to_vec(), Chunks::Odd))
        );
        assert_eq!(
            dechunk(b"\r\n0x3 ;a=\"b;c\"\r\nabc\r\n0\r\n"),
            Some((b"abc".to_vec(), Chunks::Whole))
        );
        assert_eq!(dechunk(b"3\r\nabc"), Some((b"abc".to_vec(), Chunks::Cut)));
        assert_eq!(dechunk(b"<html>\n"), None);
        assert_eq!(dechunk(b"+3\nabc\n"), None);
        assert_eq!(dechunk(b""), Some((vec![], Chunks::Cut)));
        assert_eq!(dechunk(b"ffffffffff\r\na"), None);
    }

    #[test]
    fn a_bomb_stops_at_the_limit_and_a_cut_body_gives_what_it_has() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&vec![b'a'; 1 << 22]).unwrap();
        let bomb = encoder.finish().unwrap();
        let decoded = decode("gzip", &bomb, 1000).unwrap();
        assert_eq!((decoded.bytes.len(), decoded.over_limit), (1000, true));
        let cut = decode("gzip", &bomb[..bomb.len() / 2], 1 << 23).unwrap();
        assert!(cut.damaged && !cut.bytes.is_empty());
        assert_eq!(decode("gzip", &bomb, 1 << 22).unwrap().bytes.len(), 1 << 22);
    }

    #[test]
    fn a_body_that_is_not_in_the_coding_is_told() {
        for coding in ["gzip", "deflate", "br", "zstd"] {
            assert_eq!(
                decode(
                    coding,
                    b"<html><p>plain text under a wrong header</p></html>",
                    100
                ),
                None,
                "{coding}"
            );
        }
        assert_eq!(decode("compress", b"x", 100), None);
    }
}
