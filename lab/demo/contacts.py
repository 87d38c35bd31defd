"""The demo's contacts: the last digits of each number say what the carrier makes of it (docs/reference/lab.md)."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "+4930"
"""Berlin; nothing leaves this machine, whatever the number."""


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the list."""

    name: str
    number: str


def number(serial: int, behaviour: str) -> str:
    """Return a number that behaves: six digits of talk seconds, kind, voice, ring seconds after a serial number."""
    return f"{PREFIX}{20 + serial % 70:02d}{behaviour}"


KINDS: Final[tuple[tuple[str, str], ...]] = (
    ("Anna Berg", "081501"),
    ("Boris Lang", "003102"),
    ("Chen Wei 陈伟", "061702"),
    ("Dora Klein", "000004"),
    ("Emil Voss", "071803"),
    ("Fatma Aydın", "005101"),
    ("Gustav Holm", "051901"),
    ("Hana Novák", "002001"),
    ("Ivan Petrov", "101502"),
    ("Jana Kraus", "006102"),
    ("Karl Otto", "003001"),
    ("Li Na 李娜", "061602"),
    ("Mara Weiß", "007001"),
    ("Nils Aas", "081603"),
    ("Olga Orlova", "009001"),
    ("Pavel Dvořák", "009002"),
    ("Quirin Maier", "051501"),
    ("Rosa Lopez", "003103"),
    ("Sven Dahl", "002301"),
    ("Tara Singh", "091702"),
    ("Udo Frank", "000005"),
    ("Vera Lind", "061701"),
    ("Wang Fang 王芳", "071602"),
    ("Xenia Kost", "005002"),
    ("Yusuf Demir", "003002"),
    ("Zoe Martin", "081902"),
    ("Adam Wolf; sales", "009301"),
    ('Bella "B" Roth', "061801"),
    ("Cora | Fink", "004000"),
    ("Dirk $HOME", "051901"),
    ("Ella, née Ott", "002201"),
    ("Finn Berg", "001501"),
    ("Gina Horn", "006001"),
    ("Hugo Baum", "001801"),
    ("Ida Stern", "071502"),
    ("Jon Frost", "009201"),
)
"""People who talk for some seconds or until the rep hangs up, machines, busy, nobody there, the network's refusals."""

WORST_MOMENT: Final = (Person("Kai Sommer", f"{PREFIX}95001002"), Person("Lea Winter", f"{PREFIX}96009002"))
"""One waits when nobody is there any more, one hangs up a second after answering."""

REFUSED: Final = (("Broken Number", "12"), ("No Number", ""))
"""Rows that the import refuses, so that this is seen, too."""


def people() -> list[Person]:
    """Return the list, in the order it is dialed."""
    return [Person(name, number(serial, behaviour)) for serial, (name, behaviour) in enumerate(KINDS)]


def as_csv(rows: Iterable[tuple[str, str]]) -> bytes:
    """Return a file as somebody would upload it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("name", "phone"))
    writer.writerows(rows)
    return text.getvalue().encode()
