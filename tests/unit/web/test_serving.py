"""Opening the port, and closing it."""

import socket
from pathlib import Path

import aiohttp
import pytest

from cti.errors import SettingsError
from cti.model.access import Role
from cti.web.app import make_app, serving
from cti.web.deps import Deps
from tests.fakes.memory_store import MemoryStore
from tests.fakes.site import TOKENS, deps_in_memory, grant


def parts(folder: Path) -> Deps:
    return deps_in_memory(MemoryStore(), folder)


async def test_a_port_that_is_taken_is_told_with_key_and_address(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            SettingsError, match=rf"api\.port: 127\.0\.0\.1:{port} is taken by another program"
        ):
            async with serving(make_app(parts(tmp_path), []), host="127.0.0.1", port=port):
                pass


async def test_the_end_of_the_service_says_goodbye_to_who_listens(tmp_path: Path) -> None:
    app = make_app(parts(tmp_path), [grant("lead", Role.LEAD)])
    headers = {"Authorization": f"Bearer {TOKENS['lead']}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with serving(app, host="127.0.0.1", port=0) as url:
            listener = await session.ws_connect(f"{url}/api/v1/events")
            assert (await listener.receive_json())["type"] == "hello"
        message = await listener.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        await listener.close()


async def test_a_query_of_ten_thousand_letters_is_refused_in_words(tmp_path: Path) -> None:
    app = make_app(deps_in_memory(MemoryStore(), tmp_path), [grant("lead", Role.LEAD)])
    async with serving(app, host="127.0.0.1", port=0) as url, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {TOKENS['lead']}"}
        asked = {"q": "a" * 10_000}
        async with session.get(f"{url}/api/v1/search", params=asked, headers=headers) as answer:
            assert answer.status == 422
            assert "at most 1000 letters" in (await answer.json())["error"]["message"]
