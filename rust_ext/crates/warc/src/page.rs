//! One record's block to a verdict: a page, dropped with a reason, or skipped by type.

use std::borrow::Cow;

use super::header::{Head, host};
use super::{body, http, sniff};
use bukvar_gate as gate;

/// What a reader is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest record block and largest decoded body, in bytes.
    pub max_record_bytes: usize,
    /// Whether pages without Russian-looking text are dropped.
    pub gate: bool,
    /// Bytes of a record by which a page may be dropped; 0 where each is read whole.
    pub look: usize,
    /// Whether that takes that the rest, skimmed, cannot hold Cyrillic either.
    pub skim: bool,
}

/// A page whose bytes are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub url: String,
    pub host: Option<String>,
    pub fetched_at: Option<i64>,
    pub record_id: String,
    pub offset: u64,
    pub record_type: String,
    pub status: Option<u16>,
    pub content_type: String,
    pub http_charset: Option<String>,
    pub robots: Option<String>,
    pub damage: Option<&'static str>,
    pub body: Vec<u8>,
}

/// Why a record that could have been a page is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    MalformedRecord,
    HttpStatus,
    NotHtml,
    EmptyPayload,
    PageTooLarge,
    NotCyrillic,
}

/// Names of the reasons, in the order of the enum.
pub const REASONS: [&str; 6] = [
    "malformed_record",
    "http_status",
    "not_html",
    "empty_payload",
    "page_too_large",
    "not_cyrillic",
];

/// A record that is not wanted, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    pub url: String,
    pub offset: u64,
    pub fetched_at: Option<i64>,
    pub record_id: String,
    pub reason: Reason,
    pub detail: String,
}

impl Dropped {
    pub fn of(head: Head, offset: u64, reason: Reason, detail: String) -> Self {
        let Head {
            url, date, record_id, ..
        } = head;
        Dropped {
            url,
            offset,
            fetched_at: date,
            record_id,
            reason,
            detail,
        }
    }
}

/// What a record turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    Page(Box<Page>),
    Dropped(Dropped),
    /// Never a page: its type (warcinfo, request, metadata, revisit, dns, ...).
    Skipped(String),
}

/// Longest name of an unknown record type that is counted under its own name.
const MAX_TYPE: usize = 32;

fn is_page_type(record_type: &str) -> bool {
    matches!(record_type, "response" | "resource" | "conversion")
}

fn is_dns(head: &Head) -> bool {
    head.url.starts_with("dns:") || http::media_type(&head.content_type) == "text/dns"
}

fn skipped(head: &Head) -> Option<Record> {
    if is_page_type(&head.record_type) {
        return is_dns(head).then(|| Record::Skipped("dns".to_owned()));
    }
    let plain =
        head.record_type.len() <= MAX_TYPE && head.record_type.bytes().all(|b| b.is_ascii_alphanumeric());
    let name = if plain { head.record_type.as_str() } else { "other" };
    (!head.record_type.is_empty()).then(|| Record::Skipped(name.to_owned()))
}

pub fn dropped(head: Head, offset: u64, reason: Reason, detail: impl Into<String>) -> Record {
    Record::Dropped(Dropped::of(head, offset, reason, detail.into()))
}

/// Judges a record whose block is above the limit and was passed over.
pub fn too_large(head: Head, offset: u64, length: u64, damage: Option<&str>, limits: &Limits) -> Record {
    if let Some(kind) = damage {
        return dropped(head, offset, Reason::MalformedRecord, kind);
    }
    if let Some(record) = skipped(&head) {
        return record;
    }
    let detail = format!("record_bytes={length} > {}", limits.max_record_bytes);
    dropped(head, offset, Reason::PageTooLarge, detail)
}

/// Judges a record by its header and block. `damage` says that the block is cut or its length was wrong.
pub fn judge(head: Head, offset: u64, block: &[u8], damage: Option<&'static str>, limits: &Limits) -> Record {
    if let Some(record) = skipped(&head) {
        return record;
    }
    if !is_page_type(&head.record_type) {
        return dropped(head, offset, Reason::MalformedRecord, "no_record_type");
    }
    let (response, start) = match http_head(&head, block) {
        Ok(parsed) => parsed,
        Err(kind) => return dropped(head, offset, kind.0, kind.1),
    };
    if response.status != 0 && response.status != 200 {
        let status = format!("status={}", response.status);
        return dropped(head, offset, Reason::HttpStatus, status);
    }
    let declared = sniff::by_type(&http::media_type(&response.content_type));
    if declared == Some(sniff::Kind::Other) {
        let detail = format!("type={}", http::media_type(&response.content_type));
        return dropped(head, offset, Reason::NotHtml, detail);
    }
    let mut damage = damage;
    let body = match payload(&response, &block[start..], limits.max_record_bytes, &mut damage) {
        Some(body) => body,
        None => {
            let detail = format!("decoded_bytes > {}", limits.max_record_bytes);
            return dropped(head, offset, Reason::PageTooLarge, detail);
        }
    };
    if body.trim_ascii().is_empty() {
        return dropped(head, offset, Reason::EmptyPayload, "");
    }
    if sniff::by_bytes(declared, &body) == sniff::Kind::Other {
        let detail = format!("type={} by first bytes", http::media_type(&response.content_type));
        return dropped(head, offset, Reason::NotHtml, detail);
    }
    if limits.gate {
        let verdict = gate::judge(&body, response.charset.as_deref());
        if !verdict.keep {
            return dropped(head, offset, Reason::NotCyrillic, verdict.to_string());
        }
    }
    page(head, offset, response, body, damage)
}

/// What the first bytes of a block tell.
pub enum Beginning {
    /// What the page is dropped for.
    Foreign(String),
    /// More bytes may tell.
    Silent,
    /// The whole block has to be read.
    Open,
}

/// Judges a page by the first bytes of its block. Pages only, whose bytes are not coded again: what else a record may
/// hold, a crawl file among it, is read whole.
pub fn judge_beginning(head: &Head, block: &[u8]) -> Beginning {
    if !is_page_type(&head.record_type) || is_dns(head) {
        return Beginning::Open;
    }
    let Ok((response, start)) = http_head(head, block) else {
        return Beginning::Open;
    };
    let declared = sniff::by_type(&http::media_type(&response.content_type));
    let is_page = matches!(response.status, 0 | 200) && declared != Some(sniff::Kind::Other);
    if !is_page || !response.codings.is_empty() {
        return Beginning::Open;
    }
    let body = payload(&response, &block[start..], block.len(), &mut None);
    let Some(body) = body.filter(|body| sniff::by_bytes(declared, body) != sniff::Kind::Other) else {
        return Beginning::Open;
    };
    match gate::judge_beginning(&body, &head.url, response.charset.as_deref()) {
        gate::Beginning::Foreign(verdict) => {
            Beginning::Foreign(format!("{verdict} first_bytes={}", body.len()))
        }
        gate::Beginning::Silent => Beginning::Silent,
        gate::Beginning::Open => Beginning::Open,
    }
}

fn page(
    head: Head,
    offset: u64,
    response: http::Response,
    body: Cow<'_, [u8]>,
    damage: Option<&'static str>,
) -> Record {
    Record::Page(Box::new(Page {
        host: host(&head.url),
        url: head.url,
        fetched_at: head.date,
        record_id: head.record_id,
        offset,
        record_type: head.record_type,
        status: (response.status != 0).then_some(response.status),
        content_type: response.content_type,
        http_charset: response.charset,
        robots: response.robots,
        damage,
        body: body.into_owned(),
    }))
}

/// The HTTP head of a block and where the body begins; for blocks that are bare payloads, what the record
/// header says of them, with status 0.
fn http_head(head: &Head, block: &[u8]) -> Result<(http::Response, usize), (Reason, &'static str)> {
    let media = http::media_type(&head.content_type);
    let is_http = match media.as_str() {
        "application/http" => true,
        "" => head.record_type == "response" && (block.is_empty() || http::parse(block).is_some()),
        // Old writers give the payload's type here.
        _ => head.record_type == "response" && block.starts_with(b"HTTP/"),
    };
    if !is_http {
        let content_type = head.content_type.clone();
        let charset = http::charset(&content_type);
        return Ok((
            http::Response {
                content_type,
                charset,
                ..http::Response::default()
            },
            0,
        ));
    }
    if block.trim_ascii().is_empty() {
        return Err((Reason::EmptyPayload, ""));
    }
    http::parse(block).ok_or((Reason::MalformedRecord, "bad_http_head"))
}

/// The body after transfer and content decoding; None where it decodes to more than `limit` bytes.
fn payload<'a>(
    response: &http::Response,
    raw: &'a [u8],
    limit: usize,
    damage: &mut Option<&'static str>,
) -> Option<Cow<'a, [u8]>> {
    let mut bytes = Cow::Borrowed(raw);
    if response.chunked
        && let Some((joined, damaged)) = body::dechunk(raw)
    {
        bytes = Cow::Owned(joined);
        if damaged {
            *damage = damage.or(Some("chunks_cut"));
        }
    }
    for coding in response.codings.iter().rev() {
        let Some(decoded) = body::decode(coding, &bytes, limit) else {
            break;
        };
        if decoded.over_limit {
            return None;
        }
        if decoded.damaged {
            *damage = damage.or(Some("coding_cut"));
        }
        bytes = Cow::Owned(decoded.bytes);
    }
    Some(bytes)
}
