"""The stories that are recorded on the lab: what is done, and what must come out."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from cti.model.calls import Call, CallState
from cti.model.campaign_rules import GraceStart, MachineAction, MachineRules
from cti.model.events import LegGone, NodeUp
from lab.softphone import Line
from tests.replay.exchange import Exchange

Act = Callable[[Exchange, Line], Awaitable[Call]]
NUMBER = "+4912345"
"""The lab's carrier goes by the six digits behind it: TT (hangs up after), K (kind), V (voice), NN (rings for)."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """`name` is the file's, `story` a sentence, `expect` fields of the ended call."""

    name: str
    story: str
    act: Act
    expect: dict[str, Any]
    legs: list[str] = field(default_factory=list)
    """What was told of the agent's leg, in order."""
    retry_seconds: float = 0.1
    reads_cel: bool = True


def expected_on(scenario: Scenario, version: str) -> dict[str, Any]:
    """Return what must come out on this version of Asterisk.

    Before 22.7 the Hangup event has no SIP code, 480 is cause 20, and there is no cause when Asterisk stopped ringing.
    """
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) >= (22, 7):
        return scenario.expect
    older = {name: None if name == "sip_code" else value for name, value in scenario.expect.items()}
    if scenario.expect.get("sip_code") == 480:
        older["cause"] = 0 if scenario.expect["end_reason"] == "ring_timeout" else 20
    return older


def _answered(outcome: str, by: str, **more: Any) -> dict[str, Any]:
    return {"outcome": outcome, "ended_by": by, "end_reason": "hung_up", "cause": 16, "joins": 0, **more}


def _unanswered(outcome: str, cause: int, sip_code: int | None) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "end_reason": "hung_up",
        "cause": cause,
        "sip_code": sip_code,
        "answered_at": None,
        "ended_by": None,
        "joins": 0,
    }


async def _joined(exchange: Exchange, line: Line, digits: str, **given: Any) -> Call:
    """An agent is logged in, a customer answers, they talk."""
    agent = await exchange.log_in(line.user)
    call = await exchange.place(NUMBER + digits, **given)
    await exchange.call(call, lambda c: c.waiting_at is not None)
    await exchange.lines.join(call, agent)
    return await exchange.call(call, lambda c: c.state is CallState.CONNECTED)


def just_dial(digits: str, **given: Any) -> Act:
    """Nobody is logged in; the call goes as the number says."""

    async def act(exchange: Exchange, line: Line) -> Call:
        return await exchange.ended(await exchange.place(NUMBER + digits, **given))

    return act


async def customer_hangs_up(exchange: Exchange, line: Line) -> Call:
    return await exchange.ended(await _joined(exchange, line, "021000"))


async def agents_phone_hangs_up(exchange: Exchange, line: Line) -> Call:
    call = await _joined(exchange, line, "001001")
    await asyncio.sleep(0.5)
    assert line.call is not None
    await line.call.hang_up()
    return await exchange.ended(call)


async def agent_ends_the_call(exchange: Exchange, line: Line, digits: str = "001000") -> Call:
    call = await _joined(exchange, line, digits)
    await asyncio.sleep(0.5)
    await exchange.lines.hang_up(node=call.node, channel_id=call.channel_id)
    return await exchange.ended(call)


async def machine(exchange: Exchange, line: Line) -> Call:
    return await agent_ends_the_call(exchange, line, "002001")


async def agents_phone_dies(exchange: Exchange, line: Line) -> Call:
    call = await _joined(exchange, line, "001000")
    line.die()
    ended = await exchange.ended(call)
    await exchange.until(lambda event: isinstance(event, LegGone))
    return ended


def looking(action: MachineAction) -> dict[str, Any]:
    """A campaign that looks for machines and does this with them."""
    return {
        "rules": MachineRules(detect=True, action=action, voicemail="beep"),
        "grace_start": GraceStart.GREETING.value,
    }


def join(digits: str, action: MachineAction) -> Act:
    """Whoever answers is joined with an agent, who ends the call."""

    async def act(exchange: Exchange, line: Line) -> Call:
        call = await _joined(exchange, line, digits, **looking(action))
        await asyncio.sleep(0.5)
        await exchange.lines.hang_up(node=call.node, channel_id=call.channel_id)
        return await exchange.ended(call)

    return act


async def cut_in_the_detection(exchange: Exchange, line: Line) -> Call:
    call = await exchange.place(NUMBER + "002000", **looking(MachineAction.HANG_UP))
    await exchange.call(call, lambda c: c.answered_at is not None)
    await _cut(exchange)
    return await exchange.ended(call)


async def _cut(exchange: Exchange) -> None:
    told = len(exchange.told)
    exchange.cut()
    await exchange.until(lambda event: isinstance(event, NodeUp), after=told)


async def cut_and_still_talking(exchange: Exchange, line: Line) -> Call:
    call = await _joined(exchange, line, "021000")
    await _cut(exchange)
    return await exchange.ended(call)


async def cut_and_gone(exchange: Exchange, line: Line) -> Call:
    call = await _joined(exchange, line, "011000")
    await _cut(exchange)
    return await exchange.ended(call)


async def cut_while_ringing(exchange: Exchange, line: Line) -> Call:
    call = await exchange.place(NUMBER + "001001")
    await exchange.call(call, lambda c: c.state is CallState.RINGING)
    await _cut(exchange)
    return await exchange.ended(call)


async def cut_right_after_the_order(exchange: Exchange, line: Line) -> Call:
    call = await exchange.place(NUMBER + "003001")
    await _cut(exchange)
    return await exchange.ended(call)


SCENARIOS = (
    Scenario(
        name="answered_customer_hangs_up_first",
        story="A person answers, talks with an agent, and hangs up.",
        act=customer_hangs_up,
        expect=_answered("connected", "customer", joins=1, agent_id=1),
        legs=["LegUp"],
    ),
    Scenario(
        name="answered_agents_phone_hangs_up_first",
        story="A person talks with an agent, whose phone hangs up.",
        act=agents_phone_hangs_up,
        expect=_answered("connected", "agent", joins=1),
        legs=["LegUp", "LegGone"],
    ),
    Scenario(
        name="answered_agent_ends_the_call",
        story="A person talks with an agent, who ends the call and keeps his leg.",
        act=agent_ends_the_call,
        expect=_answered("connected", "agent", joins=1),
        legs=["LegUp"],
    ),
    Scenario(
        name="machine",
        story="A machine answers, an agent hears it and ends the call.",
        act=machine,
        expect=_answered("connected", "agent", joins=1),
        legs=["LegUp"],
    ),
    Scenario(
        name="busy",
        story="The number is busy.",
        act=just_dial("003001"),
        expect=_unanswered("busy", 17, 486),
    ),
    Scenario(
        name="early_media_then_busy",
        story="A recording is played without an answer, then the number is busy.",
        act=just_dial("009700"),
        expect=_unanswered("busy", 17, 486),
    ),
    Scenario(
        name="no_answer",
        story="It rings until we stop.",
        act=just_dial("004000", ring_seconds=2.0),
        expect=_unanswered("no_answer", 19, 480) | {"end_reason": "ring_timeout"},
    ),
    Scenario(
        name="refused_404",
        story="The number does not exist.",
        act=just_dial("005001"),
        expect=_unanswered("failed", 1, 404),
    ),
    Scenario(
        name="refused_480",
        story="The network says that he is not there.",
        act=just_dial("006001"),
        expect=_unanswered("no_answer", 19, 480),
    ),
    Scenario(
        name="refused_503",
        story="The network is full.",
        act=just_dial("007001"),
        expect=_unanswered("failed", 34, 503),
    ),
    Scenario(
        name="no_such_trunk",
        story="The trunk of the call does not exist: Asterisk never makes a channel.",
        act=just_dial("001000", trunk="nowhere"),
        expect={"outcome": "failed", "end_reason": "refused", "cause": None, "joins": 0},
    ),
    Scenario(
        name="answered_never_fetched",
        story="A person answers and nobody fetches him: he hears the message, and the dialplan hangs up.",
        act=just_dial("001000"),
        expect=_answered("dropped", "service"),
    ),
    Scenario(
        name="answered_hangs_up_before_the_grace_ends",
        story="A person answers and hangs up after a second.",
        act=just_dial("009000"),
        expect=_answered("gone_early", "customer"),
    ),
    Scenario(
        name="agents_phone_dies_while_talking",
        story="The agent's phone loses its power in a talk; Asterisk hears no sound of it and lets the leg go.",
        act=agents_phone_dies,
        expect=_answered("connected", "agent", joins=1),
        legs=["LegUp", "LegGone"],
    ),
    Scenario(
        name="cut_and_still_talking",
        story="AMI is cut in a talk; after the reconnect they still talk, then the customer hangs up.",
        act=cut_and_still_talking,
        expect=_answered("connected", "customer", joins=1),
        legs=["LegUp"],
    ),
    Scenario(
        name="cut_and_gone_by_the_records",
        story="AMI is cut in a talk, which ends meanwhile; the node's records tell when and how.",
        act=cut_and_gone,
        # Who hung up is not expected: of a channel in a bridge CEL tells it only now and then.
        expect={"outcome": "connected", "end_reason": "hung_up", "cause": 16, "joins": 1},
        legs=["LegUp"],
        retry_seconds=2.5,
    ),
    Scenario(
        name="cut_and_gone_without_records",
        story="AMI is cut in a talk, which ends meanwhile; nobody knows when.",
        act=cut_and_gone,
        expect=_answered("connected", "unknown", joins=1) | {"end_reason": "no_trace", "cause": None},
        legs=["LegUp"],
        retry_seconds=2.5,
        reads_cel=False,
    ),
    Scenario(
        name="cut_while_ringing_and_dropped_meanwhile",
        story="AMI is cut while it rings; a person answers, is not fetched, and the dialplan ends the call.",
        act=cut_while_ringing,
        expect=_answered("dropped", "service"),
        retry_seconds=6.0,
    ),
    Scenario(
        name="cut_right_after_the_order",
        story="AMI is cut when the Originate has just left; the number is busy, and we hear it after the reconnect.",
        act=cut_right_after_the_order,
        expect=_unanswered("busy", 17, 486),
    ),
    Scenario(
        name="detected_person",
        story="The dialplan takes who answers for a person, and an agent talks with him.",
        act=join("001000", MachineAction.HANG_UP),
        expect=_answered("connected", "agent", joins=1, answered_by="person"),
        legs=["LegUp"],
    ),
    Scenario(
        name="detected_machine_hung_up",
        story="The dialplan takes who answers for a machine and hangs up.",
        act=just_dial("002000", **looking(MachineAction.HANG_UP)),
        expect=_answered("machine", "service", answered_by="machine", voicemail=False),
    ),
    Scenario(
        name="detected_machine_voicemail",
        story="A machine answers; the dialplan speaks after its beep and hangs up.",
        act=just_dial("002100", **looking(MachineAction.VOICEMAIL)),
        expect=_answered("machine", "service", answered_by="machine", voicemail=True),
    ),
    Scenario(
        name="detected_machine_to_agent",
        story="A machine answers, and an agent is wanted all the same.",
        act=join("002000", MachineAction.TO_AGENT),
        expect=_answered("connected", "agent", joins=1, answered_by="machine"),
        legs=["LegUp"],
    ),
    Scenario(
        name="detected_fax",
        story="A fax answers, and is hung up though machines go to agents.",
        act=just_dial("008000", **looking(MachineAction.TO_AGENT)),
        expect=_answered("machine", "service", answered_by="fax"),
    ),
    Scenario(
        name="cut_in_the_detection",
        story="AMI is cut while the dialplan listens; it hangs the machine up alone, and the records tell of it.",
        act=cut_in_the_detection,
        expect={
            "outcome": "machine",
            "end_reason": "hung_up",
            "cause": 16,
            "joins": 0,
            "answered_by": "machine",
        },
        retry_seconds=6.0,
    ),
)
