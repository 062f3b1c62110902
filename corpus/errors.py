"""Five errors, by blast radius: one document, one shard, one stage, the whole run, and nothing at all; and
one of a shard's that time may heal.

Messages are one line and say what to do. What is not one of these is a bug and shows its traceback
with `--debug`.
"""


def one_line(error: BaseException) -> str:
    """An error's message on one line, bounded."""
    return (" ".join(str(error).split()) or type(error).__name__)[:300]


class BukvarError(Exception):
    """Base of the five; never raised itself. `exit_code` is the command's."""

    exit_code = 1

    def closing(self) -> str:
        """What a command says at its end, where the causes were printed when they came up."""
        return str(self)


class DocumentError(BukvarError):
    """One document can't be processed: it is dropped with the reason `error:<type>`."""


class ShardError(BukvarError):
    """One task can't be done (a corrupt file, say): it fails, the others go on, the command exits 1."""


class TransientError(ShardError):
    """A server did not answer, or said that it can't now: the same may succeed later."""


class StageError(BukvarError):
    """A stage can't succeed: nothing is left after it, or its plan does not fit the machine."""


class RunError(BukvarError):
    """Nothing can go on: the disk is full, rights are missing, the cluster is gone."""


class UsageError(BukvarError):
    """The request is wrong (a path, a key, a type). Nothing was started."""

    exit_code = 2
