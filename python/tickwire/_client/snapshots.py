"""What the answer to `get` says of each topic, with the data as it stands in its text."""

import json
from collections.abc import Iterator

from tickwire.update import Decode, Update, parse_message, raw_member, value_at


def snapshots_of(text: str, decode: Decode | None) -> Iterator[Update]:
    """Yields the states in an answer, which is known to parse. `ProtocolError` for what is none.

    Each has the fields of a snapshot but for its type, so it is read as one.
    """
    results = raw_member(text, "results")
    at = results.index("[") + 1
    while (found := value_at(results, at)) is not None:
        result, start, at = found
        if "error" not in result:
            head = '{"type":"snapshot",'
            update = parse_message(head + results[start + 1 : at], decode)
            assert isinstance(update, Update)
            yield update


def get_fields(topics: list[str], after: str) -> str:
    """The fields of the command."""
    return f'"topics":{json.dumps(topics)},"after":{json.dumps(after)}'
