"""Orchestration: the only place that knows Ray, TOML and argv.

Importing it raises ImportError where a `corpus.py` or `tokenizer.py` of the reader's stands before bukvar's.
"""

from __future__ import annotations

import sys

from pipelines.names import check_shadows

# The command (`bukvar`, `python -m pipelines.cli`) asks by itself, and says it in one line.
if not sys.argv[:1] or sys.argv[0].replace("\\", "/").rpartition("/")[2] not in ("bukvar", "-m"):
    check_shadows()
