"""A SIP phone without a face: hundreds of lines on one socket, for tests, benchmarks and the demo.

message, digest, sdp, audio, rtp, behaviour: pure · transactions: sending again · line: registration · call: voice ·
answering: what is said to which request · phone: the socket and the clock
"""

from lab.softphone.audio import read_wav, share_of_tone, tone
from lab.softphone.behaviour import ANY_SOUND, Behaviour, CallState, Ending
from lab.softphone.call import PhoneCall
from lab.softphone.line import Line
from lab.softphone.phone import Softphone

__all__ = [
    "ANY_SOUND",
    "Behaviour",
    "CallState",
    "Ending",
    "Line",
    "PhoneCall",
    "Softphone",
    "read_wav",
    "share_of_tone",
    "tone",
]
