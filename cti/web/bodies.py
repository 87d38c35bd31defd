"""What a request says, as checked values: JSON bodies and query strings. Unknown fields and wrong types are refused."""

import unicodedata
from typing import Annotated, Any, Final, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from cti.errors import BadInput

MAX_BODY_BYTES: Final = 65_536


class BadFields(BadInput):
    """Fields of a request that are refused, each with its reason."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(
            "; ".join(f"{field}: {message}" if field else message for field, message in problems)
        )
        self.problems = problems


class Body(BaseModel):
    """A JSON body: exact types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Query(BaseModel):
    """A query string: text that is read as what it should be; no unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _no_control_characters(text: str) -> str:
    for character in text:
        if unicodedata.category(character) in ("Cc", "Zl", "Zp"):
            raise ValueError(f"must not hold a control character (U+{ord(character):04X})")
    return text


def _no_control_but_lines(text: str) -> str:
    _no_control_characters(text.replace("\r\n", "\n").replace("\n", "").replace("\t", ""))
    return text


Word = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$", max_length=64)
]
"""Fit for URLs, channel variables and file names."""
Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_no_control_characters),
]
"""One line of any text."""
Note = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_no_control_but_lines)]
"""Some lines of any text."""

Model = TypeVar("Model", bound=BaseModel)


async def body_of(request: web.Request, model: type[Model]) -> Model:
    """Read the JSON body; an empty one counts as `{}`. Raises BadInput."""
    raw = await request.read()
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as error:
        raise BadFields(_problems(error)) from None


def query_of(request: web.Request, model: type[Model]) -> Model:
    """Read the query string. Raises BadInput."""
    given: dict[str, Any] = {}
    for key, value in request.query.items():
        if key in given:
            raise BadFields([(key, "stands twice")])
        given[key] = value
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise BadFields(_problems(error)) from None


REWORDED: Final = {"extra_forbidden": "there is no such field", "missing": "is missing"}


def _problems(error: ValidationError) -> list[tuple[str, str]]:
    return [
        (
            ".".join(str(step) for step in problem["loc"]),
            REWORDED.get(problem["type"], problem["msg"].removeprefix("Value error, ")),
        )
        for problem in error.errors()
    ]
