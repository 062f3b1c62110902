"""The language model of stage `identify`: its named sources, and the command that fits it."""
