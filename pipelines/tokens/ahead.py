"""Items of an iterator made ahead of time by a thread: reading, encoding and writing overlap, where each of
them leaves the interpreter's lock for most of its time. Order and items are those of the iterator."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Final, Generic, TypeVar

T = TypeVar("T")

#: Bytes that are made ahead at most; a larger item is made ahead alone.
MOST: Final = 64 << 20


def ahead(
    items: Generator[T, None, None], size: Callable[[T], int], most: int = MOST
) -> Generator[T, None, None]:
    """The items, made by a thread of their own while earlier ones are used. size: bytes of an item. A new one
    is begun when those that wait or are in use come to less than `most` bytes together.

    An exception of the iterator is raised where its next item would have come. Closing this generator, or an
    exception in it, closes the iterator, in its thread, and waits for that.
    """
    line = _Line[T](most)
    thread = threading.Thread(target=line.fill, args=(items, size), daemon=True)
    thread.start()
    try:
        while line.wait():
            yield line.take()
            line.used()
    finally:
        line.stop()
        thread.join()
    if line.error is not None:
        raise line.error


class _Line(Generic[T]):
    """Items that wait, in order, and the one in use. `error` is what ended the iterator, if anything did."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._waiting: deque[tuple[T, int]] = deque()
        self._held = self._in_use = 0
        self._ended = self._stopped = False
        self.error: BaseException | None = None

    def fill(self, items: Generator[T, None, None], size: Callable[[T], int]) -> None:
        """Put items in line until there are no more, or nobody wants them."""
        try:
            with closing(items):
                for item in items:
                    self._put(item, size(item))
                    if self._stopped:
                        break
        except BaseException as error:  # raised where the next item would have come
            self.error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _put(self, item: T, size: int) -> None:
        """Append an item; returns when there is room for the next one."""
        with self._changed:
            self._waiting.append((item, size))
            self._held += size
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._held < self._most or self._stopped)

    def wait(self) -> bool:
        """Wait for an item; False where none comes any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended)
            return bool(self._waiting)

    def take(self) -> T:
        """The next item, which is in use from now on."""
        with self._changed:
            item, self._in_use = self._waiting.popleft()
            return item

    def used(self) -> None:
        """The item in use is no more."""
        with self._changed:
            self._held -= self._in_use
            self._in_use = 0
            self._changed.notify_all()

    def stop(self) -> None:
        """No more items are wanted."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify_all()
