"""Exact and near duplicates: `near` holds the stage and its four phases, `exact` the hash of a text."""
