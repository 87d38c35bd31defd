"""A node that the settings no longer name: nobody will ever tell what became of its calls."""

from dataclasses import replace
from pathlib import Path

from cti.app import open_app
from cti.model.agents import AgentChange, AgentState
from cti.model.calls import CallState, EndReason
from cti.settings import Settings
from cti.storage.database import Database, open_database
from lab.ports import free_port
from tests.builders import NOW, a_call, later

LEG = "waihu-a-1-0a"


async def _talk_on_the_old_node(database: Database) -> str:
    agent = await database.agents.add_agent(login="anna", name="Anna", endpoint="a001", node="old")
    call = a_call(node="old", agent_id=agent.id)
    await database.calls.place([(call, None)])
    for before, after in ((AgentState.LOGGED_OUT, AgentState.READY), (AgentState.READY, AgentState.RESERVED)):
        change = AgentChange(agent_id=agent.id, at=NOW, before=before, after=after, call_id=call.id)
        await database.agents.save_changes(
            [(change, replace(agent, state=after, channel_id=LEG, channel="PJSIP/a001-1", call_id=call.id))]
        )
    await database.calls.save([replace(call, state=CallState.RINGING, dialing_at=later(1))])
    return call.id


async def test_its_calls_are_ended_and_its_agents_are_free_to_go(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/waihu.db"
    async with open_database(url) as database:
        call_id = await _talk_on_the_old_node(database)
    settings = Settings.model_validate(
        {
            "database": {"url": url},
            "nodes": [{"name": "new", "host": "127.0.0.1", "port": 1, "user": "u", "secret": "s"}],
            "api": {"port": free_port()},
        }
    )
    async with open_app(settings) as app:
        assert app.tracker.open_calls() == []
        assert app.agents.named("anna").state is not AgentState.RESERVED
        await app.agents.logout("anna")
        await app.journal.flush()
        call = await app.database.calls.get(call_id)
    assert call is not None
    assert (call.state, call.end_reason) == (CallState.ENDED, EndReason.NODE_LOST)
