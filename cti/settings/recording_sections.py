"""What can be set of recordings."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from cti.errors import BadInput
from cti.model.recordings import DEFAULT_TEMPLATE, RetentionClass, SoundFormat, template_problem
from cti.recording.keys import KeyRing
from cti.recording.plan import ArchivePlan, S3Place
from cti.settings.base import Name, Section, each_once


class RetentionSettings(Section):
    """One class of recordings; a campaign's rules name it."""

    name: Name = Field(description="What it is called; unique, and kept: recordings are stored under it.")
    days: float = Field(
        gt=0, le=36_500, description="How long its recordings are kept, from the answer on, in days."
    )
    transcript_days: float | None = Field(
        None,
        gt=0,
        le=36_500,
        description="How long their transcripts are kept, likewise, with what was found in them; not set: as long as "
        "the recordings.",
    )


class S3Settings(Section):
    """An S3-compatible store that recordings are moved to. Credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."""

    bucket: str = Field(
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="The bucket; it must be there."
    )
    endpoint: str = Field(
        "", pattern=r"^(https?://[^\s/]+/?)?$", description="URL of the store; empty: Amazon's."
    )
    region: str = Field("", pattern=r"^[A-Za-z0-9-]*$", description="Region, where the store has any.")
    prefix: str = Field(
        "",
        pattern=r"^([A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?$",
        description="Put before each name in the bucket, without a slash at its end.",
    )

    def place(self) -> S3Place:
        """Return it as the store wants it."""
        return S3Place(
            bucket=self.bucket,
            endpoint=self.endpoint.rstrip("/"),
            region=self.region,
            prefix=self.prefix,
        )


class RecordingSettings(Section):
    """Recordings once they are collected."""

    folder: Path = Field(Path("var/recordings"), description="Where checked recordings are kept.")
    keep_raw: bool = Field(False, description="Keep the node's raw file after the recording was collected.")
    template: str = Field(
        DEFAULT_TEMPLATE,
        description="Name of a kept file, without suffix; fields: `call_id` (needed), `date`, `year`, `month`, `day`, "
        "`time` (UTC), `campaign`, `campaign_id`, `agent`, `number`, `node`, `list_id`, `contact_id`.",
    )
    compress: Literal["none", "flac", "opus"] = Field(
        "none",
        description="What a recording becomes once it is transcribed: `flac` (the same samples), `opus` (smaller).",
    )
    least_free_bytes: int = Field(
        1_000_000_000,
        ge=0,
        description="With less room than this, here or on a node, calls are placed without recording.",
    )
    keys: SecretStr = Field(
        SecretStr(""),
        description="Keys that recordings are encrypted with, `id:base64` of 32 bytes, commas between; the first "
        "encrypts, all decrypt; empty: no encryption. From the environment: WAIHU_RECORDING_KEY.",
    )
    retention: str = Field(
        "", description="Class of campaigns that name none; empty: their recordings are kept for ever."
    )
    classes: tuple[RetentionSettings, ...] = Field((), description="How long recordings are kept.")
    s3: S3Settings | None = Field(None, description="Where recordings are moved to.")

    @field_validator("template")
    @classmethod
    def _safe_template(cls, template: str) -> str:
        if problem := template_problem(template):
            raise ValueError(problem)
        return template

    @field_validator("keys")
    @classmethod
    def _readable_keys(cls, keys: SecretStr) -> SecretStr:
        try:
            KeyRing.read(keys.get_secret_value())
        except BadInput as error:
            raise ValueError(str(error)) from None
        return keys

    @model_validator(mode="after")
    def _classes_fit(self) -> Self:
        names = [one.name for one in self.classes]
        each_once("classes: the name", names)
        if self.retention and self.retention not in names:
            raise ValueError(f"retention: there is no class {self.retention!r}")
        return self

    def plan(self) -> ArchivePlan:
        """Return what the archive is opened with, here or in another process."""
        return ArchivePlan(
            folder=self.folder, keys=self.keys.get_secret_value(), s3=self.s3.place() if self.s3 else None
        )

    def form(self) -> SoundFormat | None:
        """Return what recordings are compressed to, None for nothing."""
        return None if self.compress == "none" else SoundFormat(self.compress)

    def retention_classes(self) -> tuple[RetentionClass, ...]:
        """Return the classes as the retention service wants them."""
        return tuple(
            RetentionClass(name=one.name, days=one.days, transcript_days=one.transcript_days)
            for one in self.classes
        )
