"""What can be set of the processes that transcribe; part of the table `[asr]`, and `[redis]`."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from cti.settings.base import Section


class RedisSettings(Section):
    """Redis, which carries work to other machines."""

    url: SecretStr = Field(
        SecretStr(""),
        description="`redis://HOST:6379/0`, `rediss://...` or `unix://...`; empty: there is none.",
    )

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value() and not url.get_secret_value().startswith(
            ("redis://", "rediss://", "unix://")
        ):
            raise ValueError("must be empty or begin with redis://, rediss:// or unix://")
        return url


class WorkerSettings(Section):
    """How recordings are worked off."""

    workers: int = Field(
        0,
        ge=0,
        le=64,
        description="Processes that `cti run` keeps beside itself to transcribe; 0: none, others do it or nobody.",
    )
    threads: int = Field(
        1, ge=1, le=64, description="Recordings that one process works at together; they share its models."
    )
    nice: int = Field(10, ge=0, le=19, description="How far a worker steps back from calls (nice).")
    feed: Literal["auto", "api", "table", "redis"] = Field(
        "auto",
        description="Where workers take work from: the service's API, the database itself (PostgreSQL only), or Redis;"
        " `auto`: the database when it is PostgreSQL, else the API. The service and its workers must agree.",
    )
    sounds: Literal["auto", "api", "archive"] = Field(
        "auto",
        description="Where workers take recordings from: the API, or where they are kept (folder or S3 store, with the"
        " keys); `auto`: the latter when the work comes from the database.",
    )
    lease_seconds: float = Field(
        60.0,
        ge=2,
        le=3600,
        description="A worker that is silent for so long is taken for dead, and its recording given to another.",
    )
    cores: float | None = Field(
        None,
        gt=0,
        description="Most cores that one worker may use over ten seconds; empty: as many as threads.",
    )
    pause_above_waiting: float | None = Field(
        0.5,
        ge=0,
        le=1,
        description="Pause while some task waits for a core for more than this share of the time (Linux PSI).",
    )
    pause_above_load: float | None = Field(
        2.0, ge=0, description="Pause above this load for each core, where the kernel tells no PSI."
    )
    pause_above_calls: int | None = Field(
        None, ge=0, description="Pause while more calls than this are up; empty: however many."
    )
    recycle_mb: int = Field(
        4096, ge=256, description="A worker that has grown beyond this is begun anew between two recordings."
    )
