"""Repairs and line cleaning inside a document."""
