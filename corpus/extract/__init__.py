"""Crawl files to documents: records, gate, charset, main text."""
