"""Standard Webhooks signatures, so that a receiver knows who sent what it got.

Source: the Standard Webhooks specification 1.0.0 (standardwebhooks.com), symmetric signatures (`v1`).
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64


def secret_of(text: str) -> bytes:
    """Return the key of `whsec_<base64>`, 24 to 64 bytes. Raises ValueError, without the text."""
    try:
        key = b64decode(text.strip().removeprefix(PREFIX), validate=True)
    except (Error, ValueError):
        key = b""
    if not text.strip().startswith(PREFIX) or not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"should be {PREFIX} and {LEAST_BYTES} to {MOST_BYTES} random bytes in base64")
    return key


def signed_headers(message_id: str, at: datetime, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """Return the headers of an attempt made `at`: id, timestamp, a signature for each secret."""
    timestamp = str(int(at.timestamp()))
    signatures = (_signature(secret, message_id, timestamp, body) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def _signature(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    mac = hmac.digest(secret, b"%b.%b.%b" % (message_id.encode(), timestamp.encode(), body), "sha256")
    return f"v1,{b64encode(mac).decode()}"
