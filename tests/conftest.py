"""What holds for all tests."""

from hypothesis import settings

# Hypothesis by itself fails an example that takes 200 ms: a statement about the machine, not about the code.
settings.register_profile("waihu", deadline=None)
settings.load_profile("waihu")
