"""What can be set of transcription's models."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from cti.asr.catalogue import KNOWN
from cti.asr.profile import OPTION, EngineName, ModelProfile, RateHandling
from cti.settings.base import MaybeFolder, Name, Section, each_once
from cti.settings.worker_sections import WorkerSettings

Option = Annotated[str, Field(pattern=OPTION)]


class AsrModelSettings(Section):
    """A model as it is used. Of a name that `cti models list` shows, all the rest may be left out."""

    name: Name = Field(description="Ours; unique; stored with each transcript.")
    language: str = Field(
        "",
        pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$",
        description="What it hears, for example `en`, `zh`, `ko`; empty: as known.",
    )
    engine: EngineName | None = Field(None, description="`vosk` or `whisper`; empty: as known.")
    path: MaybeFolder = Field(None, description="Its folder; empty: `NAME` in `asr.folder`.")
    checksum: str | None = Field(
        None,
        pattern="^[0-9a-fA-F]{64}$",
        description="Digest of the folder as `cti models check` shows it; empty: whatever is there.",
    )
    rate: RateHandling | None = Field(
        None,
        description="What is done to 8 kHz sound: `native`, `linear16k` or `soxr16k`; empty: as known, else `native`.",
    )
    mfcc_conf: tuple[Option, ...] | None = Field(
        None, description="Lines laid over Vosk's `mfcc.conf`; empty: as known."
    )
    model_conf: tuple[Option, ...] = Field((), description="Lines laid over Vosk's `model.conf`.")
    prompt: str | None = Field(
        None, max_length=400, description="What Whisper is told was said before; empty: as known."
    )
    beam: int = Field(1, ge=1, le=20, description="Whisper's beam.")

    @model_validator(mode="after")
    def _known_or_complete(self) -> Self:
        if self.name not in KNOWN and not (self.language and self.engine):
            raise ValueError(f"{self.name!r} is no model that is known: language and engine are to be given")
        return self

    def profile(self, folder: Path) -> ModelProfile:
        """Return it complete; `folder` is where models lie that name no path."""
        known = KNOWN.get(self.name)
        path = self.path or folder / self.name
        base = known.profile(path) if known else None
        engine = self.engine or (base.engine if base else EngineName.VOSK)
        if base and base.engine is not engine:
            base = None  # what is known is of another engine
        return ModelProfile(
            name=self.name,
            language=self.language or (known.language if known else ""),
            engine=engine,
            path=path,
            checksum=self.checksum,
            rate=self.rate or (base.rate if base else RateHandling.NATIVE),
            mfcc_conf=self.mfcc_conf if self.mfcc_conf is not None else (base.mfcc_conf if base else ()),
            model_conf=self.model_conf,
            prompt=self.prompt if self.prompt is not None else (base.prompt if base else ""),
            beam=self.beam,
        )


class AsrSettings(WorkerSettings):
    """Transcription: its models, and who works at it."""

    folder: Path = Field(
        Path("var/models"), description="Where models lie; `cti models fetch` brings them there."
    )
    mirror: str = Field(
        "",
        description="A folder or an http(s) address with the models' archives, asked before the public places.",
    )
    models: tuple[AsrModelSettings, ...] = Field(
        (), description="Models to use; none: all that are known and lie in the folder."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        each_once("models: the name", [model.name for model in self.models])
        return self

    @property
    def cache(self) -> Path:
        """Where copies of models with other settings are made."""
        return self.folder / ".made"

    def profiles(self) -> tuple[ModelProfile, ...]:
        """Return the models to use, those named first before those named later."""
        if self.models:
            return tuple(model.profile(self.folder) for model in self.models)
        there = (model.profile(self.folder / model.name) for model in KNOWN.values())
        return tuple(profile for profile in there if profile.path.is_dir())
