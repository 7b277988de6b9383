"""Profiles of hypothesis: `pytest --hypothesis-profile=long` searches where nobody waits."""

from hypothesis import settings

settings.register_profile("long", max_examples=10_000, deadline=None)
