"""How a request says who its client is: a header, a parameter, a cookie."""

import json

import pytest
from websockets.exceptions import InvalidStatus

from server.conftest import StartDaemon
from server.daemon_process import DaemonProcess, Wire
from server.tokens import Issuer

SHOP = "https://shop.example"
TOPIC = "ticker.a"


@pytest.fixture
def plant(start_daemon: StartDaemon, issuer: Issuer) -> DaemonProcess:
    return start_daemon(
        *("--set", issuer.setting, "--set", "auth.token_cookie=__Host-token"),
        *("--set", f'server.origins=["{SHOP}", "null", "*"]'),
    )


def code(client: Wire) -> str:
    """Of a subscribe to the guarded topic; "" where it is allowed."""
    answer = client.ask({"type": "subscribe", "id": "s", "topics": [TOPIC]})
    error: dict[str, str] = answer["results"][0].get("error", {})
    return error.get("code", "")


def test_a_bearer_token_counts_before_the_first_command(
    plant: DaemonProcess, issuer: Issuer
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token(TOPIC)}"}
    with plant.connect(additional_headers=headers) as client:
        assert client.receive()["type"] == "ack"
        assert code(client) == ""
    headers = {"Authorization": f"Bearer {issuer.token(TOPIC, ttl_s=-60)}"}
    with plant.connect(f"?token={issuer.token(TOPIC)}", additional_headers=headers) as client:
        assert client.receive()["code"] == "denied", "the header is taken, and not the parameter"
        assert code(client) == "denied"


def test_a_cookie_counts_for_a_page_that_is_allowed_by_name(
    plant: DaemonProcess, issuer: Issuer
) -> None:
    token = issuer.token(TOPIC)
    headers = {"Cookie": f"theme=dark; __Host-token={token}"}
    with plant.connect(additional_headers=headers, origin=SHOP) as client:
        assert client.receive()["type"] == "ack"
        assert code(client) == ""
        # A smaller token takes its place, as any other.
        answer = client.ask({"type": "auth", "id": "a", "token": issuer.token("other")})
        while answer["type"] != "ack":
            answer = client.receive()
        assert client.receive()["code"] == "denied"
    assert token not in plant.log()


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", "https://shop.example.evil"]
)
def test_a_cookie_says_nothing_for_any_other_page(
    plant: DaemonProcess, issuer: Issuer, origin: str | None
) -> None:
    headers = {"Cookie": f"__Host-token={issuer.token(TOPIC)}"}
    with plant.connect(additional_headers=headers, origin=origin) as client:
        assert code(client) == "denied"


def test_a_cookie_of_another_name_or_that_is_there_twice_says_nothing(
    plant: DaemonProcess, issuer: Issuer
) -> None:
    token = issuer.token(TOPIC)
    with plant.connect(additional_headers={"Cookie": f"token={token}"}, origin=SHOP) as client:
        assert code(client) == "denied"
    twice = {"Cookie": f"__Host-token=x; __Host-token={token}"}
    with pytest.raises(InvalidStatus) as refused:
        plant.connect(additional_headers=twice, origin=SHOP)
    assert refused.value.response.status_code == 400
    assert json.loads(refused.value.response.body)["error"]["code"] == "bad_message"


def test_requests_over_http_say_it_in_the_same_way(plant: DaemonProcess, issuer: Issuer) -> None:
    token, expired = issuer.token(TOPIC), issuer.token(TOPIC, ttl_s=-60)
    path, found = f"/v1/snapshot/{TOPIC}", 404  # allowed, but nothing was published
    for query, headers, status in (
        ("", {"Authorization": f"bearer {token}"}, found),
        (f"?token={token}", {}, found),
        (f"?token={token}", {"Authorization": f"Bearer {expired}"}, 403),
        ("", {"Cookie": f"__Host-token={token}", "Origin": SHOP}, found),
        ("", {"Cookie": f"__Host-token={expired}", "Origin": SHOP}, 403),
        ("", {"Cookie": f"__Host-token={token}"}, 403),
        ("", {"Cookie": f"__Host-token={token}", "Origin": "null"}, 403),
        ("", {"Cookie": f"__Host-token={token}", "Origin": "https://evil.example"}, 403),
        ("", {"Cookie": f"__Host-token=x; __Host-token={token}", "Origin": SHOP}, 400),
    ):
        answer = plant.http(path + query, headers=headers)
        assert answer.status == status, (query, headers)
        assert answer.headers["Cache-Control"] == "private, no-store"
    poll = f"/poll?wait=0&topics={TOPIC}"
    for headers, allowed in (
        ({"Cookie": f"__Host-token={token}", "Origin": SHOP}, True),
        ({"Cookie": f"__Host-token={token}"}, False),
    ):
        assert ("error" not in plant.http(poll, headers=headers).json["results"][0]) == allowed
    assert token not in plant.log()


def test_a_page_that_may_not_connect_gets_nothing_by_a_cookie(
    start_daemon: StartDaemon, issuer: Issuer
) -> None:
    daemon = start_daemon("--set", issuer.setting, "--set", "auth.token_cookie=token")
    headers = {"Cookie": f"token={issuer.token(TOPIC)}"}
    with pytest.raises(InvalidStatus) as refused:
        daemon.connect(additional_headers=headers, origin="https://evil.example")
    assert refused.value.response.status_code == 403
    with daemon.connect(additional_headers=headers, origin=f"http://{daemon.address}") as client:
        assert client.receive()["type"] == "ack"
        assert code(client) == ""
