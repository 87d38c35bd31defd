"""An `AmiClient` without a socket: answers by script, says what it is told to say."""

from collections.abc import Callable, Sequence

from cti.ami.actions import Action, checked
from cti.ami.inbox import Inbox
from cti.ami.message import Message
from cti.ami.ports import Connected, Happening, Lost
from cti.errors import NodeDown, NodeError, NodeRefused

Answer = Callable[[Action], Message | list[Message] | NodeError]

SUCCESS = Message.of({"Response": "Success"})
SETTINGS = Message.of({"Response": "Success", "AsteriskVersion": "22.0.0-fake"})
STATUS = Message.of({"Response": "Success", "CoreStartupDate": "2026-11-23", "CoreStartupTime": "08:00:00"})


def refusal(text: str) -> Message:
    """Return the answer to an action that Asterisk does not carry out."""
    return Message.of({"Response": "Error", "Message": text})


class FakeAmiClient:
    """`sent` are all actions; `answers[name]` answers one: a message, the rows of a list, or an error to raise."""

    def __init__(self, node: str = "pbx", *, connected: bool = True, inbox_size: int = 10_000) -> None:
        self._node = node
        self._connected = False
        self._inbox = Inbox(node, inbox_size)
        self.sent: list[Action] = []
        self.answers: dict[str, Answer] = {
            "CoreSettings": lambda action: SETTINGS,
            "CoreStatus": lambda action: STATUS,
            "CoreShowChannels": lambda action: [],
            "PJSIPShowContacts": lambda action: [],
            "Hangup": lambda action: refusal("No such channel"),
        }
        if connected:
            self.connect()

    @property
    def node(self) -> str:
        return self._node

    @property
    def connected(self) -> bool:
        return self._connected

    def connect(self) -> None:
        """Be connected from now on."""
        self._connected = True
        self._inbox.put(Connected())

    def lose(self, reason: str = "the wire was cut") -> None:
        """Lose the connection."""
        self._connected = False
        self._inbox.put(Lost(reason=reason))

    def say(self, message: Message | dict[str, str]) -> None:
        """Let Asterisk say something."""
        self._inbox.put(message if isinstance(message, Message) else Message.of(message))

    def names(self) -> list[str]:
        """List the names of the actions sent."""
        return [str(action["Action"]) for action in self.sent]

    async def send(self, action: Action) -> Message:
        [answer] = await self.send_all(action)
        if answer.refused:
            raise NodeRefused(f"node {self._node} refused {action['Action']}: {answer.text('Message')}")
        return answer

    async def send_all(self, *actions: Action) -> list[Message]:
        answers = [self._answer(action) for action in self._leave(actions)]
        return [answer[0] if isinstance(answer, list) else answer for answer in answers]

    async def collect(self, action: Action) -> list[Message]:
        [answer] = [self._answer(each) for each in self._leave([action])]
        if isinstance(answer, Message):
            if answer.refused:
                raise NodeRefused(f"node {self._node} refused {action['Action']}: {answer.text('Message')}")
            return []
        return answer

    async def next(self) -> Happening:
        return await self._inbox.next()

    def pending(self) -> int:
        return len(self._inbox)

    def _leave(self, actions: Sequence[Action]) -> Sequence[Action]:
        for action in actions:
            checked(action)
        if not self._connected:
            raise NodeDown(f"nothing was sent: node {self._node} is not connected")
        self.sent.extend(actions)
        return actions

    def _answer(self, action: Action) -> Message | list[Message]:
        answer = self.answers.get(str(action["Action"]), lambda action: SUCCESS)(action)
        if isinstance(answer, NodeError):
            raise answer
        return answer
