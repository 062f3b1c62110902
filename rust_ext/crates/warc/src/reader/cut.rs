//! Records of which bytes are missing, as rows.

use super::super::header::Head;
use super::super::page::{self, Dropped, Limits, Reason, Record};

/// A record, and where bytes of it are missing, another one that says so: whatever became of the record, a cut is
/// counted and named.
pub(super) fn judged(
    head: Head,
    offset: u64,
    block: &[u8],
    damage: Option<&'static str>,
    limits: &Limits,
) -> (Record, Option<Record>) {
    let Some(kind) = damage.filter(|kind| kind.starts_with("bad_") || kind.starts_with("truncated")) else {
        return (page::judge(head, offset, block, damage, limits), None);
    };
    if kind.starts_with("bad_") {
        return (malformed(head, offset, kind), None);
    }
    let cut = Head {
        url: head.url.clone(),
        date: head.date,
        ..Head::default()
    };
    let record = page::judge(head, offset, block, damage, limits);
    let is_counted = matches!(&record, Record::Dropped(row) if row.reason == Reason::MalformedRecord);
    (record, (!is_counted).then(|| malformed(cut, offset, kind)))
}

pub(super) fn malformed(head: Head, offset: u64, kind: &str) -> Record {
    Record::Dropped(Dropped::of(
        head,
        offset,
        Reason::MalformedRecord,
        kind.to_owned(),
    ))
}
