"""The log of a Lorry process: one JSON object a line on stderr, whichever library speaks."""

from __future__ import annotations

import logging
import re
import threading

import structlog

# Runs for our own lines and for those of libraries that use the standard library's logging.
_COMMON: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    structlog.processors.format_exc_info,
    structlog.processors.UnicodeDecoder(),
]
# Polling lines of these say nothing below WARNING.
_CHATTY = ("urllib3", "docker", "alembic", "multipart", "python_multipart", "PIL", "httpx", "httpcore", "hpack")

# JSON escapes what ASCII calls a control character. These end a line, steer a terminal, turn the writing around or
# cannot be written as UTF-8, and JSON lets them pass. What Persian joins its letters with is none of them.
_UNSAFE = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
# Nobody logs these on purpose; a library's exception may hold one. Ours, Supabase's, and a password in a URL.
_SECRETS = re.compile(
    r"lorry_[\w-]{20,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|sb_secret_\w{8,}|(?<=://)[^/@\s\"]*:[^/@\s\"]+(?=@)"
)


def configure_json_log(level: str) -> None:
    """Nothing a client or a container wrote can forge a line, and no secret is in one."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_COMMON,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_COMMON,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("message"),
                structlog.processors.JSONRenderer(ensure_ascii=False),
                _made_safe,
            ],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level)
    threading.excepthook = _log_thread_death
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _made_safe(_logger: object, _method: str, line: object) -> str:
    """A rendered line without what only looks like text, and without secrets. It stays JSON."""
    escaped = _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", str(line))
    return _SECRETS.sub("[secret]", escaped)


def _log_thread_death(death: threading.ExceptHookArgs) -> None:
    if death.exc_value is not None:
        logging.getLogger("lorry").critical("a thread died of an unexpected error", exc_info=death.exc_value)
