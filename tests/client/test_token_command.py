"""`tickwire token`: what it makes, the server's own verifier takes."""

import json
import subprocess
from pathlib import Path

import pytest

from client.conftest import Commands

KEYS = {
    "RS256": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ES256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "EdDSA": ["ED25519"],
}


def new_key(folder: Path, options: list[str]) -> Path:
    path = folder / "signing.pem"
    command = ["openssl", "genpkey", "-algorithm", *options, "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_token_of_each_key_is_taken_with_the_set_of_that_key(
    tickwire_command: Commands, tmp_path: Path, algorithm: str
) -> None:
    key = new_key(tmp_path, KEYS[algorithm])
    published = await tickwire_command("token", "jwks", str(key))
    keys = tmp_path / "keys.json"
    keys.write_text(published.out)
    [entry] = json.loads(published.out)["keys"]
    assert entry["alg"] == algorithm
    assert "d" not in entry
    options = ["--subscribe", "a.>", "--publish", "b", "--kid", entry["kid"], "--ttl", "100"]
    made = await tickwire_command("token", "make", "--key", str(key), *options)
    checked = await tickwire_command(
        "token", "check", made.out.strip(), "--set", f"auth.jwt.keys={keys}"
    )
    assert checked.code == 0, checked.err
    told = dict(line.split(": ") for line in checked.out.splitlines())
    assert (told["subscribe"], told["publish"]) == ("a.>", "b")
    assert told["max_rate"] == "every update"


async def test_a_secret_signs_what_a_server_with_that_secret_takes(
    tickwire_command: Commands, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x" * 32 + "\n")
    secret.chmod(0o600)
    made = await tickwire_command("token", "make", "--key", str(secret))
    setting = f"auth.jwt.secret_file={secret}"
    taken = await tickwire_command("token", "check", made.out.strip(), "--set", setting)
    assert (taken.code, taken.out.splitlines()[0]) == (0, "subscribe: nothing")
    setting = f"auth.jwt.secret={'y' * 32}"
    refused = await tickwire_command("token", "check", made.out.strip(), "--set", setting)
    assert (refused.code, refused.out) == (4, "")
    assert made.out.strip() not in refused.err
    secret.write_text("x" * 31)
    assert (await tickwire_command("token", "make", "--key", str(secret))).code == 2


async def test_what_cannot_be_done_is_said(tickwire_command: Commands, tmp_path: Path) -> None:
    missing = await tickwire_command("token", "make", "--key", str(tmp_path / "none"))
    assert (missing.code, missing.out) == (2, "")
    assert "cannot be read" in missing.err
    odd = new_key(tmp_path, ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"])
    for command in (["make", "--key", str(odd)], ["jwks", str(odd)]):
        refused = await tickwire_command("token", *command)
        assert (refused.code, "another kind" in refused.err) == (2, True)
    unguarded = await tickwire_command("token", "check", "x.y.z")
    assert (unguarded.code, "auth.jwt.keys" in unguarded.err) == (2, True)
    many = [word for i in range(900) for word in ("--subscribe", f"topic.{i}")]
    secret = tmp_path / "secret"
    secret.write_text("x" * 32)
    long = await tickwire_command("token", "make", "--key", str(secret), *many)
    assert (long.code, "8192" in long.err) == (2, True)
