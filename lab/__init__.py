"""A real exchange to try and test against: a PBX, a carrier that plays the public network, softphones.

settings: folder and ports · installation: which Asterisk · configuration: what is written for it · node: one Asterisk
process · exchange: the whole, `Lab.open` · ami: the lab's own small AMI client · softphone/: phones · asterisk/:
templates · __main__: `python -m lab up | down | status | shell`
"""

from lab.errors import LabError, NodeFailed, NotPrepared, PortTaken
from lab.exchange import Lab
from lab.node import Node
from lab.settings import LabSettings

__all__ = ["Lab", "LabError", "LabSettings", "Node", "NodeFailed", "NotPrepared", "PortTaken"]
