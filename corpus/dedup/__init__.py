"""Exact and near duplicates: `near` holds the stage and its four phases, `exact` the hash of a text,
`reference` the slow readable twin of the Rust kernels."""
