"""Asks 纷享销客, and judges how it answered: every answer has the status 200, and `errorCode` says how it went.

Its messages change, says its documentation, and are never judged by. A token is had for three secrets, one at a time
and ten times in a minute at most; it lasts two hours.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm_sync.account import Account
from crm_sync.fxiaoke.tables import FxiaokeTable
from crm_sync.port import CrmError
from crm_sync.requests import Reply, Requester, answer_of, at_path, plain
from cti.clock import Clock
from cti.errors import SettingsError
from cti.model.crm import Answer

STALE: Final = frozenset({20005, 20016})
"""The token ran out before its time."""
CODES: Final[Mapping[int, Answer]] = {
    -2: Answer.UNKNOWN,  # 系统错误
    -1: Answer.UNKNOWN,  # 系统繁忙
    50009: Answer.UNKNOWN,  # 服务异常，如超时
    14001: Answer.THROTTLE,  # 接口调用超过限制
    30002: Answer.THROTTLE,  # 当天访问频次超限
    30004: Answer.THROTTLE,  # 秒频次超限
    **dict.fromkeys(
        (15003, 20005, 20006, 20012, 20014, 20015, 20016, 20017, 20020, 20021, 20022, 20023, 30003),
        Answer.AUTH,
    ),
}
WINDOW_SECONDS: Final = 20.0
"""A hundred requests of an interface in it."""
DAY_OVER: Final = 30002
BEIJING: Final = ZoneInfo("Asia/Shanghai")
TOKEN_SECONDS: Final = 7200.0
EARLY_SECONDS: Final = 300.0
"""A new token is had so long before the old one runs out."""


class FxiaokeAsker:
    """Sends requests of one account, as one person, and counts them."""

    def __init__(self, account: Account, table: FxiaokeTable, requester: Requester, clock: Clock) -> None:
        """The secret is `appSecret:permanentCode`. Raises SettingsError."""
        self._account = account
        self._table = table
        self._requester = requester
        self._clock = clock
        self._app_secret, colon, self._permanent = account.secret.get_secret_value().partition(":")
        if not colon or not self._app_secret or not self._permanent:
            raise SettingsError(
                f"crm.targets: {account.target}: secret: expected is appSecret:permanentCode of the application"
            )
        self._token = ""
        self._corp = ""
        self._until = 0.0
        self._lock = asyncio.Lock()
        self.asked = 0

    async def data(self, action: str, api_name: str, body: Mapping[str, Any]) -> Any:
        """Call a method of records (`query`, `create`, `update`); its path depends on the object. Raises CrmError."""
        family = "custom/v2" if api_name.endswith("__c") else "v2"
        return await self.ask(f"/cgi/crm/{family}/data/{action}", body, makes=action == "create")

    async def ask(self, path: str, body: Mapping[str, Any], *, makes: bool = False) -> Any:
        """Send, with a new token when the one in hand is refused; return the answer's JSON. Raises CrmError.

        `makes`: the request makes a record each time it is sent.
        """
        reply, token = await self._once(path, body)
        if self._code(reply) in STALE:
            if self._token == token:  # else another request has had a new one meanwhile
                self._token = ""
            reply, _ = await self._once(path, body)
        self._must(reply, makes=makes)
        return reply.json

    async def corp(self) -> str:
        """Return the id of the enterprise. Raises CrmError."""
        await self._signed()
        return self._corp

    async def _once(self, path: str, body: Mapping[str, Any]) -> tuple[Reply, str]:
        """Return the answer, and the token that was shown."""
        keys = await self._signed()
        return await self._send(path, {**keys, **body}), keys["corpAccessToken"]

    async def _signed(self) -> dict[str, str]:
        async with self._lock:
            if not self._token or self._clock.monotonic() >= self._until:
                await self._new_token()
            return {
                "corpAccessToken": self._token,
                "corpId": self._corp,
                "currentOpenUserId": self._table.user,
            }

    async def _new_token(self) -> None:
        body = {
            "appId": self._table.app_id,
            "appSecret": self._app_secret,
            "permanentCode": self._permanent,
        }
        try:
            reply = await self._send("/cgi/corpAccessToken/get/V2", body)
            code = self._code(reply)
            if code is None or code in CODES:
                self._must(reply)
        except CrmError as error:  # nothing of a call was sent yet
            answer = Answer.AWAY if error.answer is Answer.UNKNOWN else error.answer
            raise CrmError(
                answer, f"no token is to be had: {error}", pause_seconds=error.pause_seconds
            ) from None
        token, corp = at_path(reply.json, "corpAccessToken"), at_path(reply.json, "corpId")
        if code != 0 or not isinstance(token, str) or not isinstance(corp, str):
            raise CrmError(Answer.AUTH, f"no token is given: {self._told(reply)}")
        lasts = at_path(reply.json, "expiresIn")
        seconds = float(lasts) if isinstance(lasts, int | float) else TOKEN_SECONDS
        self._token, self._corp = token, corp
        self._until = self._clock.monotonic() + max(1.0, seconds - EARLY_SECONDS)

    async def _send(self, path: str, body: Mapping[str, Any]) -> Reply:
        self.asked += 1
        url = self._account.url.rstrip("/") + path
        return await self._requester.send(
            "POST", url, headers={"Accept": "application/json"}, json=dict(body)
        )

    def _must(self, reply: Reply, *, makes: bool = False) -> None:
        """Raise CrmError unless it went well."""
        code = self._code(reply)
        if code == 0 and reply.status < 300:
            return
        if code is None or reply.status >= 300:
            # an answer of a gateway before it; without a code nobody knows what was done
            answer = answer_of(reply, makes=makes)
            answer = Answer.UNKNOWN if answer in (Answer.OK, Answer.PERMANENT) else answer
            raise CrmError(answer, self._told(reply))
        answer = CODES.get(code, Answer.PERMANENT)
        pause = None
        if answer is Answer.THROTTLE:
            pause = _until_midnight(self._clock.now()) if code == DAY_OVER else WINDOW_SECONDS
        raise CrmError(answer, self._told(reply), pause_seconds=pause)

    def _code(self, reply: Reply) -> int | None:
        code = at_path(reply.json, "errorCode")
        return code if isinstance(code, int) and not isinstance(code, bool) else None

    def _told(self, reply: Reply) -> str:
        said = [at_path(reply.json, one) for one in ("errorMessage", "errorDescription", "traceId")]
        text = " ".join(str(one) for one in said if one) or reply.body
        return f"{reply.status} {self._code(reply)}: {self.plain(text)}"

    def plain(self, text: str) -> str:
        """Return a piece of an answer fit for people, without our keys."""
        return plain(text, secrets=(self._app_secret, self._permanent, self._token))


def _until_midnight(now: datetime) -> float:
    """Return the seconds to the next midnight of Beijing, when its day begins anew."""
    here = now.astimezone(BEIJING)
    midnight = datetime.combine(here.date() + timedelta(days=1), time.min, BEIJING)
    return (midnight.astimezone(UTC) - now).total_seconds()
