"""Real CRMs on loopback, for the tests: programs of others, started as they are and spoken to over HTTP alone."""
