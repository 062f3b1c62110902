"""Byte-level BPE: split, train, encode, evaluate, export. Imports nothing of corpus."""
