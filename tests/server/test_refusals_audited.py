"""Who asks the admin listener without a right to it is in the audit log, and cannot fill it."""

from http.client import HTTPConnection

from server.conftest import StartDaemon
from server.test_admin_actions import audited
from server.test_revoke import JSON

TOKEN = "a long random text"


def test_refused_requests_are_audited_ten_a_minute(start_daemon: StartDaemon) -> None:
    plant = start_daemon("--set", "admin.listen=127.0.0.1:0", "--set", f"auth.admin_token={TOKEN}")
    place = plant.log().split("admin listener: ")[1].split()[0].removeprefix("http://").rstrip("/")
    ours = []

    def ask(method: str, path: str, token: str) -> int:
        connection = HTTPConnection(place, timeout=60)
        headers = JSON | {"Authorization": f"Bearer {token}"}
        connection.request(method, path, "{}" if method == "POST" else None, headers)
        ours.append("{}:{}".format(*connection.sock.getsockname()))
        status = connection.getresponse().status
        connection.close()
        return status

    assert ask("GET", "/health", TOKEN) == 200
    assert audited(plant) == []
    assert ask("POST", "/v1/halt", "wrong") == 403
    assert ask("GET", "/v1/sessions", "") == 403
    assert ask("GET", "/" + "x" * 500, "") == 403
    assert audited(plant) == [
        f'who="nobody" from="{ours[1]}" refused request="POST /v1/halt"',
        f'who="nobody" from="{ours[2]}" refused request="GET /v1/sessions"',
        f'who="nobody" from="{ours[3]}" refused request="GET /{"x" * 95}"',
    ]
    for _ in range(20):
        assert ask("GET", "/metrics", "wrong") == 403
    assert len(audited(plant)) == 10
    assert TOKEN not in plant.log()
    assert "wrong" not in plant.log()
