"""Signals (columns) and verdicts (thresholds on them)."""
