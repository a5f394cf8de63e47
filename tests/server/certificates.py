"""Certificates that tests make for this machine."""

import os
import shlex
import subprocess
from pathlib import Path

CERTIFICATE, KEY = "cert.pem", "key.pem"


def make_certificate(folder: Path, name: str = "first", days: int = 30) -> None:
    """A pair for this machine, which is issued by itself; each is put in place at once."""
    pair = folder / f"new-{CERTIFICATE}", folder / f"new-{KEY}"
    subprocess.run(
        shlex.split(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            f" -days {days} -subj /CN={name} -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
            f" -out {pair[0]} -keyout {pair[1]}"
        ),
        check=True,
        capture_output=True,
    )
    os.replace(pair[1], folder / KEY)
    os.replace(pair[0], folder / CERTIFICATE)
