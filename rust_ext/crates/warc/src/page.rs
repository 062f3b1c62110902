//! One record's block to a verdict: a page, dropped with a reason, or skipped by type.

use super::header::{Head, host};
use super::payload::{Payload, payload, unchunked};
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
    /// What the HTTP head says of the page's use (`http::Response::rights`).
    pub rights: Vec<(&'static str, String)>,
    pub damage: Option<&'static str>,
    /// Why only a part of the page is here, as far as the archive says; several reasons are joined by commas.
    pub truncated: Option<String>,
    /// Whether the body is plain text.
    pub is_text: bool,
    pub body: Vec<u8>,
}

/// Why a record that could have been a page is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The record or its HTTP head can't be read.
    MalformedRecord,
    /// The server sent no page: an error, a redirection.
    HttpStatus,
    /// Another type of content.
    NotHtml,
    /// No body.
    EmptyPayload,
    /// Above `Limits::max_record_bytes`.
    PageTooLarge,
    /// The gate sees no Russian text.
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
    /// A page.
    Page(Box<Page>),
    /// What could have been a page, with the reason that it is none.
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

/// `urn:KIND` of `urn:KIND:https://...`, the address of what a browser-based crawler (Browsertrix) made of a page that
/// it archived too: its text, its pictures, what it loaded.
fn made_of_page(head: &Head) -> Option<&str> {
    let rest = head.url.strip_prefix("urn:")?;
    let (kind, page) = rest.split_once(':')?;
    let plain = !kind.is_empty() && kind.len() <= MAX_TYPE && kind.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_made = plain && head.record_type == "resource" && page.starts_with("http");
    is_made.then(|| &head.url[.."urn:".len() + kind.len()])
}

fn skipped(head: &Head) -> Option<Record> {
    if is_page_type(&head.record_type) {
        let name = if is_dns(head) {
            Some("dns")
        } else {
            made_of_page(head)
        };
        return name.map(|name| Record::Skipped(name.to_owned()));
    }
    let plain =
        head.record_type.len() <= MAX_TYPE && head.record_type.bytes().all(|b| b.is_ascii_alphanumeric());
    let name = if plain { head.record_type.as_str() } else { "other" };
    (!head.record_type.is_empty()).then(|| Record::Skipped(name.to_owned()))
}

pub fn dropped(head: Head, offset: u64, reason: Reason, detail: impl Into<String>) -> Record {
    Record::Dropped(Dropped::of(head, offset, reason, detail.into()))
}

/// Files in which a site speaks of all its pages, by their paths.
const SITE_FILES: [&str; 2] = ["/robots.txt", "/.well-known/tdmrep.json"];
/// Type of the records of site files that are handed on.
pub const SITE: &str = "site";

/// Whether an address is that of a file in which a site speaks of all its pages.
fn is_site_file(url: &str) -> bool {
    let path = SITE_FILES.iter().find_map(|path| url.strip_suffix(path));
    path.and_then(|origin| origin.split_once("://"))
        .is_some_and(|(_, authority)| !authority.contains('/'))
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
    if !is_wanted(&response) {
        let status = format!("status={}", response.status);
        return dropped(head, offset, Reason::HttpStatus, status);
    }
    if is_site_file(&head.url) {
        return site_file(head, offset, &response, &block[start..], limits);
    }
    let declared = sniff::by_type(&http::media_type(&response.content_type));
    if declared == Some(sniff::Kind::Other) {
        let detail = format!("type={}", http::media_type(&response.content_type));
        return dropped(head, offset, Reason::NotHtml, detail);
    }
    let raw = &block[start..];
    let Some(payload) = payload(&response, raw, limits.max_record_bytes) else {
        let detail = format!("decoded_bytes > {}", limits.max_record_bytes);
        return dropped(head, offset, Reason::PageTooLarge, detail);
    };
    if payload.bytes.trim_ascii().is_empty() {
        return dropped(head, offset, Reason::EmptyPayload, "");
    }
    let kind = sniff::by_bytes(declared, &payload.bytes);
    if kind == sniff::Kind::Other {
        let detail = format!("type={} by first bytes", http::media_type(&response.content_type));
        return dropped(head, offset, Reason::NotHtml, detail);
    }
    if limits.gate {
        let verdict = gate::judge(&payload.bytes, response.charset.as_deref());
        if !verdict.keep {
            return dropped(head, offset, Reason::NotCyrillic, verdict.to_string());
        }
    }
    let cut = truncation(&head, &response, raw.len(), &payload, damage);
    Record::Page(Box::new(Page {
        host: host(&head.url),
        is_text: kind == sniff::Kind::Text || head.record_type == "conversion",
        url: head.url,
        fetched_at: head.date,
        record_id: head.record_id,
        offset,
        record_type: head.record_type,
        status: (response.status != 0).then_some(response.status),
        content_type: response.content_type,
        http_charset: response.charset,
        rights: response.rights,
        damage: damage.or(payload.damage),
        truncated: cut,
        body: payload.bytes.into_owned(),
    }))
}

/// A site file, as a page of the type `SITE`: neither its kind nor its language is looked at.
fn site_file(head: Head, offset: u64, response: &http::Response, raw: &[u8], limits: &Limits) -> Record {
    let Some(payload) = payload(response, raw, limits.max_record_bytes) else {
        let detail = format!("decoded_bytes > {}", limits.max_record_bytes);
        return dropped(head, offset, Reason::PageTooLarge, detail);
    };
    Record::Page(Box::new(Page {
        host: host(&head.url),
        url: head.url,
        fetched_at: head.date,
        record_id: head.record_id,
        offset,
        record_type: SITE.to_owned(),
        status: (response.status != 0).then_some(response.status),
        content_type: response.content_type.clone(),
        http_charset: response.charset.clone(),
        rights: vec![],
        damage: payload.damage,
        truncated: None,
        is_text: true,
        body: payload.bytes.into_owned(),
    }))
}

/// Whether the HTTP head of a block states the length that its body has.
pub fn has_length(head: &Head, block: &[u8]) -> bool {
    http_head(head, block)
        .is_ok_and(|(response, start)| response.content_length == Some((block.len() - start) as u64))
}

/// Whether a response with such a status is a page: 200, 203 (a proxy changed it on the way), and a part (206) that
/// begins where the page does.
fn is_wanted(response: &http::Response) -> bool {
    match response.status {
        0 | 200 | 203 => true,
        206 => response.range.is_none_or(|(first, ..)| first == 0),
        _ => false,
    }
}

/// Every sign that the body is only a part of the page. `received` is the body's length before anything was decoded.
fn truncation(
    head: &Head,
    response: &http::Response,
    received: usize,
    payload: &Payload<'_>,
    damage: Option<&str>,
) -> Option<String> {
    let covered = response
        .range
        .is_some_and(|(first, last, all)| first == 0 && all == last.checked_add(1));
    let shorter = response.content_length.is_some_and(|said| said > received as u64);
    // A body that was stored decoded has another length than its head says.
    let as_sent = !response.chunked && (response.codings.is_empty() || payload.decoded);
    let cut = |begin: &str| damage.is_some_and(|kind| kind.starts_with(begin));
    let stated = [
        head.truncated.clone(),
        head.is_segment.then(|| "segment".to_owned()),
        (response.status == 206 && !covered).then(|| "range".to_owned()),
    ];
    let found = [
        cut("truncated").then_some("file"),
        cut("length").then_some("record"),
        (shorter && as_sent).then_some("http_length"),
        (payload.damage == Some("chunks_cut")).then_some("chunks"),
        (payload.damage == Some("coding_cut")).then_some("coding"),
    ];
    // A page that is all there is whole, whatever was cut behind it.
    let found = found
        .into_iter()
        .filter(|_| !is_complete(response, received, payload, damage));
    let signs = stated
        .into_iter()
        .chain(found.map(|sign| sign.map(str::to_owned)));
    let signs: Vec<String> = signs.flatten().collect();
    (!signs.is_empty()).then(|| signs.join(","))
}

/// Whether a body is whole although something is wrong with its record: it ends as a page does or, where the record's
/// length is wrong, is as long as the HTTP head says.
fn is_complete(
    response: &http::Response,
    received: usize,
    payload: &Payload<'_>,
    damage: Option<&str>,
) -> bool {
    const END: &[u8] = b"</html>";
    let body = payload.bytes.trim_ascii_end();
    let end = &body[body.len().saturating_sub(END.len())..];
    let as_long = response.content_length == Some(received as u64) && payload.damage.is_none();
    end.eq_ignore_ascii_case(END) || damage.is_some() && as_long
}

/// What the first bytes of a block show.
pub enum Beginning {
    /// What the page is dropped for.
    Foreign(String),
    /// More bytes may decide.
    Silent,
    /// The whole block has to be read.
    Open,
}

/// Judges a page by the first bytes of its block. Pages only, whose bytes are not coded again: what else a record may
/// hold, a crawl file among it, is read whole.
pub fn judge_beginning(head: &Head, block: &[u8]) -> Beginning {
    if !is_page_type(&head.record_type) || is_dns(head) || is_site_file(&head.url) {
        return Beginning::Open;
    }
    let Ok((response, start)) = http_head(head, block) else {
        return Beginning::Open;
    };
    let declared = sniff::by_type(&http::media_type(&response.content_type));
    let is_page = is_wanted(&response) && declared != Some(sniff::Kind::Other);
    if !is_page || !response.codings.is_empty() {
        return Beginning::Open;
    }
    let body = unchunked(&response, &block[start..]).0;
    let coded = body::coding_of(&body).is_some();
    if coded || sniff::by_bytes(declared, &body) == sniff::Kind::Other {
        return Beginning::Open;
    }
    match gate::judge_beginning(&body, &head.url, response.charset.as_deref()) {
        gate::Beginning::Foreign(verdict) => {
            Beginning::Foreign(format!("{verdict} first_bytes={}", body.len()))
        }
        gate::Beginning::Silent => Beginning::Silent,
        gate::Beginning::Open => Beginning::Open,
    }
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
