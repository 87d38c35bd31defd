"""What every table of the settings is made of; so that tables can stand in more than one module."""

import types
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Port = Annotated[int, Field(ge=1, le=65535)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
"""Fit for a channel variable, a file name and an AMI header."""
MaybeFolder = Annotated[Path | None, BeforeValidator(lambda folder: None if folder == "" else folder)]
"""A folder or file, or none: the file and the environment have no word for that but an empty text."""


class Section(BaseModel):
    """A table of the file: no unknown keys, no change after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def section_of(annotation: Any) -> type[Section] | None:
    """Return the table model a field holds (alone, optional, or in a tuple), None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    if get_origin(annotation) in (tuple, Union, types.UnionType):
        return next((found for part in get_args(annotation) if (found := section_of(part))), None)
    return None


def each_once(what: str, names: Sequence[str]) -> None:
    """Raise ValueError when a name stands twice; `what` says of what it is the name: `trunks: the endpoint`."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{what} {twice[0]!r} stands twice")
