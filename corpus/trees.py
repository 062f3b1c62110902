"""The file of boosted trees (content, quality): written here, read by the Rust kernel.

The layout: docs/measured/content.md and rust_ext/crates/content/src/model.rs. No pickle: a header that says
what the model was fitted from, and tables of numbers.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

LEAF = 128
"""Children from here on are leaves."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tree:
    """Splits and leaves; a child of `LEAF` or more is the leaf numbered `child - LEAF`."""

    features: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    thresholds: tuple[float, ...]
    leaves: tuple[float, ...]


@dataclass(frozen=True)
class Ensemble:
    """A sum of trees over the rows of an input; a file may hold ensembles of several inputs."""

    trees: tuple[Tree, ...]
    input: int = 0
    base: float = 0.0


@dataclass(frozen=True)
class TreeFile:
    """Everything in the file."""

    header: Mapping[str, Any]
    ensembles: Mapping[str, Ensemble]
    parameters: Mapping[str, float] = field(default_factory=dict)


def fnv(data: bytes) -> int:
    """FNV-1a of 64 bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def float_below(value: float) -> float:
    """The greatest single-precision number that is not above `value`.

    A single-precision feature is at most `value` exactly when it is at most this number.
    """
    rounded = np.float32(value)
    if float(rounded) > value:
        rounded = np.nextafter(rounded, np.float32(-np.inf))
    return float(rounded)


def to_bytes(magic: bytes, model: TreeFile, names: Sequence[str]) -> bytes:
    """The file; `magic` are its first eight bytes, `names` the features that the model was fitted to."""
    header = json.dumps(model.header, ensure_ascii=False, sort_keys=True, indent=1).encode()
    out = bytearray(magic)
    out += struct.pack("<I", len(header)) + header
    out += struct.pack("<Q", fnv("\n".join(names).encode()))
    out += struct.pack("<B", len(model.parameters))
    for name, value in sorted(model.parameters.items()):
        out += _name(name) + struct.pack("<f", value)
    out += struct.pack("<B", len(model.ensembles))
    for name, ensemble in sorted(model.ensembles.items()):
        out += _name(name) + struct.pack("<BfI", ensemble.input, ensemble.base, len(ensemble.trees))
        for tree in ensemble.trees:
            out += struct.pack("<B", len(tree.leaves))
            for split in zip(tree.features, tree.left, tree.right, tree.thresholds, strict=True):
                out += struct.pack("<HBBf", *split)
            out += struct.pack(f"<{len(tree.leaves)}f", *tree.leaves)
    return bytes(out) + struct.pack("<Q", fnv(bytes(out)))


def _name(name: str) -> bytes:
    return struct.pack("<B", len(name.encode())) + name.encode()


def header_of(magic: bytes, data: bytes) -> dict[str, Any]:
    """What the file says of itself: sources, licences, parameters of the fit, figures."""
    if not data.startswith(magic):
        raise ValueError(f"not a model of this kind: the file must begin with {magic.decode().strip()}")
    (length,) = struct.unpack_from("<I", data, len(magic))
    start = len(magic) + 4
    header: dict[str, Any] = json.loads(data[start : start + length])
    return header


def from_bytes(magic: bytes, data: bytes) -> TreeFile:
    """The inverse of `to_bytes`; for tests and for looking into a model."""
    header = header_of(magic, data)
    (length,) = struct.unpack_from("<I", data, len(magic))
    at = len(magic) + 4 + length + 8

    def take(layout: str) -> tuple[Any, ...]:
        nonlocal at
        values = struct.unpack_from("<" + layout, data, at)
        at += struct.calcsize("<" + layout)
        return values

    def name() -> str:
        (size,) = take("B")
        return bytes(take(f"{size}s")[0]).decode()

    parameters = {name(): take("f")[0] for _ in range(take("B")[0])}
    ensembles = {}
    for _ in range(take("B")[0]):
        label = name()
        source, base, count = take("BfI")
        trees = []
        for _ in range(count):
            (leaves,) = take("B")
            splits = [take("HBBf") for _ in range(leaves - 1)]
            features, left, right, thresholds = (tuple(split[i] for split in splits) for i in range(4))
            trees.append(Tree(features, left, right, thresholds, take(f"{leaves}f")))
        ensembles[label] = Ensemble(tuple(trees), source, base)
    return TreeFile(header, ensembles, parameters)


def from_lightgbm(dump: Mapping[str, Any], *, source: int = 0, every: int = 1, offset: int = 0) -> Ensemble:
    """The trees of `Booster.dump_model()`; of a model of several classes each `every`-th from `offset` on."""
    trees = [_tree(info["tree_structure"]) for info in dump["tree_info"][offset::every]]
    return Ensemble(tuple(trees), source)


def covers(dump: Mapping[str, Any]) -> Ensemble:
    """The trees of `Booster.dump_model()` with the number of rows in each leaf in the place of its value."""
    trees = [_tree(info["tree_structure"], "leaf_count") for info in dump["tree_info"]]
    return Ensemble(tuple(trees))


def mean(ensembles: Sequence[Ensemble]) -> Ensemble:
    """One ensemble whose margins are the mean of theirs."""
    part = 1 / len(ensembles)
    trees = [
        replace(tree, leaves=tuple(float(np.float32(leaf * part)) for leaf in tree.leaves))
        for ensemble in ensembles
        for tree in ensemble.trees
    ]
    base = sum(ensemble.base for ensemble in ensembles) * part
    return Ensemble(tuple(trees), ensembles[0].input, base)


def _tree(root: Mapping[str, Any], value: str = "leaf_value") -> Tree:
    order: list[Mapping[str, Any]] = []
    leaves: list[float] = []
    codes: dict[int, int] = {}
    waiting = [root]
    while waiting:  # breadth first: a child's number is greater than its parent's
        node = waiting.pop(0)
        if "split_feature" in node:
            codes[id(node)] = len(order)
            order.append(node)
            waiting += [node["left_child"], node["right_child"]]
        else:
            codes[id(node)] = LEAF + len(leaves)
            leaves.append(float(np.float32(node[value])))
    if any(node["decision_type"] != "<=" for node in order):
        raise ValueError("only numeric splits can be written: fit without categorical features")
    return Tree(
        tuple(int(node["split_feature"]) for node in order),
        tuple(codes[id(node["left_child"])] for node in order),
        tuple(codes[id(node["right_child"])] for node in order),
        tuple(float_below(float(node["threshold"])) for node in order),
        tuple(leaves),
    )
