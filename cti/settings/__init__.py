"""Settings: `sections` says what there is, `reading` is the only reader of the file and the environment."""

from cti.settings.reading import load
from cti.settings.sections import (
    AgentsSettings,
    ApiSettings,
    ComplianceSettings,
    DatabaseSettings,
    DialerSettings,
    LoggingSettings,
    NodeSettings,
    RecordingSettings,
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
    "Settings",
    "TokenSettings",
    "TrunkSettings",
    "load",
]
