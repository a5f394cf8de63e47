"""Issuers of tokens for tests: a fresh key of each algorithm, and what a server needs of it."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

SECRET = "a secret of thirty-two bytes, or more"


class Issuer:
    """Its key is made with it; `path` is the file that a server is told of."""

    def __init__(self, algorithm: str, folder: Path) -> None:
        self.algorithm = algorithm
        self.path = folder / f"{algorithm}-{id(self)}"
        if algorithm == "HS256":
            self.key: Any = SECRET
            self.path.write_text(SECRET + "\n")
            self.path.chmod(0o600)
            return
        self.key = {
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }[algorithm]()
        self.path.write_bytes(self.public_pem)

    @property
    def public_pem(self) -> bytes:
        pem: bytes = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return pem

    @property
    def setting(self) -> str:
        name = "auth.jwt.secret_file" if self.algorithm == "HS256" else "auth.jwt.keys"
        return f"{name}={self.path}"

    def jwk(self, key_id: str) -> dict[str, Any]:
        public = self.key.public_key()
        fields: dict[str, Any] = json.loads(
            jwt.get_algorithm_by_name(self.algorithm).to_jwk(public)
        )
        return fields | {"kid": key_id, "key_ops": ["verify"]}

    def token(self, *subscribe: str, ttl_s: float = 600, headers: Any = None, **claims: Any) -> str:
        grant = {"subscribe": list(subscribe), "publish": claims.pop("publish", [])}
        payload = {"exp": time.time() + ttl_s, "tickwire": grant} | claims
        return jwt.encode(payload, self.key, self.algorithm, headers=headers)
