"""The webhook: one signed POST, without redirects, within a time-out whatever the receiver does.

The signature is `v1=` and HMAC-SHA256, in hexadecimal, of the timestamp, a full stop and the body, keyed with
GATA_ALERT_SECRET; a receiver compares it, and refuses a timestamp that is not of the last minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

TIMESTAMP, SIGNATURE, DELIVERY = "Gata-Timestamp", "Gata-Signature", "Gata-Delivery"
TAKEN = range(200, 300)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of the signature header."""
    return "v1=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def post(url: str, secret: str | None, payload: Mapping[str, Any], *, timeout_seconds: float) -> str | None:
    """Post a payload; returns why the receiver did not take it, None where it did. Any: JSON values."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = str(int(time.time()))
    headers = {"Content-Type": "application/json", TIMESTAMP: timestamp, DELIVERY: str(payload["id"])}
    if secret:
        headers[SIGNATURE] = signature(secret, timestamp, body)
    outcome: list[str | None] = []
    # a receiver that sends a byte now and then never runs into the time-out of a socket: the thread is left behind
    thread = threading.Thread(target=lambda: outcome.append(_post(url, body, headers, timeout_seconds)), daemon=True)
    thread.start()
    thread.join(timeout_seconds)
    return outcome[0] if outcome else "it took too long"


def _post(url: str, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> str | None:
    """Post once. A reason names no address: it may hold a secret."""
    try:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path or "/"
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, parts.port, timeout=timeout_seconds, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, parts.port, timeout=timeout_seconds)
        try:
            connection.request("POST", path + (f"?{parts.query}" if parts.query else ""), body, dict(headers))
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return type(error).__name__
    return None if status in TAKEN else f"it answered {status}"
