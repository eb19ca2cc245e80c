"""Sending webhooks to receivers that strangers named."""

from orchestrator.adapters.webhooks.sender import GuardedSender

__all__ = ["GuardedSender"]
