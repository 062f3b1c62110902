"""Tasks put together for one call to a worker: small ones in packs, fewer towards the end of a phase."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from corpus.stage import Task

#: Bytes of input in one pack of tasks at most, and bytes that a task counts for beside its input: what it
#: costs to write its files (20 ms at 25 MB/s).
PACK_BYTES: Final = 128 << 20
TASK_BYTES: Final = 500_000
#: Packs that the remaining work is cut into for each processor: packs get smaller towards the end of a phase,
#: so that no processor has much left when the others are done.
PACKS_PER_CPU: Final = 4


@dataclass
class Try:
    """A task with how often its worker died, and memory beyond its phase's, in bytes."""

    task: Task
    tries: int = 0
    memory: float = 0.0

    @property
    def cost(self) -> int:
        return TASK_BYTES + sum(source.size for source in self.task.inputs)


@dataclass
class Pack:
    """Tasks that Ray has as one call, in order, and since when."""

    tries: list[Try]
    started: float = 0.0


class Queue:
    """Tasks that wait, the next one last, and what they cost together."""

    def __init__(self, tries: Iterable[Try]) -> None:
        self._tries = list(tries)
        self._cost = sum(one.cost for one in self._tries)

    def __bool__(self) -> bool:
        return bool(self._tries)

    def push(self, one: Try) -> None:
        self._tries.append(one)
        self._cost += one.cost

    def _pop(self) -> Try:
        one = self._tries.pop()
        self._cost -= one.cost
        return one

    def take(self, cpus: int) -> Pack:
        """What is to be sent as one call: at most `PACK_BYTES`, and of what remains a part of each
        processor's. A task that was tried before goes alone: it may kill its worker again."""
        room = min(PACK_BYTES, self._cost // (PACKS_PER_CPU * cpus))
        pack = [self._pop()]
        room -= pack[0].cost
        while self._tries and not pack[0].tries and not self._tries[-1].tries:
            room -= self._tries[-1].cost
            if room < 0:
                break
            pack.append(self._pop())
        return Pack(pack)
