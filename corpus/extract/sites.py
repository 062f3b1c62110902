"""What sites say of all their pages: robots.txt and .well-known/tdmrep.json, as rules by path.

A rule is of a vocabulary, holds for the paths that its pattern matches, and reserves or allows. Patterns are
those of robots.txt (RFC 9309): a prefix, in which * stands for anything and $ at the end for the path's end;
the longest that matches decides. docs/publish.md says what each vocabulary is.

Owns: the parsing and matching. Reads and writes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

import msgspec
import pyarrow as pa

from corpus.extract.warc import Page
from rust_ext import TRAINING_BOTS

#: Columns of the file in which a task of `extract` keeps the rules of its sites.
SITES: Final = pa.schema(
    [
        pa.field("host", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("rules", pa.string(), nullable=False),
    ]
)
#: Bytes of a file that are read, as RFC 9309 asks for at least; characters of a pattern.
_MOST: Final = 500 << 10
_LONGEST: Final = 2_000
_BOTS: Final = frozenset(TRAINING_BOTS)
_LINE: Final = re.compile(r"\s*([A-Za-z-]+)\s*:\s*([^#\r\n]*)")
#: Preferences of Content-Usage and Content-Signal, those that speak of training before the wider ones.
_TRAINING: Final = ("train-ai", "ai-train", "train-genai", "genai")
_WIDER: Final = ("ai", "bots")


class Rule(NamedTuple):
    """One statement: `group` tells robots, for each of which the longest pattern decides by itself."""

    vocabulary: str
    group: str
    pattern: str
    reserves: bool


def rules_of(page: Page) -> tuple[Rule, ...]:
    """What a site file says of training; nothing for a file of another kind, whatever is in it."""
    text = page.body[:_MOST].decode("utf-8-sig", "replace")
    if page.url.endswith("/robots.txt"):
        return tuple(dict.fromkeys(robots_rules(text)))
    return tuple(dict.fromkeys(tdmrep_rules(text)))


def row_of(page: Page, source: str) -> dict[str, Any] | None:
    """The row that is kept of a site file; None where it says nothing of training."""
    rules = rules_of(page)
    if not rules or not page.host:
        return None
    return {"host": page.host, "source": source, "rules": msgspec.json.encode(rules).decode()}


def robots_rules(text: str) -> Iterator[Rule]:
    """Rules of robots.txt: Content-Usage and Content-Signal in groups for all robots, and what groups for
    robots that gather training data may not read."""
    agents: set[str] = {"*"}
    begun = True
    for line in text.splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        name, value = match[1].lower(), match[2].strip()
        if name == "user-agent":
            agents = set() if begun else agents
            begun = False
            agents.add(re.split(r"[/\s]", value, maxsplit=1)[0].lower())
            continue
        begun = True
        if name in ("content-usage", "content-signal") and "*" in agents:
            yield from _preference(value)
        elif name in ("allow", "disallow") and value:
            for bot in sorted(agents & _BOTS):
                yield Rule("robots", bot, value[:_LONGEST], name == "disallow")


def _preference(value: str) -> Iterator[Rule]:
    """A line of preferences, behind the path that it is for where one is given."""
    path, _, rest = value.partition(" ") if value.startswith("/") else ("/", "", value)
    pairs = [part.partition("=") for part in rest.split(",")]
    said = {key.strip().lower(): word.partition(";")[0].strip().lower() for key, _, word in pairs}
    words = [said[name] for name in _TRAINING if name in said]
    words = words or [said[name] for name in _WIDER if name in said]
    known = [word in ("n", "no", "?0") for word in words if word in ("n", "no", "?0", "y", "yes", "?1")]
    if known:
        yield Rule("aipref", "", path[:_LONGEST], any(known))


def tdmrep_rules(text: str) -> Iterator[Rule]:
    """Rules of tdmrep.json: a list of objects with `location` and `tdm-reservation`."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        return
    for entry in entries if isinstance(entries, list) else [entries]:
        if not isinstance(entry, dict) or not isinstance(entry.get("location"), str):
            continue
        said = str(entry.get("tdm-reservation")).strip().lower()
        if said in ("0", "1", "true", "false"):
            yield Rule("tdm", "", entry["location"][:_LONGEST] or "/", said in ("1", "true"))


def _plain(path: str) -> str:
    """A path or pattern in one spelling, whichever of its characters are percent-encoded."""
    return quote(unquote(path, errors="replace"), safe="/*$?&=;:@!+,~'()[]|\\^`{}<>\"# ")


def _matches(pattern: str, path: str) -> bool:
    """Whether a pattern matches, in one pass over the path."""
    exact = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    last = others.pop() if others else None
    for part in others:
        found = path.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    if last is None:
        return not exact or at == len(path)
    return path.endswith(last) and len(path) - len(last) >= at if exact else path.find(last, at) >= 0


class Sites:
    """The rules of many sites, by host. Each file's rules stand by themselves: what one file reserves is
    reserved, whatever an earlier or later capture of it says."""

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        self._files: dict[str, set[str]] = {}
        for host, rules in rows:
            self._files.setdefault(host, set()).add(rules)
        self._known: dict[str, tuple[Rule, ...]] = {}

    def __len__(self) -> int:
        return len(self._files)

    def reserved(self, host: str, url: str) -> set[str]:
        """Vocabularies by which the page's site reserves it."""
        if host not in self._files:
            return set()
        path = _plain("/" + url.partition("://")[2].partition("/")[2].partition("#")[0])
        return {name for rules in self._files[host] for name in _verdict(self._rules(rules), path)}

    def _rules(self, encoded: str) -> tuple[Rule, ...]:
        if encoded not in self._known:
            read = msgspec.json.decode(encoded, type=list[Rule])
            self._known[encoded] = tuple(rule._replace(pattern=_plain(rule.pattern)) for rule in read)
        return self._known[encoded]


def _verdict(rules: Sequence[Rule], path: str) -> set[str]:
    """Vocabularies of which a group reserves the path. Of equally long patterns, robots.txt's Allow goes
    before Disallow (RFC 9309); elsewhere what reserves goes first."""
    best: dict[tuple[str, str], tuple[int, bool, bool]] = {}
    for rule in rules:
        if _matches(rule.pattern, path):
            first = rule.reserves != (rule.vocabulary == "robots")
            found = (len(rule.pattern), first, rule.reserves)
            group = (rule.vocabulary, rule.group)
            best[group] = max(best.get(group, (-1, False, False)), found)
    return {vocabulary for (vocabulary, _), (_, _, reserves) in best.items() if reserves}
