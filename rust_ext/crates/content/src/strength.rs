//! How much a date is believed to be the day of publication.

/// `itemprop=datePublished` and `pubdate`.
pub const PUBLISHED: i32 = 200;
/// A name such as `published`.
pub const NAMED_PUBLISHED: i32 = 120;
/// A `time` element.
pub const TIME: i32 = 80;
/// A line in an element named after dates.
pub const NAMED_LINE: i32 = 70;
/// Any line.
pub const LINE: i32 = 50;
/// What is said to be an update.
pub const UPDATED: i32 = 20;
