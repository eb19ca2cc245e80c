"""Where things lie in an object store. Policies give a user the folder of their id, so keys are built from what we
know, never from what somebody sent."""

from __future__ import annotations

import uuid


def user_folder(user_id: str) -> str | None:
    """None for a user whom only Lorry knows: no policy can name them."""
    try:
        return str(uuid.UUID(user_id))
    except ValueError:
        return None


def artifact_key(folder: str, job_id: str, path: str) -> str:
    return f"{folder}/{job_id}/{path}"


def picture_key(folder: str, dataset_id: str, file_name: str) -> str:
    return f"{folder}/{dataset_id}/{file_name}"
