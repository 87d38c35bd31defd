"""The bare side of `answer_to_rep`: a kept leg, an Originate, a Bridge as soon as OriginateResponse says success."""

import argparse
import asyncio
import secrets
from typing import Any

from panoramisk import Manager

from benchmarks.child import answer, questions

LEG = "bare-leg"
CUSTOMER = "bare-customer-"


class BareBridge:
    """One rep, one call at a time."""

    def __init__(self, manager: Any, trunk: str) -> None:
        self._manager = manager
        self._trunk = trunk
        self._waited: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        manager.register_event("OriginateResponse", self._originated)

    async def keep_leg(self, endpoint: str) -> bool:
        """Call the rep's phone; its leg stays in the dialplan's loop."""
        await self._originate(LEG, f"PJSIP/{endpoint}", "cti-agent", ["CTI_AGENT=bare"])
        return await self._waited

    async def call(self, number: str) -> bool:
        """Call a customer and join him; True when he answered."""
        call = secrets.token_hex(16)
        words = [f"CTI_CALL={call}", "CTI_GRACE=2", "CTI_MESSAGE=cti-sorry", f"CTI_RECORDING=bare/{call}"]
        await self._originate(CUSTOMER + call, f"PJSIP/{number}@{self._trunk}", "cti-customer", words)
        return await self._waited

    async def _originate(self, channel_id: str, channel: str, context: str, variables: list[str]) -> None:
        self._waited = asyncio.get_running_loop().create_future()
        action = {
            "Action": "Originate",
            "ChannelId": channel_id,
            "Channel": channel,
            "Context": context,
            "Exten": "s",
            "Priority": "1",
            "Timeout": "30000",
            "Async": "true",
            "Variable": variables,
        }
        await self._manager.send_action(action, as_list=False)

    def _originated(self, _: Any, message: Any) -> None:
        success = message.response == "Success"
        if not message.uniqueid.startswith((CUSTOMER, LEG)):
            return
        if success and message.uniqueid != LEG:
            bridge = {"Action": "Bridge", "Channel1": message.uniqueid, "Channel2": LEG, "Tone": "no"}
            self._manager.send_action(bridge, as_list=False)
        if not self._waited.done():
            self._waited.set_result(success)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--host", "--user", "--secret", "--trunk", "--endpoint"):
        parser.add_argument(name, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    manager = Manager(host=given.host, port=given.port, username=given.user, secret=given.secret)
    await manager.connect()
    bare = BareBridge(manager, given.trunk)
    answer({"ready": await bare.keep_leg(given.endpoint)})
    async for question in questions():
        answer({"answered": await bare.call(question["number"])})
    manager.close()


if __name__ == "__main__":
    asyncio.run(main())
