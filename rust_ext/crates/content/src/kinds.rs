//! The kinds of page.

/// Kinds of page, in the order of the model's ensembles `kind.NAME`.
pub const KINDS: [&str; 7] = [
    "article",
    "forum",
    "collection",
    "listing",
    "product",
    "service",
    "documentation",
];
