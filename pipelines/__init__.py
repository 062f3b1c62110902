"""Orchestration: the only place that knows Ray, TOML and argv."""
