"""The short-lived signed tokens (JWT, RFC 7519) by which platforms know the owner of a key. Only importer of cryptography."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Literal, TypeAlias

Algorithm: TypeAlias = Literal["ES256", "RS256"]

_COORDINATE_BYTES = 32


def signed_token(
    claims: Mapping[str, str | int], private_key: str, *, algorithm: Algorithm, key_id: str | None = None
) -> str:
    """``claims`` signed with a PEM key: of the curve P-256 for ES256, an RSA key for RS256.

    ``ValueError`` where it is no such key; its message tells nothing of the key.
    """
    header = {"alg": algorithm, **({"kid": key_id} if key_id else {}), "typ": "JWT"}
    content = f"{_packed(_json(header))}.{_packed(_json(claims))}"
    return f"{content}.{_packed(_signature(content.encode(), private_key, algorithm))}"


def _signature(content: bytes, private_key: str, algorithm: Algorithm) -> bytes:
    # Loaded late: the library costs some ten milliseconds, which a start without such a source need not spend.
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    key = _loaded(private_key)
    if algorithm == "RS256" and isinstance(key, rsa.RSAPrivateKey):
        return key.sign(content, padding.PKCS1v15(), SHA256())
    if algorithm == "ES256" and isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        # JWS wants the two numbers side by side, not as the ASN.1 that the library gives.
        numbers = decode_dss_signature(key.sign(content, ec.ECDSA(SHA256())))
        return b"".join(number.to_bytes(_COORDINATE_BYTES, "big") for number in numbers)
    raise ValueError(f"no private key that {algorithm} signs with")


def _loaded(private_key: str) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    # A key that went through an environment variable often has its line breaks written out.
    pem = private_key.replace("\\n", "\n").strip()
    try:
        return load_pem_private_key(pem.encode("utf-8", "replace"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("no private key in PEM, or one behind a password") from None


def _json(value: Mapping[str, str | int]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
