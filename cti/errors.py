"""The error tree. Everything the product raises on purpose is a `CtiError`.

CtiError
├── SettingsError        a setting is missing, unknown or wrong; names the key and the file
├── BadInput             text from outside that is refused; names what and where
│   └── ControlCharacter a value that must never reach the AMI socket
├── NotFound             the thing named does not exist
│   └── Gone             it was there, and was deleted when its time was over
├── Conflict             the thing named exists, but not in a state that allows this
├── NodeError            one Asterisk node
│   ├── NodeDown         no connection to it now; try again later
│   ├── NodeSilent       an order left, or may have left, and no answer came; events will tell what became of it
│   └── NodeRefused      it answered `Response: Error`; the message is Asterisk's own
├── StorageError         the database refused or is away; `temporary` says whether to try again
├── RecordingError       a recording is missing, empty or cannot be kept; the work is retried
├── EngineError          a speech engine or its model cannot be used, or failed on a sound; names the model
│   └── TooSlow          a recording took longer than it may
│   ├── DiskFull         there is no room for it where it should be written
│   ├── WrongKey         it is encrypted with a key that is not known, or is not this one
│   ├── FileMissing      the file of a recording is not where its facts say
│   └── BrokenSound      the file is not the sound it should be: truncated, empty, another form
├── NotYet               a handler of work says: again, and not before so many seconds
└── GiveUp               a handler of work says: never try this again; goes to the dead letters

Busy, no answer, or an agent who leaves are not errors. Errors are caught in three places: the service
loop, the web middleware, and the adapter that translates a library's errors into these.
"""


class CtiError(Exception):
    """Base of all errors raised on purpose; `str()` is a sentence for a person."""


class SettingsError(CtiError):
    """A setting is missing, unknown or wrong."""


class BadInput(CtiError):
    """Input from outside that is refused."""


class ControlCharacter(BadInput):
    """A value holds CR, LF, NUL or another control character and would change an AMI message."""


class NotFound(CtiError):
    """The thing named does not exist."""


class Gone(NotFound):
    """The thing named was deleted when its time was over."""


class Conflict(CtiError):
    """The thing named is in a state that does not allow what was asked."""


class NodeError(CtiError):
    """Something about one Asterisk node."""


class NodeDown(NodeError):
    """There is no usable connection to the node; nothing was sent."""


class NodeSilent(NodeError):
    """An order was sent, or may have been, and no answer came: it must not be given again blindly."""


class NodeRefused(NodeError):
    """The node answered `Response: Error`; nothing was done."""


class StorageError(CtiError):
    """The database refused, or cannot be reached."""

    def __init__(self, message: str, *, temporary: bool) -> None:
        super().__init__(message)
        self.temporary = temporary


class RecordingError(CtiError):
    """A recording is missing, empty, or cannot be kept now."""


class EngineError(CtiError):
    """A speech engine, or the model it was given, cannot be used."""


class TooSlow(EngineError):
    """A recording took longer to transcribe than it may."""


class DiskFull(RecordingError):
    """There is no room where a recording should be written."""


class WrongKey(RecordingError):
    """A recording is encrypted with a key that is not at hand."""


class FileMissing(RecordingError):
    """The file of a recording is not where its facts say."""


class BrokenSound(RecordingError):
    """A file is not the sound that it should be."""


class GiveUp(CtiError):
    """Raised by a handler of work that must not be tried again."""


class NotYet(CtiError):
    """Raised by a handler of work that knows itself when it must run again; it is never given up for it."""

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
