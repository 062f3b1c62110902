//! A body as the server meant it: transfer and content codings undone.

use std::borrow::Cow;

use super::{body, http, sniff};

/// A body with its codings undone.
pub(super) struct Payload<'a> {
    pub bytes: Cow<'a, [u8]>,
    /// Whether a coding was undone.
    pub decoded: bool,
    pub damage: Option<&'static str>,
}

/// Codings that are undone because the first bytes show them, at most.
const MAX_UNDECLARED: usize = 4;

pub(super) fn unchunked<'a>(
    response: &http::Response,
    raw: &'a [u8],
) -> (Cow<'a, [u8]>, Option<&'static str>) {
    match response.chunked.then(|| body::dechunk(raw)).flatten() {
        None => (Cow::Borrowed(raw), None),
        Some((joined, chunks)) => {
            let damage = match chunks {
                body::Chunks::Whole => None,
                body::Chunks::Cut => Some("chunks_cut"),
                body::Chunks::Odd => Some("chunks_odd"),
            };
            (Cow::Owned(joined), damage)
        }
    }
}

/// The body after transfer and content decoding, declared or not; None where it decodes to more than `limit` bytes.
/// A coding that the bytes are not in is passed over: the writer stored the body decoded.
pub(super) fn payload<'a>(response: &http::Response, raw: &'a [u8], limit: usize) -> Option<Payload<'a>> {
    let (bytes, damage) = unchunked(response, raw);
    let mut payload = Payload {
        bytes,
        decoded: false,
        damage,
    };
    for coding in &response.codings {
        if !sniff::looks_html(&payload.bytes) {
            undo(&mut payload, coding, limit)?;
        }
    }
    for _ in 0..MAX_UNDECLARED {
        let Some(coding) = body::coding_of(&payload.bytes) else {
            break;
        };
        if !undo(&mut payload, coding, limit)? {
            break;
        }
    }
    Some(payload)
}

/// Undoes one coding, and says whether the body was in it; None above the limit.
fn undo(payload: &mut Payload<'_>, coding: &str, limit: usize) -> Option<bool> {
    let Some(decoded) = body::decode(coding, &payload.bytes, limit) else {
        return Some(false);
    };
    if decoded.over_limit {
        return None;
    }
    if decoded.damaged {
        payload.damage = payload.damage.or(Some("coding_cut"));
    }
    payload.bytes = Cow::Owned(decoded.bytes);
    payload.decoded = true;
    Some(true)
}
