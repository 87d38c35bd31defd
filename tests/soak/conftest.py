"""The long runs use the integration tests' exchange."""

from tests.integration.conftest import asterisk, fresh_lab, postgres_server

__all__ = ["asterisk", "fresh_lab", "postgres_server"]
