"""May this number be dialed now? Pure rules, profiles of law as data, and what must be known to answer."""
