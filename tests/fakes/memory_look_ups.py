"""`LookUpStore` in memory."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from cti.crm.look_up_ports import Key
from cti.model.look_ups import Found, LookUp


@dataclass(slots=True)
class Question:
    """A number that is asked for."""

    asked_at: datetime
    is_taken: bool = False
    answer: Found | None = None


class MemoryLookUps:
    """Questions and answers in a dictionary."""

    def __init__(self) -> None:
        self.questions: dict[Key, Question] = {}

    async def ask(self, keys: Sequence[Key], *, at: datetime) -> None:
        for key in keys:
            self.questions[key] = Question(at)

    async def take(self, target: str, *, since: datetime, at: datetime, limit: int) -> list[LookUp]:
        taken = self._open(target, since)[:limit]
        for one in taken:
            self.questions[one.target, one.number].is_taken = True
        return taken

    async def is_asked(self, target: str, *, since: datetime) -> bool:
        return bool(self._open(target, since))

    async def answer(self, target: str, number: str, found: Found, *, at: datetime) -> None:
        if (target, number) in self.questions:
            self.questions[target, number].answer = found

    async def collect(self) -> dict[Key, Found]:
        answers = {key: one.answer for key, one in self.questions.items() if one.answer is not None}
        for key in answers:
            del self.questions[key]
        return answers

    async def withdraw(self, keys: Collection[Key]) -> set[Key]:
        gone = {key: self.questions.pop(key) for key in list(keys) if key in self.questions}
        return {key for key, one in gone.items() if not one.is_taken}

    async def forget(self, *, before: datetime) -> int:
        old = [key for key, one in self.questions.items() if one.asked_at < before]
        for key in old:
            del self.questions[key]
        return len(old)

    def _open(self, target: str, since: datetime) -> list[LookUp]:
        found = [
            LookUp(target=target, number=number, asked_at=one.asked_at)
            for (of, number), one in self.questions.items()
            if of == target and not one.is_taken and one.answer is None and one.asked_at >= since
        ]
        return sorted(found, key=lambda one: (one.asked_at, one.number))
