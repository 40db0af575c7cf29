"""Settings: one `coinlake.toml`, overridden by `COINLAKE_…` variables; secrets from the environment or files.

A key nobody knows is refused with a guess at what was meant. A secret `x` may be given as `x_file`, the
path of a file that holds it, so that it need stand neither in the settings nor in the environment.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args
from urllib.parse import urlsplit

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from coinlake.errors import FixConfiguration
from coinlake.secrets import HIDDEN

Secret = SecretStr
"""A text that prints as stars; `.get_secret_value()` where it is sent, and nowhere else."""

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+)([smhd])", value.strip())
    if not match:
        raise ValueError('write a whole number and a unit: "30s", "3m", "1h" or "1d"')
    return timedelta(seconds=int(match[1]) * _UNITS_S[match[2]])


Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""A length of time, written "30s", "3m", "1h" or "1d"."""


def _above_zero(every: timedelta) -> timedelta:
    if every <= timedelta(0):
        raise ValueError('write a length of time above zero, such as "3m"')
    return every


Cadence = Annotated[Duration, AfterValidator(_above_zero)]
"""How often something is done."""


def each_once(kind: str) -> AfterValidator:
    """For a list of names, refuses those that stand there twice; `kind` is what messages call one."""

    def check(names: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each {kind} is wanted once; more than once stand {', '.join(twice)}")
        return names

    return AfterValidator(check)


_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def _root(root: str) -> str:
    url = urlsplit(root)
    encrypted = url.scheme == "https" and url.hostname is not None
    if not encrypted and not (url.scheme == "http" and url.hostname in _LOOPBACK):
        raise ValueError("write an https:// URL; http:// is for this machine only")
    if "@" in url.netloc or url.query or url.fragment:
        raise ValueError("write a URL of host and path only; a key has a setting of its own")
    return root.rstrip("/")


Root = Annotated[str, AfterValidator(_root)]
"""The URL of an API, without a slash at its end: encrypted unless it is on this machine, and with no key."""


class Table(BaseModel):
    """A table of `coinlake.toml`: unknown keys are refused, and `x_file` fills a secret `x`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        filled = dict(given)
        for name, field in cls.model_fields.items():
            is_secret = SecretStr in (field.annotation, *get_args(field.annotation))
            path = filled.pop(f"{name}_file", None) if is_secret else None
            if not path:
                continue
            if filled.get(name):
                raise ValueError(f"give {name} or {name}_file, not both")
            try:
                filled[name] = Path(str(path)).expanduser().read_text(encoding="utf-8").strip()
            except UnicodeDecodeError:  # its message would show the bytes
                raise ValueError(f"cannot read {name}_file {path}: it is not UTF-8 text") from None
            except (OSError, RuntimeError, ValueError) as error:
                why = getattr(error, "strerror", None) or error
                raise ValueError(f"cannot read {name}_file {path}: {why}") from None
        return filled


AnyTable = TypeVar("AnyTable", bound=Table)


class FetchSettings(Table):
    """Bounds of one HTTP call, the same for every source."""

    connect_timeout_s: PositiveFloat = 10
    read_timeout_s: PositiveFloat = 20
    """The longest silence within an answer."""
    answer_timeout_s: PositiveFloat = 60
    """The longest a whole answer may take, from connecting to its last byte."""
    body_limit_bytes: PositiveInt = 32 * 1024 * 1024
    """A longer answer (unpacked) is refused, not cut."""
    attempts: PositiveInt = 5
    """Tries for one request before its slot is given up."""


class WarehouseSettings(Table):
    """The PostgreSQL that rows go to: the embedded one unless `dsn` names a server."""

    dsn: SecretStr | None = None
    """Connection URI of a server of yours; may hold a password, so it is a secret."""
    keep_quotes: Cadence | None = None
    """How long `coinlake prune` leaves quotes there, in whole months; None: for good. The lake keeps all."""


class LakeSettings(Table):
    """Where captures rest in the distributed profile; the embedded one has its lake in `folder`."""

    url: SecretStr | None = None
    """Connection URI of MongoDB, the database behind its slash; may hold a password, so it is a secret."""


class BusSettings(Table):
    """The Kafka that captures travel on in the distributed profile."""

    servers: str = "127.0.0.1:9092"
    """Host and port of one broker or more, with commas between."""
    topic: str = "coinlake.captures"
    partitions: PositiveInt = 6
    replication: PositiveInt | None = None
    """Copies of each message; None leaves it to the brokers' own default."""
    retention: Cadence = timedelta(days=7)
    """How long the topic keeps a message; the lake keeps it for ever."""
    max_message_bytes: PositiveInt = 33 * 1024 * 1024
    """The largest message, before it is packed; the body of a larger capture stays in the lake."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ca_file: Path | None = None
    """Certificates to trust besides the system's, in PEM."""
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    username: str | None = None
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _has_login(self) -> BusSettings:
        if self.security_protocol.startswith("SASL") and not (self.username and self.password):
            raise ValueError(f"{self.security_protocol} needs username and password")
        return self


class SparkSettings(Table):
    """The Spark that loads from the bus in the distributed profile."""

    master: str = "local[2]"
    """Where tasks run: `local[N]` within the program, or `spark://host:port`."""
    jars: Path | None = None
    """Folder of the jars of Spark's Kafka connector; None where Spark has them already."""
    batch_captures: PositiveInt = 2_000
    """The most messages of one batch."""


class PageSettings(Table):
    """The local page."""

    host: str = "127.0.0.1"
    port: int = Field(default=8377, ge=0, le=65535)
    """0 takes any free port."""


class AlertSettings(Table):
    """Whom `coinlake run` tells what it watches for in the embedded profile."""

    notify: SecretStr | None = None
    """Addresses as Apprise writes them, with whitespace between; they hold keys, so they are a secret."""


class RefineSettings(Table):
    """The steps between decode and load, in order, by their registered names."""

    steps: tuple[str, ...] = ("validate", "deduplicate")
    batch_captures: PositiveInt = 200
    batch_body_bytes: PositiveInt = 16 * 1024 * 1024


class TelemetrySettings(Table):
    """What people see of logs and traces; where they are sent is in OpenTelemetry's own OTEL_ variables."""

    logs: Literal["auto", "json", "text"] = "auto"
    """The form of log lines; auto: text on a terminal, JSON elsewhere."""
    trace_url: str | None = None
    """Where a person sees a trace in Jaeger, Tempo or Grafana, with `{trace_id}` for its id."""

    @model_validator(mode="after")
    def _names_the_trace(self) -> TelemetrySettings:
        if self.trace_url is not None and "{trace_id}" not in self.trace_url:
            raise ValueError("write {trace_id} where the id of the trace goes in trace_url")
        return self


class Settings(BaseSettings):
    """All of `coinlake.toml`. `sources.<name>` tables are checked by the plugin of that name."""

    model_config = SettingsConfigDict(
        env_prefix="COINLAKE_", env_nested_delimiter="__", extra="forbid", frozen=True
    )
    toml_file: ClassVar[Path | None] = None

    profile: Literal["embedded", "distributed"] = "embedded"
    folder: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("coinlake")))
    """Where the lake, the embedded server and the state live; one deployment, one folder."""
    plugins: tuple[str, ...] = ()
    """Modules to load as plugins besides the built-in and the installed ones."""
    assets: Path | None = None
    """A map of your own, in place of the shipped one, of which asset of which venue is which."""
    fetch: FetchSettings = FetchSettings()
    lake: LakeSettings = LakeSettings()
    bus: BusSettings = BusSettings()
    spark: SparkSettings = SparkSettings()
    warehouse: WarehouseSettings = WarehouseSettings()
    refine: RefineSettings = RefineSettings()
    page: PageSettings = PageSettings()
    alerts: AlertSettings = AlertSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    sources: dict[str, dict[str, Any]] = Field(default={"coingecko": {}}, repr=False)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls, toml_file=cls.toml_file)
        return init_settings, env_settings, toml


def load(file: Path | None = None, **overrides: Any) -> Settings:
    """The settings of `file` (or of `./coinlake.toml` if there is one), then of the environment.

    Raises `FixConfiguration`, naming each wrong key and where it stands, but no secret's value.
    """
    if file is not None and not file.is_file():
        raise FixConfiguration(f"There is no settings file {file}: give --config an existing one.")
    found = file or (Path("coinlake.toml") if Path("coinlake.toml").is_file() else None)
    named = str(found) if found else "the environment"
    _refuse_unknown_variables(os.environ)
    reader = type("Settings", (Settings,), {"toml_file": found, "__module__": __name__})
    try:
        settings: Settings = reader(**overrides)
    except ValidationError as error:
        raise FixConfiguration(explain(error, Settings, named)) from None
    except (ValueError, OSError) as error:  # TOML that does not parse, an environment value not in JSON
        raise FixConfiguration(f"Cannot read the settings in {named}: {error}") from None
    HIDDEN.add(settings)
    try:
        return settings.model_copy(update={"folder": settings.folder.expanduser().absolute()})
    except RuntimeError as error:
        raise FixConfiguration(f"folder: {error} Write the path in full.") from None


_NO_TEXT = {"tuple_type", "list_type", "set_type", "frozen_set_type", "dict_type"}
"""What is wrong, in pydantic's words, with a text where a list or a table should be."""


def parse_table(model: type[AnyTable], given: Mapping[str, Any], place: str) -> AnyTable:
    """A plugin's own table, checked; `place` is how messages name it, such as `sources.coingecko`."""
    try:
        table = _table(model, dict(given))
    except ValidationError as error:
        raise FixConfiguration(explain(error, model, "the settings", place)) from None
    HIDDEN.add(table)
    return table


def _table(model: type[AnyTable], given: dict[str, Any]) -> AnyTable:
    """As `model_validate`, with lists and tables that are JSON: all that a variable can hold is text."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        found = [fault["loc"] for fault in faults if fault["type"] in _NO_TEXT]
        texts = {str(place[0]) for place in found if len(place) == 1}
        try:
            read = {name: json.loads(given[name]) for name in texts if isinstance(given[name], str)}
        except ValueError:
            raise error from None
        if not read:
            raise
    return model.model_validate(given | read)


def explain(error: ValidationError, model: type[BaseModel], named: str, place: str = "") -> str:
    """One line a fault: the key, what is wrong, and for an unknown key the nearest known one."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        where = ".".join([place] * bool(place) + [str(part) for part in fault["loc"]])
        if fault["type"] == "extra_forbidden":
            known = _fields_at(model, fault["loc"][:-1])
            lines.append(f"{where}: {unknown('setting', str(fault['loc'][-1]), known)}")
        else:
            said = fault["msg"].removeprefix("Value error, ")
            lines.append(f"{where or named}: {said}")
    return f"Wrong settings in {named}:\n  " + "\n  ".join(lines)


def unknown(kind: str, name: str, known: list[str]) -> str:
    """The refusal of a name nobody knows, with a guess at what was meant, or else what there is."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}."
    return f"unknown {kind} {name!r}; {hint}"


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys of the table at a location, through tables that are optional or stand in lists and dicts."""
    table = model
    for part in location:
        field = table.model_fields.get(str(part))
        inner = (field.annotation, *get_args(field.annotation)) if field else ()
        table = next((one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)), table)
    return list(table.model_fields)


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    prefix = Settings.model_config["env_prefix"]
    for name in environment:
        if not name.startswith(prefix):
            continue
        key = name.removeprefix(prefix).split("__")[0].lower()
        if key not in Settings.model_fields:
            hint = unknown("setting", key, list(Settings.model_fields))
            raise FixConfiguration(f"Environment variable {name}: {hint}")
