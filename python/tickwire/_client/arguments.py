"""What programs hand in, checked before anything is sent: the limits are the server's.

docs/PROTOCOL.md (Limits) has them; past some of them the server would close the connection, or
could not read which command it refuses.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from tickwire.errors import ConfigError, TopicError

MAX_RATE_MIN: Final = 0.02
MAX_RATE_MAX: Final = 1000.0
COALESCE_MS_MAX: Final = 1000.0
LAST_MAX: Final = 65_536
SEQ_MAX: Final = 2**64 - 1
TOPIC_BYTES_MAX: Final = 200
TOKEN_BYTES_MAX: Final = 8_192
EPOCH_BYTES_MAX: Final = 64
ONCE_BYTES_MAX: Final = 64


def check_topics(topics: Sequence[object]) -> None:
    """Raises `ConfigError` for a wrong list, and `TopicError` for a topic that cannot be sent."""
    if not topics:
        raise ConfigError("topics: at least one", field="topics")
    for topic in topics:
        if not isinstance(topic, str):
            raise ConfigError(
                f"topics: each must be a str, not {_kind(topic)}; did you mean subscribe(*topics)?",
                field="topics",
            )
        check_topic(topic)


def check_topic(topic: object) -> None:
    """Checks what could not be sent at all; the server judges the rest."""
    if not isinstance(topic, str):
        raise ConfigError(f"topic: must be a str, not {_kind(topic)}", field="topic")
    try:
        size = len(topic.encode())
    except UnicodeEncodeError as e:
        raise TopicError(f"{topic!r}: half a surrogate pair is not text", topic=topic) from e
    if size > TOPIC_BYTES_MAX:
        raise TopicError(
            f"{topic[:40]}...: {size} bytes, a topic has at most {TOPIC_BYTES_MAX}", topic=topic
        )


def check_once(once: object) -> None:
    if not isinstance(once, str):
        raise ConfigError(f"once: must be a str, not {_kind(once)}", field="once")
    size = len(once.encode(errors="surrogatepass"))
    if not 1 <= size <= ONCE_BYTES_MAX:
        raise ConfigError(f"once: {size} bytes, must have 1 to {ONCE_BYTES_MAX}", field="once")


def check_rate(max_rate: float | None) -> None:
    if max_rate is not None and not MAX_RATE_MIN <= max_rate <= MAX_RATE_MAX:
        raise ConfigError(
            f"max_rate: {max_rate} is outside {MAX_RATE_MIN:g} to {MAX_RATE_MAX:g}",
            field="max_rate",
        )


def check_range(field: str, value: int, least: int, most: int | None = None) -> None:
    if most is None and value < least:
        raise ConfigError(f"{field}: {value} is not at least {least}", field=field)
    if most is not None and not least <= value <= most:
        raise ConfigError(f"{field}: {value} is outside {least} to {most}", field=field)


def check_coalesce(coalesce_ms: float) -> None:
    if not 0 <= coalesce_ms <= COALESCE_MS_MAX:
        raise ConfigError(
            f"coalesce_ms: {coalesce_ms} is outside 0 to {COALESCE_MS_MAX:g}", field="coalesce_ms"
        )


def check_fields(fields: object) -> None:
    """Checks the fields that become columns."""
    if isinstance(fields, str) or not isinstance(fields, Sequence):
        raise ConfigError(
            f'fields: must be a list of names, as in ["bid", "ask"], not {_kind(fields)}',
            field="fields",
        )
    for at, name in enumerate(fields):
        if not isinstance(name, str):
            raise ConfigError(f"fields: each must be a str, not {_kind(name)}", field="fields")
        if name == "topic":
            raise ConfigError("fields: topic is the column of the names", field="fields")
        if name in fields[:at]:
            raise ConfigError(f"fields: {name[:40]} is named twice", field="fields")


def check_since(since: Mapping[str, int], epoch: str) -> None:
    for topic, seq in since.items():
        if type(seq) is not int or not 0 <= seq <= SEQ_MAX:
            raise ConfigError(
                f"since: {topic}: {seq!r} is no integer from 0 to 2^64 - 1", field="since"
            )
        check_topic(topic)
    if since and not epoch:
        raise ConfigError("epoch: needed with since, whose seqs belong to it", field="epoch")
    _check_text("epoch", epoch, EPOCH_BYTES_MAX)


def check_token(token: object) -> None:
    _check_text("token", token, TOKEN_BYTES_MAX)


def _check_text(field: str, text: object, bytes_max: int) -> None:
    if not isinstance(text, str):
        raise ConfigError(f"{field}: must be a str, not {_kind(text)}", field=field)
    try:
        size = len(text.encode())
    except UnicodeEncodeError as e:
        raise ConfigError(f"{field}: half a surrogate pair is not text", field=field) from e
    if size > bytes_max:
        raise ConfigError(f"{field}: {size} bytes, at most {bytes_max}", field=field)


def _kind(value: object) -> str:
    return type(value).__name__
