"""Settings of the whole test set."""

import os

from hypothesis import settings

# No test asserts a time: on a busy machine one example can take seconds.
# Examples are the same in every run: what passed here passes there. HYPOTHESIS_PROFILE=search draws others.
settings.register_profile("bukvar", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "bukvar"))
