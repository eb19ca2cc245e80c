"""Webhooks: addresses of users that are told, by signed HTTP requests, when their jobs move on.

The headers and the signature are those of Standard Webhooks (https://www.standardwebhooks.com): whoever receives
verifies with any of its libraries.
"""

from __future__ import annotations

from enum import StrEnum


class DeliveryState(StrEnum):
    PENDING = "pending"  # to be tried, at once or later
    DELIVERED = "delivered"  # the receiver answered with success
    FAILED = "failed"  # given up
