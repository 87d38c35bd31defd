"""The command `cti`: says what is wanted to the service's API, and shows the answer. No logic of the service."""
