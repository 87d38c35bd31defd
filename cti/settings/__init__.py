"""Settings: `sections` says what there is, `reading` is the only reader of the file and the environment."""

from cti.settings.reading import load
from cti.settings.recording_sections import RecordingSettings, RetentionSettings, S3Settings
from cti.settings.sections import (
    AgentsSettings,
    ApiSettings,
    ComplianceSettings,
    DatabaseSettings,
    DialerSettings,
    LoggingSettings,
    NodeSettings,
    Settings,
    TokenSettings,
    TrunkSettings,
)

__all__ = [
    "AgentsSettings",
    "ApiSettings",
    "ComplianceSettings",
    "DatabaseSettings",
    "DialerSettings",
    "LoggingSettings",
    "NodeSettings",
    "RecordingSettings",
    "RetentionSettings",
    "S3Settings",
    "Settings",
    "TokenSettings",
    "TrunkSettings",
    "load",
]
