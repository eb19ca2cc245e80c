"""The one seam where the hub's errors, and the disk's, become ours."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import httpx2
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from orchestrator.domain.errors import HubRefused, HubUnavailable, PortError

_TRANSIENT = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_NOT_ALLOWED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@contextmanager
def translated(model_id: str, endpoint: str, *, has_token: bool) -> Iterator[None]:
    """Whatever a request to the hub raises, without the library's own words: they quote addresses with signatures."""
    try:
        yield
    except HfHubHTTPError as error:
        raise _refusal(error, model_id, endpoint, has_token=has_token) from None
    except OfflineModeIsEnabled:
        raise HubRefused("HF_HUB_OFFLINE is set for this process, so no model can be fetched.") from None
    except httpx2.HTTPError as error:
        raise HubUnavailable(f"{endpoint} did not answer, or not to the end ({type(error).__name__}).") from None
    except OSError as error:
        raise _disk_error(error, model_id) from error
    except (ValueError, TypeError, KeyError) as error:
        raise HubRefused(f"{endpoint} does not answer like a Hugging Face hub ({type(error).__name__}).") from error


def _refusal(error: HfHubHTTPError, model_id: str, endpoint: str, *, has_token: bool) -> PortError:
    status = error.response.status_code
    match error:
        case GatedRepoError():
            return HubRefused(_gated(model_id, endpoint, has_token=has_token))
        case RepositoryNotFoundError():
            return HubRefused(
                f"{endpoint} has no model {model_id}, or hides it from us. {_token_advice(has_token=has_token)}"
            )
        case RevisionNotFoundError():
            return HubRefused(f"{endpoint} has no such revision of {model_id}: correct it in the catalogue.")
        case EntryNotFoundError():
            return HubRefused(f"{endpoint} lists a file of {model_id} that it does not have.")
        case _ if status in _TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return HubUnavailable(f"{endpoint} answered {status} for {model_id}.")
        case _ if status in _NOT_ALLOWED:
            return HubRefused(
                f"{endpoint} does not let us have {model_id} ({status}). {_token_advice(has_token=has_token)}"
            )
        case _:
            return HubRefused(f"{endpoint} answered {status} for {model_id}.")


def _gated(model_id: str, endpoint: str, *, has_token: bool) -> str:
    terms = f"{model_id} is gated: its terms have to be accepted at {endpoint}/{model_id}"
    return f"{terms}. {_token_advice(has_token=has_token)}"


def _token_advice(*, has_token: bool) -> str:
    if has_token:
        return "The account of LORRY_HUB_TOKEN may not see it."
    return "If an account may see it, give the orchestrator its token in LORRY_HUB_TOKEN."


def _disk_error(error: OSError, model_id: str) -> PortError:
    if error.errno is None:  # the library's own: another size than promised
        return HubUnavailable(f"A file of {model_id} came with another size than promised.")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HubRefused(f"The disk was full before {model_id} was there. Free some space and ask for it again.")
    return HubRefused(f"{model_id} could not be written: {error.strerror}.")
