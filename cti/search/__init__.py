"""Finding what was said: tokens, queries, highlights. Pure; the databases keep the index (`cti.storage`)."""
