"""Requests as texts of a mapping file say them: read once, with file and key in every error, and filled in. Pure.

Values from outside get into a path by quoting, into a query by the library's encoding, into a body as JSON values.
"""

from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from crm_sync.rest.read_tables import AskTable, MoreTable
from crm_sync.template import Template, render, template_of, text_of, value_at
from cti.errors import BadInput, SettingsError

SEVERAL: Final = {"ids": "id", "call_ids": "call_id", "spellings": "spelling"}
"""Names of several values, and that of one of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, filled in."""

    method: str
    path: str
    """Below the CRM's address, fit for a URL; or the address of a next page, as it came."""
    query: tuple[tuple[str, str], ...] = ()
    body: Any = None
    link: bool = False
    """The path came from the CRM."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request whose texts were read and found good."""

    where: str
    """File and key, for messages."""
    method: str
    path: Template
    query: Map[str, Template]
    body: Any = None
    each: Template | None = None
    join: str = ","
    names: frozenset[str] = frozenset()
    """The values that it names."""
    allowed: frozenset[str] = frozenset()
    """Those that it may name."""

    def asked(self, values: Map[str, Any]) -> Asked:
        """Return the request with these values. Raises BadInput for what may not stand in a URL."""
        given = dict(values)
        for name in SEVERAL.keys() & given.keys():
            given[name] = self._several(name, given[name])
        return Asked(
            method=self.method,
            path=_path(self.path, given, self.join, self.where),
            query=tuple(self._query(given)),
            body=None if self.body is None else _filled(self.body, given, self.join, self.where),
        )

    def with_more(self, more: MoreTable) -> "Question":
        """Return it with parts of the query and body added, or in the place of those of the same name."""
        if not more.query and not more.body:
            return self
        query, body, names = _parts(more.query, more.body, names=self.allowed, where=self.where)
        joined = {**self.body, **body} if isinstance(self.body, Map) else (body or self.body)
        return replace(self, query={**self.query, **query}, body=joined, names=self.names | names)

    def _several(self, name: str, values: Any) -> list[Any]:
        one = SEVERAL[name]
        if self.each is None:
            return list(values)
        return [_value(self.each, {one: value}, self.where) for value in values]

    def _query(self, values: Map[str, Any]) -> list[tuple[str, str]]:
        made = []
        joined = _joined(values, self.join)
        for name, template in self.query.items():
            place = template.only
            if place is not None and name.endswith("[]") and isinstance(values.get(place.name), list):
                made += [(name, text_of(one)) for one in values[place.name]]
                continue
            text = render(template, joined, where=f"{self.where}: query.{name}")
            if text or not any(template.names()):
                made.append((name, text))
        return made


def question_of(
    table: AskTable, *, names: frozenset[str], where: str, more: tuple[MoreTable, ...] = ()
) -> Question:
    """Read a request in which these values may stand. `more`: what may be added to it is read, too.

    Raises SettingsError: file, key, and what is wrong.
    """
    query, body, named = _parts(table.query, table.body, names=names, where=where)
    for one in more:
        named |= _parts(one.query, one.body, names=names, where=where)[2]
    path = _template(table.path, names, f"{where}.path")
    several = [one for name, one in SEVERAL.items() if name in names]
    each = _template(table.each, frozenset(several), f"{where}.each") if table.each else None
    return Question(
        where=where,
        method=table.method,
        path=path,
        query=query,
        body=body,
        each=each,
        join=table.join,
        names=named | frozenset(path.names()),
        allowed=names,
    )


def _parts(
    query: Map[str, str], body: Any, *, names: frozenset[str], where: str
) -> tuple[dict[str, Template], Any, frozenset[str]]:
    """Read the texts of a query and a body; and return which values they name."""
    read = {name: _template(text, names, f"{where}.query.{name}") for name, text in query.items()}
    tree = _tree(body, names, f"{where}.body")
    named = [name for template in read.values() for name in template.names()]
    return read, tree, frozenset(named) | frozenset(_names(tree))


def _template(text: str, names: frozenset[str], where: str) -> Template:
    try:
        return template_of(text, names=names, where=where)
    except BadInput as error:
        raise SettingsError(str(error)) from None


def _tree(value: Any, names: frozenset[str], where: str) -> Any:
    match value:
        case str():
            return _template(value, names, where)
        case Map():
            return {name: _tree(one, names, f"{where}.{name}") for name, one in value.items()}
        case list() | tuple():
            return [_tree(one, names, f"{where}[{at}]") for at, one in enumerate(value)]
    return value


def _names(tree: Any) -> list[str]:
    match tree:
        case Template():
            return list(tree.names())
        case Map():
            return [name for one in tree.values() for name in _names(one)]
        case list():
            return [name for one in tree for name in _names(one)]
    return []


def _filled(tree: Any, values: Map[str, Any], join: str, where: str) -> Any:
    """Return a tree of JSON values; what comes to nothing is None, and left out above."""
    match tree:
        case Template():
            place = tree.only
            if place is not None and not place.filters and isinstance(values.get(place.name), list):
                return values[place.name]
            return _value(tree, _joined(values, join), where)
        case Map():
            filled = {name: _filled(one, values, join, where) for name, one in tree.items()}
            return {name: one for name, one in filled.items() if one is not None}
        case list():
            made = [_filled(one, values, join, where) for one in tree]
            return [one for one in made if one is not None]
    return tree


def _value(template: Template, values: Map[str, Any], where: str) -> Any:
    """Return what a text comes to: a lone value with its type, times as text; None for nothing."""
    place = template.only
    value = render(template, values, where=where) if place is None else value_at(place, values, where=where)
    if value is None or value == "":
        return None if any(template.names()) else value
    return value if isinstance(value, bool | int | float | list) else text_of(value)


def quoted(text: str) -> str:
    """Return a value fit for a URL's path. Behind all filters: one that escapes quotes would see none before."""
    return quote(text, safe="")


def _path(path: Template, values: Map[str, Any], join: str, where: str) -> str:
    shown = render(path, _joined(values, join), where=where, fit=quoted)
    if any(ord(one) < 32 for one in shown):
        raise BadInput(f"{where}: a value would put a control character into a URL")
    if any(part in (".", "..") for part in shown.partition("?")[0].split("/")):
        # quoting leaves dots as they are, and the library would go up a folder
        raise BadInput(f"{where}: a value of dots alone cannot stand in a path")
    return shown


def _joined(values: Map[str, Any], join: str) -> dict[str, Any]:
    return {
        name: join.join(text_of(one) for one in value) if isinstance(value, list) else value
        for name, value in values.items()
    }
