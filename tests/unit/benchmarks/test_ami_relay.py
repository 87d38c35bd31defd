"""What the relay notes of the bytes that pass."""

from benchmarks.ami_relay import AmiRelay

ID = "0" * 31 + "1"


def event(name: str, channel_id: str) -> bytes:
    return f"Event: {name}\r\nChannel: PJSIP/x-1\r\nUniqueid: {channel_id}\r\nLinkedid: {channel_id}".encode()


def test_only_the_watched_events_of_our_calls_are_noted() -> None:
    relay = AmiRelay("", 0)
    relay.note(event("Newchannel", f"waihu-c-{ID}"), 1.0)
    relay.note(event("Newstate", f"waihu-c-{ID}"), 2.0)
    relay.note(event("Hangup", "somebody-else"), 3.0)
    relay.note(event("Hangup", f"waihu-c-{ID}"), 4.0)
    assert relay.passed == {("Newchannel", ID): 1.0, ("Hangup", ID): 4.0}
