"""Makes tokens, and the key sets that they are checked with: for development and tests.

The server itself checks tokens in C++ and needs none of this. PyJWT and cryptography are the
extra ``tokens``: they are large, and only who signs tokens with ``tickwire token`` needs them.
Any thread.
"""

import base64
import binascii
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tickwire.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

HMAC_SECRET_BYTES_MIN = 32
TOKEN_BYTES_MAX = 8_192


def make_token(key_file: Path, claims: dict[str, Any], key_id: str | None) -> str:
    """Signs `claims` with the private key (PEM), or the secret in one line, of a file.

    Raises `ConfigError` if the file holds neither, the secret is too short, the token is longer
    than a server takes, or PyJWT is missing.
    """
    algorithm, key = _signing_key(key_file)
    jwt = _jwt()
    token: str = jwt.encode(claims, key, algorithm, headers={"kid": key_id} if key_id else None)
    if len(token) > TOKEN_BYTES_MAX:
        raise ConfigError(
            f"the token has {len(token)} bytes, and a server takes {TOKEN_BYTES_MAX}; grant by"
            " fewer patterns"
        )
    return token


def read_token(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns header and claims of a token, which nobody has verified. Raises `ConfigError`."""
    parts = token.strip().split(".")
    try:
        header, claims = (
            json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            for part in parts[:2]
        )
    except (binascii.Error, ValueError) as e:
        raise ConfigError("the token cannot be read: it is not a JSON Web Token") from e
    if len(parts) != 3 or not isinstance(header, dict) or not isinstance(claims, dict):
        raise ConfigError("the token cannot be read: it is not a JSON Web Token")
    return header, claims


def key_set(files: list[Path]) -> dict[str, Any]:
    """Returns the JSON Web Key Set of the public halves of keys in PEM files (private or public).

    The `kid` of each is its thumbprint (RFC 7638). Raises `ConfigError`.
    """
    return {"keys": [_jwk(_public_key(file), file) for file in files]}


def _signing_key(file: Path) -> tuple[str, Any]:
    text = _read(file)
    if b"-----BEGIN" in text:
        key = _private_key(file, text)
        return _algorithm(key, file), key
    secret = text.removesuffix(b"\n").removesuffix(b"\r")
    if len(secret) < HMAC_SECRET_BYTES_MIN:
        raise ConfigError(
            f"{file} holds a secret of {len(secret)} bytes; HS256 needs at least"
            f" {HMAC_SECRET_BYTES_MIN}"
        )
    return "HS256", secret


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as e:
        raise ConfigError(f"{file} cannot be read: {e.strerror}") from e


def _private_key(file: Path, text: bytes) -> "PrivateKeyTypes":
    _jwt()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(text, None)
    except (TypeError, ValueError) as e:
        raise ConfigError(f"{file} holds no private key without a passphrase") from e


def _public_key(file: Path) -> "PublicKeyTypes":
    _jwt()
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    text = _read(file)
    if b"PRIVATE KEY-----" in text:
        return _private_key(file, text).public_key()
    try:
        return load_pem_public_key(text)
    except ValueError as e:
        raise ConfigError(f"{file} holds no key in PEM") from e


def _algorithm(key: Any, file: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return "RS256"
    if isinstance(key, ed25519.Ed25519PrivateKey | ed25519.Ed25519PublicKey):
        return "EdDSA"
    is_ec = isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey)
    if is_ec and isinstance(key.curve, ec.SECP256R1):
        return "ES256"
    raise ConfigError(f"{file} holds a key of another kind than RSA, EC P-256 or Ed25519")


def _jwk(key: Any, file: Path) -> dict[str, Any]:
    algorithm = _algorithm(key, file)
    encode = _jwt().get_algorithm_by_name(algorithm).to_jwk
    fields: dict[str, Any] = json.loads(encode(key))
    fields.pop("key_ops", None)
    needed: dict[str, Any] = {
        name: fields[name] for name in ("crv", "e", "kty", "n", "x", "y") if name in fields
    }
    text = json.dumps(needed, sort_keys=True, separators=(",", ":"))
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    kid = thumbprint.rstrip(b"=").decode()
    return {"kid": kid, "use": "sig", "alg": algorithm, **needed}


def _jwt() -> Any:
    try:
        import cryptography  # noqa: F401
        import jwt
    except ImportError as e:
        raise ConfigError(
            "this needs PyJWT and cryptography: pip install 'tickwire[tokens]'"
        ) from e
    return jwt
