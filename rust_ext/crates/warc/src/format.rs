//! WARC or ARC: how the records of a file begin.

use memchr::memmem;

use super::arc;

/// What the records of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// No record has been met yet.
    #[default]
    Unknown,
    Warc,
    Arc,
}

const WARC: &[u8] = b"WARC/";
/// Bytes by which `begins_inside` looks ahead in WARC.
const BOUNDARY: usize = 32;

impl Format {
    /// What a record that begins here makes of a file; None where none begins, or more bytes are needed.
    pub fn of(data: &[u8]) -> Option<Self> {
        if data.starts_with(WARC) {
            return Some(Self::Warc);
        }
        (arc::begins(data) == Some(true)).then_some(Self::Arc)
    }

    /// Whether a record begins here; None where more bytes are needed.
    pub fn begins(self, data: &[u8]) -> Option<bool> {
        let warc = if data.len() < WARC.len() && WARC.starts_with(data) {
            None
        } else {
            Some(data.starts_with(WARC))
        };
        match self {
            Self::Warc => warc,
            Self::Arc => arc::begins(data),
            Self::Unknown if warc == Some(true) => warc,
            Self::Unknown => arc::begins(data).and_then(|arc| if arc { Some(true) } else { warc }),
        }
    }

    /// Whether the first bytes of a member may be those of a record.
    pub fn may_begin(self, data: &[u8]) -> bool {
        match self {
            Self::Warc => data.starts_with(WARC),
            Self::Arc => arc::may_begin(data),
            Self::Unknown => data.starts_with(WARC) || arc::may_begin(data),
        }
    }

    /// Bytes by which one has to look ahead to see whether a record begins.
    pub fn ahead(self) -> usize {
        if self == Self::Arc {
            arc::MAX_LINE
        } else {
            BOUNDARY
        }
    }

    /// Where the next record begins, not before `from`, among bytes that are no record; `members` are the places
    /// where members of the file begin.
    pub fn next_start(self, data: &[u8], from: usize, members: impl Iterator<Item = usize>) -> Option<usize> {
        let from = from.min(data.len());
        let arc = if self == Self::Warc {
            None
        } else {
            arc::find(data, from)
        };
        if self == Self::Arc {
            return arc;
        }
        let starts =
            |at: usize| data[at..].starts_with(WARC) && data.get(at + 5).is_some_and(u8::is_ascii_digit);
        let line = memmem::find_iter(&data[from..], WARC)
            .map(|at| at + from)
            .find(|&at| starts(at) && (at == 0 || data[at - 1] == b'\n'));
        let member = members
            .filter(|&at| at >= from && at < data.len())
            .find(|&at| starts(at));
        [arc, line, member].into_iter().flatten().min()
    }

    /// Where a record surely begins inside a block whose end gives no cause to look for one: in ARC, with an HTTP head.
    pub fn hidden_inside(self, block: &[u8]) -> Option<usize> {
        if self != Self::Arc {
            return warc_inside(block);
        }
        let mut from = 0;
        while let Some(at) = arc::find(block, from) {
            let behind = at + memchr::memchr(b'\n', &block[at..])? + 1;
            if block[behind..].starts_with(b"HTTP/") {
                return Some(at);
            }
            from = behind;
        }
        None
    }

    /// Where a record begins inside a block that should have ended before.
    pub fn begins_inside(self, block: &[u8]) -> Option<usize> {
        match self {
            Self::Arc => arc::find(block, 0),
            Self::Warc | Self::Unknown => warc_inside(block),
        }
    }
}

/// Behind blank lines, a version line and a header of the record kind.
fn warc_inside(block: &[u8]) -> Option<usize> {
    memmem::find_iter(block, b"\r\n\r\nWARC/")
        .map(|at| at + 4)
        .find(|&at| {
            let rest = &block[at..];
            let version = rest
                .get(5..8)
                .is_some_and(|v| v[0].is_ascii_digit() && v[1] == b'.' && v[2].is_ascii_digit());
            let line = rest.get(8..).unwrap_or_default();
            version && (line.starts_with(b"\r\nWARC-") || line.starts_with(b"\r\nContent-"))
        })
}
