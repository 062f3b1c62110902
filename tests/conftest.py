"""Settings of the whole test set."""

import os
import signal

from hypothesis import settings

# No test asserts a time: on a busy machine one example can take seconds.
# Examples are the same in every run: what passed here passes there. HYPOTHESIS_PROFILE=search draws others.
settings.register_profile("bukvar", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "bukvar"))

# A command that is started in the background ignores ctrl-C, and so does what it starts; tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
