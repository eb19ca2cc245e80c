"""Running the API: alone beside an orchestrator elsewhere, or both halves in one process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from importlib.metadata import version

from prometheus_client.registry import Collector

from api.app import create_app
from api.options import ApiOptions
from api.server import Server
from api.web import BUILT_FILES, sign_in_link
from orchestrator import bootstrap
from orchestrator.json_log import configure_json_log
from orchestrator.main import STOP_SECONDS
from orchestrator.services import Services
from orchestrator.settings import Settings

_USER_AT_THE_TERMINAL = "admin"


def serve_api(settings: Settings) -> None:
    """Answer requests until SIGTERM; another process must orchestrate."""
    configure_json_log(settings.log_level)
    lorry = bootstrap.build(settings)
    try:
        build_server(lorry.services, settings).run()
    finally:
        lorry.close()


def serve(settings: Settings) -> None:
    """Answer requests and orchestrate until SIGTERM, which leaves running jobs running."""
    configure_json_log(settings.log_level)
    lorry = bootstrap.build(settings)
    try:
        server = build_server(lorry.services, settings, measured=(lorry.meter.registry,))
        stop = threading.Event()
        # A daemon: a step that hangs on the engine does not keep the process from ending.
        orchestrator = threading.Thread(
            target=_orchestrate, args=(lorry.reconcile_forever, stop, server), name="orchestrator", daemon=True
        )
        orchestrator.start()
        try:
            server.run()
        finally:
            stop.set()
            lorry.wake_up.notify()
            orchestrator.join(STOP_SECONDS)
    finally:
        lorry.close()
    if server.has_given_up:
        sys.exit(1)  # the log says why


def build_server(services: Services, settings: Settings, *, measured: tuple[Collector, ...] = ()) -> Server:
    """`measured` is shown among the metrics."""
    app = create_app(services, _options(settings), measured=measured)
    announce = _sign_in_link_printer(services) if _is_for_one_person(settings) else None
    return Server(app, host=settings.host, port=settings.port, announce=announce)


def _is_for_one_person(settings: Settings) -> bool:
    """Somebody started it on a terminal. Elsewhere what it prints is kept, and a link has no place there."""
    return sys.stdout.isatty() and settings.supabase_url is None and BUILT_FILES.is_dir()


def _sign_in_link_printer(services: Services) -> Callable[[str], None]:
    def announce(url: str) -> None:
        code = services.sign_in.issue_code(_USER_AT_THE_TERMINAL, is_admin=True)
        sys.stdout.write(f"web app: {sign_in_link(url, code)}  (works once)\n")
        sys.stdout.flush()

    return announce


def _options(settings: Settings) -> ApiOptions:
    return ApiOptions(
        submit_rate=settings.submit_rate,
        request_rate=settings.request_rate,
        submit_wait_seconds=settings.submit_wait_seconds,
        max_streams_per_user=settings.max_streams_per_user,
        cors_origins=settings.cors_origins,
        supabase_url=settings.supabase_url,
        supabase_publishable_key=settings.supabase_publishable_key,
        web_directory=BUILT_FILES if BUILT_FILES.is_dir() else None,
        max_upload_bytes=settings.max_upload_bytes,
        version=version("lorry"),
    )


def _orchestrate(reconcile_forever: Callable[[threading.Event], None], stop: threading.Event, server: Server) -> None:
    """Half a process is worse than none: when this half ends unasked, the other one stops too."""
    try:
        reconcile_forever(stop)
    finally:
        if not stop.is_set():
            server.give_up()
