"""What can go wrong with the lab itself. Calls that fail are not errors here: that is what the carrier is for."""


class LabError(Exception):
    """The lab can not be had or was used wrongly; the text says what and where."""


class NotPrepared(LabError):
    """The Asterisk or the sounds are missing: `scripts/lab-tools` makes them."""


class PortTaken(LabError):
    """Another program holds a port of this lab."""


class NodeFailed(LabError):
    """An Asterisk did not start or ended by itself; the text holds the end of its log."""


class AmiRefused(LabError):
    """AMI refused a login or an action."""
