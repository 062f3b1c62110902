//! How much a date is believed to be the day of publication.

/// How much a date is believed: `itemprop=datePublished` and `pubdate`; a name such as `published`; a `time`
/// element; a line in an element named after dates; any line; what is said to be an update.
pub const PUBLISHED: i32 = 200;
pub const NAMED_PUBLISHED: i32 = 120;
pub const TIME: i32 = 80;
pub const NAMED_LINE: i32 = 70;
pub const LINE: i32 = 50;
pub const UPDATED: i32 = 20;
