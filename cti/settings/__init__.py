"""Settings: `sections` says what there is, `reading` is the only reader of the file and the environment."""

from cti.settings.api_sections import ApiSettings, TokenSettings
from cti.settings.dialer_sections import AgentsSettings, ComplianceSettings, DialerSettings
from cti.settings.node_sections import NodeSettings, TrunkSettings
from cti.settings.reading import load
from cti.settings.recording_sections import RecordingSettings, RetentionSettings, S3Settings
from cti.settings.sections import DatabaseSettings, LoggingSettings, Settings

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
