"""Every setting of an installation: LORRY_* variables, files of secrets, a TOML file. docs/settings.md lists them."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

_PROJECT = Path(__file__).resolve().parent.parent
_GIB = 1024**3

# Where Docker, Compose and Podman put secrets. A file there named like a variable, in lower case, holds its value.
SECRETS_DIR = Path("/run/secrets")


def _words(value: Any) -> Any:
    """Lists may be written `a,b,c` in the environment."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


class Settings(BaseSettings):
    """Immutable once built. No secret has a default."""

    model_config = SettingsConfigDict(env_prefix="LORRY_", extra="forbid", frozen=True)

    data_dir: Path = Field(Path("lorry-data"), description="Everything Lorry writes. A local disk, not NFS.")
    database_url: str | None = Field(
        None,
        description="The job store, `sqlite:////path` or `postgresql://...`; default is SQLite in the data directory.",
    )
    database_password: SecretStr | None = Field(
        None, description="Password for a `database_url` without one; best given as a file of secrets."
    )
    host: str = Field("127.0.0.1", description="Address the API listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the API listens on; 0 takes a free one.")
    instance: str = Field(
        default_factory=lambda: socket.gethostname()[:32] or "lorry",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
        description="Label that marks this installation's containers; no other container is ever touched.",
    )

    supabase_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]+/?$",
        description="Address of a Supabase project, whose users may then come with their access tokens.",
    )
    supabase_publishable_key: str | None = Field(
        None, description="That project's publishable (or legacy anon) key; never its secret one."
    )
    supabase_secret_key: SecretStr | None = Field(
        None, description="That project's secret key: with it the files of completed jobs are copied to its Storage."
    )
    supabase_bucket: str = Field("adapters", description="The private bucket that they are copied to.")
    supabase_dataset_bucket: str | None = Field(
        None, description="The private bucket that datasets are kept in too; default: on Lorry's own disk alone."
    )
    supabase_issuer: str | None = Field(
        None,
        description="The `iss` of its tokens, exactly; default `{SUPABASE_URL}/auth/v1`, empty does not look at it.",
    )
    supabase_anonymous_users: bool = Field(default=False, description="Let its anonymous users in too.")
    supabase_oauth_clients: bool = Field(
        default=False, description="Let in tokens that it issued to third-party applications too."
    )

    image: str = Field("training-image", description="Image that trains.")
    allowed_images: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Images or image ids that may run; empty allows only `image`."
    )
    docker_host: str = Field("unix:///var/run/docker.sock", description="Address of the Docker Engine.")
    gpus: str = Field("auto", description="`auto` (by NVML), `none`, `all`, or GPU UUIDs separated by commas.")
    cpu_slots: int = Field(2, ge=0, le=64, description="Jobs at a time on a machine without a GPU.")
    container_user: str | None = Field(
        None,
        pattern=r"^\d+:\d+$",
        description="uid:gid of training containers; default 10001:10001 when Lorry runs as root, else Lorry's own.",
    )
    memory_limit_bytes: int = Field(16 * _GIB, ge=256 * 1024**2, description="Main memory of one training container.")
    cpus: float | None = Field(None, gt=0, description="CPUs of one training container; default no limit.")
    pids_limit: int = Field(1024, ge=16, description="Processes and threads in one training container.")
    shm_bytes: int = Field(2 * _GIB, ge=0, description="Shared memory of one training container.")
    tmp_bytes: int = Field(4 * _GIB, ge=0, description="Size of /tmp in one training container.")
    open_files_limit: int = Field(
        0, ge=0, description="Open files in one training container; 0 keeps the engine's own."
    )
    log_max_bytes: int = Field(
        10 * 1024**2, ge=4096, description="Size of one of the engine's log files of a container."
    )
    log_max_files: int = Field(3, ge=2, description="How many such files the engine keeps.")

    max_active_jobs_per_user: int = Field(2, ge=1, le=64, description="Running jobs a user; more are queued.")
    submit_rate: str = Field("10/minute", description="Submissions a user may make.")
    request_rate: str = Field("600/minute", description="Other requests a user may make.")
    submit_wait_seconds: float = Field(15.0, ge=0, le=60, description="How long a submission waits for its launch.")
    max_streams_per_user: int = Field(64, ge=1, description="Live streams a user may have open at a time.")
    max_upload_bytes: int = Field(2 * _GIB, ge=1024, description="Size of one dataset, packed and unpacked.")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field((), description="Origins a browser may call from.")

    webhooks: bool = Field(default=True, description="Tell users' webhooks what becomes of their jobs.")
    webhook_receivers: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="`host:port`s that webhooks may name without TLS, on that port, at a private address too."
    )

    launch_grace_seconds: float = Field(300.0, gt=0, description="Time for a container to start.")
    stop_grace_seconds: float = Field(60.0, ge=0, description="Time between SIGTERM and SIGKILL: a checkpoint's worth.")
    orphan_grace_seconds: float = Field(300.0, ge=0, description="Age at which a container nobody knows is removed.")
    orphan_dry_run: bool = Field(default=False, description="Only log which left-over containers would be removed.")
    max_retries: int = Field(3, ge=0, le=100, description="Attempts made up for when infrastructure broke them.")
    retry_delay_seconds: float = Field(
        10.0, ge=0, le=360, description="Pause before the first of them; doubled each time, up to 360."
    )
    max_runtime_seconds: float = Field(
        86_400.0, gt=0, description="Longest run of a job, from its first start; a job may ask for less."
    )
    stall_seconds: float = Field(
        1_800.0, gt=0, description="Silence of a trainer after which it is stopped and tried again."
    )
    outputs_max_bytes: int = Field(50 * _GIB, ge=1024**2, description="What a job may write into its outputs folder.")
    shared_cache_bytes: int = Field(
        0, ge=0, description="Encoded pictures and prompts kept for a user's further jobs; 0: each job encodes its own."
    )
    poll_seconds: float = Field(0.25, gt=0, le=60, description="Pause between two looks at running jobs.")
    min_free_bytes: int = Field(1 * _GIB, ge=0, description="Free disk below which no job starts and /ready says no.")
    retain_metrics_days: int = Field(365, ge=0, description="Days that an ended job's metrics are kept; 0: for ever.")
    retain_events_days: int = Field(365, ge=0, description="The same for its history, where a mark of the gap stays.")
    retain_logs_days: int = Field(90, ge=0, description="The same for its log.")
    retain_outputs_days: int = Field(
        7, ge=0, description="The same for what its container wrote: copied by then, but a retry resumes from it."
    )
    retain_checkpoints_days: int = Field(30, ge=0, description="The same for its checkpoints among the artifacts.")
    undo_delete_seconds: float = Field(
        3_600.0, ge=0, le=2_592_000, description="How long a deleted job can be brought back; 0 removes it at once."
    )
    metrics_port: int = Field(
        0, ge=0, le=65535, description="Port on which `lorry orchestrate` shows its own metrics; 0: none."
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Level of the log on stderr.")
    hub_endpoint: str = Field(
        "https://huggingface.co",
        pattern=r"^https?://[^\s@]+$",
        description="Where models are fetched from: the Hugging Face hub, or a mirror of it.",
    )
    hub_token: SecretStr | None = Field(
        None,
        description="A read token of the account that accepted the terms of gated models; for the orchestrator alone.",
    )
    catalogue: Path = Field(_PROJECT / "configs" / "models.yaml", description="The model catalogue.")
    presets: Path = Field(_PROJECT / "configs" / "presets", description="Folder of the presets, one YAML file each.")
    gpu_hour_price: float | None = Field(
        None,
        ge=0,
        description="Price of an hour of one GPU, or of a CPU slot where there is none; by default no costs are told.",
    )
    currency: str = Field("USD", pattern="^[A-Z]{3}$", description="Currency of that price, by its ISO 4217 code.")

    _split = field_validator("allowed_images", "cors_origins", "webhook_receivers", mode="before")(_words)

    @classmethod
    def load(cls, config_file: Path | None = None, *, secrets_dir: Path = SECRETS_DIR) -> Settings:
        """Settings from the environment; what it does not say from files of secrets, and then from a TOML file.

        Raises OSError for a secret that cannot be read.
        """
        said: dict[str, Any] = {}
        if config_file is not None:
            said |= TomlConfigSettingsSource(cls, toml_file=config_file)()
        if secrets_dir.is_dir():
            said |= SecretsSettingsSource(cls, secrets_dir=secrets_dir)()
        return cls(**said | EnvSettingsSource(cls)())

    @property
    def issuer(self) -> str | None:
        """The issuer that Supabase's tokens must name; None: any."""
        if self.supabase_issuer is not None:
            return self.supabase_issuer or None
        return f"{self.supabase_url.rstrip('/')}/auth/v1" if self.supabase_url else None

    @property
    def store_url(self) -> str:
        if self.database_url is None:
            return f"sqlite:///{self.data_dir.resolve() / 'lorry.db'}"
        if self.database_password is None:
            return self.database_url
        return _with_password(self.database_url, self.database_password.get_secret_value())


def _with_password(url: str, password: str) -> str:
    """A password that the URL itself holds wins, as the URL does everywhere else."""
    parts = urlsplit(url)
    if parts.password is not None or not parts.username:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()
