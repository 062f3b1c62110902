"""The time left, from how much is done and when that last changed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Pace:
    """Estimates the time left at the mean speed so far, at each change of what is done. Between changes the
    estimate counts down; once it has run out there is none, so that a task that stands never adds time.

    Seconds are of any one clock. `done` and `total` are of any one unit; `done` counts from what was there at
    the start.
    """

    started: float
    total: float
    at_start: float = 0.0
    _done: float = field(default=0.0, init=False)
    _changed: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._done, self._changed = self.at_start, self.started

    def update(self, done: float, now: float) -> None:
        """Take note of what is done at `now`."""
        if done != self._done:
            self._done, self._changed = done, now

    def left(self, now: float) -> float | None:
        """Seconds left; None before anything was done, and where the work takes longer than estimated."""
        worked = self._done - self.at_start
        if worked <= 0:
            return None
        estimate = (self._changed - self.started) / worked * (self.total - self._done)
        rest = estimate - (now - self._changed)
        return rest if rest > 0 else None
