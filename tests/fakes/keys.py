"""Keys to sign with, made when the tests run, and the reading of signed tokens as a platform does it."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@cache
def curve_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def secrets_of(key: Key) -> tuple[str, ...]:
    """The lines of the key, none of which may show anywhere."""
    return tuple(line for line in pem(key).splitlines() if "-----" not in line)


def opened_token(token: str, key: Key) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The header and the claims of a token that this key signed, ``None`` of any other."""
    try:
        head, claims, signature = token.split(".")
        _verify(f"{head}.{claims}".encode(), _unpacked(signature), key)
        return json.loads(_unpacked(head)), json.loads(_unpacked(claims))
    except (ValueError, InvalidSignature):
        return None


def _verify(content: bytes, signature: bytes, key: Key) -> None:
    if isinstance(key, rsa.RSAPrivateKey):
        key.public_key().verify(signature, content, padding.PKCS1v15(), SHA256())
        return
    if len(signature) != 64:
        raise InvalidSignature
    numbers = (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    key.public_key().verify(encode_dss_signature(*numbers), content, ec.ECDSA(SHA256()))


def _unpacked(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
