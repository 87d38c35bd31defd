"""Views that people keep, in each store."""

from dataclasses import replace

import pytest

from cti.errors import Conflict, NotFound
from cti.model.conditions import Scope
from cti.model.contact_rows import Sort
from cti.model.views import View
from tests.builders import NOW
from tests.contract.conftest import Store

VIEW = View(
    id="",
    name="Hot 王",
    about=Scope.CALL,
    condition={"field": "outcome", "is": "busy"},
    sort=Sort.SCORE_DOWN,
    owner="anna",
    shared=False,
)


async def test_a_view_is_kept_as_it_is_and_removed(store: Store) -> None:
    kept = await store.views.add_view(VIEW, at=NOW)
    assert kept == replace(VIEW, id=kept.id, created_at=NOW)
    assert await store.views.views() == [kept]

    await store.views.remove_view(kept.id)

    assert await store.views.views() == []
    with pytest.raises(NotFound):
        await store.views.remove_view(kept.id)


async def test_everybody_has_a_name_once(store: Store) -> None:
    await store.views.add_view(VIEW, at=NOW)
    with pytest.raises(Conflict, match="Hot"):
        await store.views.add_view(VIEW, at=NOW)
    await store.views.add_view(replace(VIEW, owner="bob"), at=NOW)
