"""The contract of `NodeStore`."""

from tests.builders import NOW, later
from tests.contract.conftest import OpenStore, Store


async def test_a_node_never_seen_has_no_start(store: Store) -> None:
    assert await store.nodes.node_started("pbx") is None


async def test_a_node_s_start_is_remembered_for_the_next_process(open_store: OpenStore) -> None:
    store = await open_store()
    await store.nodes.node_seen("pbx", "2026-11-23 08:00:00", NOW)
    await store.nodes.node_seen("other", "another time", NOW)

    await store.nodes.node_seen("pbx", "2026-11-23 09:30:00", later(60))

    later_process = await open_store()
    assert await later_process.nodes.node_started("pbx") == "2026-11-23 09:30:00"
    assert await later_process.nodes.node_started("other") == "another time"
