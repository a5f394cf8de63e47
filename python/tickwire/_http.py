"""A request to the server, and what its answers mean."""

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

from tickwire._reason import reason
from tickwire.errors import ConnectionFailedError, ServerError, TickwireError, error_for
from tickwire.url import http_url, is_loopback

TIMEOUT_S: Final = 10.0
JSON_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    text: str
    object: dict[str, Any]


def get(
    url: str,
    *path: str,
    good: Container[int] = (200,),
    token: str | None = None,
    as_text: bool = False,
    body: Mapping[str, Any] | None = None,
    **query: str,
) -> Response:
    """`path` on the server. `ConnectionFailedError`, or the error that the server names.

    `as_text`: a good answer is a text, and its `object` is empty. `body`: it is a POST.
    """
    place = http_url(url, "/" + "/".join(quote(part, safe="") for part in path))
    request = Request(place + query_text(query))
    if body is not None:
        request.data = json_body(body)
        request.add_header("Content-Type", JSON_TYPE)
    if token is not None:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    opener = build_opener(ProxyHandler({})) if is_loopback(url) else build_opener()
    try:
        with opener.open(request, timeout=TIMEOUT_S) as reply:
            status, said = reply.status, reply.read()
    except HTTPError as refused:
        with refused:
            status, said = refused.code, refused.read()
    except (OSError, HTTPException, UnicodeError) as e:
        raise ConnectionFailedError(f"{place}: {reason(getattr(e, 'reason', e))}") from e
    return read_answer(place, status, said, good, as_text=as_text)


def json_body(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()


def query_text(query: Mapping[str, str]) -> str:
    """`query` without what is empty, as the server reads it: a plus is a plus, and no space."""
    given = {name: value for name, value in query.items() if value}
    return f"?{urlencode(given, quote_via=quote)}" if given else ""


def read_answer(
    place: str, status: int, body: bytes, good: Container[int], *, as_text: bool = False
) -> Response:
    """What the server said. `ServerError`: not as tickwire does; or the error that it names."""
    if as_text and status in good:
        return Response(status, body.decode(errors="replace"), {})
    answer = _answer(place, status, body)
    if status not in good:
        raise _error(answer, place)
    return answer


def _answer(place: str, status: int, body: bytes) -> Response:
    try:
        text = body.decode()
        decoded = json.loads(text)
    except ValueError:
        decoded = None
    if not isinstance(decoded, dict):
        raise ServerError(f"{place}: answered {status}, but not as tickwire does")
    return Response(status, text, decoded)


def _error(answer: Response, place: str) -> TickwireError:
    told = answer.object.get("error")
    if not isinstance(told, dict):
        return ServerError(f"{place}: answered {answer.status}")
    message = str(told.get("message", place))
    return error_for(str(told.get("code", "internal")), message, retryable=told.get("retryable"))
