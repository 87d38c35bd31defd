"""Settings of BottleCRM for a test run: SQLite, no broker, no mail, no migrations. Loaded by its own Python."""

import os
from pathlib import Path

# Its own settings ask the environment for these when they are imported.
os.environ |= {
    "SECRET_KEY": "of-a-test-run-on-loopback-that-holds-nothing-of-anybody",
    "ALLOWED_HOSTS": "127.0.0.1",
    "CELERY_BROKER_URL": "memory://",
    "CELERY_RESULT_BACKEND": "cache+memory://",
    "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
}

from crm.settings import *  # type: ignore[import-not-found]  # noqa: F403

_folder = Path(os.environ["BOTTLE_FOLDER"])


class _NoMigrations:
    """Says of every application that it has none: its tables are then made from its models."""

    def __contains__(self, _: str) -> bool:
        return True

    def __getitem__(self, _: str) -> None:
        return None


DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(_folder / "bottle.sqlite3"),
        # Writers wait for each other instead of failing; a reader does not hold them up.
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
MIGRATION_MODULES = _NoMigrations()
CELERY_TASK_ALWAYS_EAGER = True
MEDIA_ROOT = str(_folder / "media")
