"""The Hugging Face hub, or a mirror of it."""

from orchestrator.adapters.huggingface.hub import HuggingFaceHub

__all__ = ["HuggingFaceHub"]
