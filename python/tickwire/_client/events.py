"""What goes out of the client's protocol: commands for the wire, events for whoever drives it."""

from dataclasses import dataclass, field

from tickwire._client.ask import Ask
from tickwire.errors import TickwireError
from tickwire.update import Update


@dataclass(frozen=True, slots=True)
class Command:
    """What is to be sent; its answer carries the id."""

    id: int
    kind: str
    text: str
    topics: tuple[str, ...] = ()
    ask: Ask | None = field(default=None, repr=False, compare=False)
    """A subscribe's: whatever is wanted by the time of its answer, the server did as it says."""
    beside: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    """What else the server had been asked for when a pattern's subscribe was sent."""


@dataclass(frozen=True, slots=True)
class Welcome:
    session: str
    epoch: str
    heartbeat_s: float
    server: str


@dataclass(frozen=True, slots=True)
class Resumption:
    """How a topic or pattern goes on."""

    recovered: bool
    missed: int | None
    """None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An ack or a pong, or the error that refused the whole command."""

    command: Command
    error: TickwireError | None = None
    seqs: dict[str, int] = field(default_factory=dict)
    """The seq of each topic that was accepted; 0 where it was not said."""
    resumed: dict[str, Resumption] = field(default_factory=dict)
    """Topics that went on where this client, or who it goes on for, was."""
    refused: dict[str, TickwireError] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    """The topics of a list, and where to go on."""
    next: str | None = None
    judged: bool = True
    """False: auth found no authenticator on the server."""


@dataclass(frozen=True, slots=True)
class Data:
    """A message about a topic, already applied. `news`: it says something not known before."""

    update: Update
    news: bool
    begins: bool = False
    """It is the first of the last messages that somebody asked for, or what comes from now on."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A subscription ended by the server, or an error that answers nothing."""

    error: TickwireError


@dataclass(frozen=True, slots=True)
class Doubted:
    """The server cannot say whether these topics go on, and asks again by itself."""

    topics: list[str]
    error: TickwireError


@dataclass(frozen=True, slots=True)
class Drain:
    reconnect_after_ms: int


@dataclass(frozen=True, slots=True)
class Live:
    """All that is wanted was asked for on this connection, and answered."""


Event = Welcome | Answer | Data | Ended | Doubted | Drain | Live
