"""The one way out to the venues: every call is bounded in time and size, within quota, and keeps its keys.

A source says what to ask and what an answer means; all that can go wrong on the way is dealt with here.
"""

from __future__ import annotations

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from types import TracebackType

import httpx
import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    wait_exponential_jitter,
)

from coinlake.body import ACCEPT_ENCODING, Body
from coinlake.bookkeeping import written_down
from coinlake.clock import Clock
from coinlake.errors import CoinlakeError, FixConfiguration, Refused, TryAgain, WaitUntil
from coinlake.model import BannedUntil, Keep, Refuse, Request, Response
from coinlake.quota import Grant, Quota
from coinlake.settings import FetchSettings
from coinlake.source import Source
from coinlake.telemetry import metrics
from coinlake.telemetry.calls import HttpCall, http_call
from coinlake.verdict import verdict_on

_log = structlog.get_logger("coinlake.fetch")

_FIRST_BACKOFF_S = 1
_LONGEST_BACKOFF_S = 60
_MOST_REDIRECTS = 3
_REDIRECTS = {301, 302, 303, 307, 308}
_IDLE_CONNECTIONS = 20
_LOOKUPS = 64
"""Hosts that may be looked up at once. A resolver that hangs keeps its thread long after the call is given
up, so the few threads that a loop has by default would soon all belong to one venue."""
_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer worth keeping: what was asked, when, and what came. There is no secret in `url`."""

    url: str
    requested_at: datetime
    response: Response


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, read once a process: that takes longer than many a call."""
    return httpx.create_ssl_context()


class Fetcher:
    """Fetches for all sources of a process; a source that is held up never holds up another.

    An async context manager. `clock` is waited on between calls; a call itself is bounded in real time.
    """

    def __init__(self, settings: FetchSettings, quota: Quota, clock: Clock) -> None:
        self._settings = settings
        self._quota = quota
        self._clock = clock
        self._client = httpx.AsyncClient(
            headers={"user-agent": "coinlake", "accept-encoding": ACCEPT_ENCODING},
            timeout=httpx.Timeout(settings.read_timeout_s, connect=settings.connect_timeout_s),
            # Without a bound of the pool's, for calls that hang must not keep those to other venues waiting.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=_IDLE_CONNECTIONS),
            mounts=dict.fromkeys(_LOOPBACK),  # never through a proxy
            verify=_trusted(),
        )

    async def __aenter__(self) -> Fetcher:
        lookups = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="coinlake-lookups")
        asyncio.get_running_loop().set_default_executor(lookups)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def fetch(self, source: Source, request: Request, *, give_up_at: datetime | None = None) -> Answer:
        """The whole answer to a request, once the source judges it worth keeping.

        Waits for quota and pauses, and retries passing faults, as long as the next call could be sent
        before `give_up_at`. Raises `TryAgain` when every attempt failed, `WaitUntil` for a ban or a wait
        past `give_up_at`, `Refused` for an answer that is a no or cannot be kept, `FixConfiguration` for
        a root, key or limit that cannot work.
        """
        url = _url(source, request)

        def give_up(state: RetryCallState) -> bool:
            wakes_at = self._clock.now() + timedelta(seconds=state.upcoming_sleep)
            too_late = give_up_at is not None and wakes_at >= give_up_at
            return too_late or state.attempt_number >= self._settings.attempts

        def note(state: RetryCallState) -> None:
            reason = state.outcome.exception() if state.outcome else None
            metrics.FETCH_RETRIES.add(source=source.name)
            _log.info(
                "fetch.retried",
                source=source.name,
                page=request.page,
                attempt=state.attempt_number,
                wait_s=round(state.upcoming_sleep, 3),
                reason=str(reason),
            )

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TryAgain),
            stop=give_up,
            wait=wait_exponential_jitter(initial=_FIRST_BACKOFF_S, max=_LONGEST_BACKOFF_S),
            sleep=self._sleep,
            before_sleep=note,
            reraise=True,
        )
        return await retrying(self._attempt, source, request, url, give_up_at)

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep_until(self._clock.now() + timedelta(seconds=seconds))

    async def _attempt(
        self, source: Source, request: Request, url: httpx.URL, give_up_at: datetime | None
    ) -> Answer:
        asked = url
        for _ in range(_MOST_REDIRECTS + 1):
            grant = await self._granted(source, request, give_up_at)
            requested_at = self._clock.now()
            with http_call(source.name, redacted(source, str(asked)), asked.host) as call:
                response = await self._call(source, grant, asked, call)
            await written_down(self._quota.answered, grant, response)
            if response.status not in _REDIRECTS:
                await self._obey(source, grant, response, _called(source, url))
                return Answer(str(url), requested_at, response)
            asked = _redirected(source, asked, response)
        raise Refused(f"{_called(source, url)}: more than {_MOST_REDIRECTS} redirects.")

    async def _granted(self, source: Source, request: Request, give_up_at: datetime | None) -> Grant:
        while True:
            now = self._clock.now()
            try:
                return await written_down(self._quota.reserve, source.name, source.limits, request.cost, now)
            except WaitUntil as wait:
                if give_up_at is not None and wait.until >= give_up_at:
                    raise
                until = wait.until
            await self._clock.sleep_until(until)

    async def _call(self, source: Source, grant: Grant, url: httpx.URL, call: HttpCall) -> Response:
        """One call on the wire. The HTTP client's exceptions hold the request and so the keys: they end
        here, and what is raised instead has no link to them."""
        called, sent = _called(source, url), True
        fault: CoinlakeError
        try:
            async with asyncio.timeout(self._settings.answer_timeout_s):
                response = await self._read(source, url)
            call.answered(response.status, len(response.body))
            return response
        except TimeoutError:
            call.failed("timeout")
            fault = TryAgain(f"{called}: no whole answer within {self._settings.answer_timeout_s:g} s.")
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            call.failed("connection")
            fault, sent = TryAgain(f"{called}: cannot connect: {_said(source, error)}."), False
        except httpx.HTTPError as error:
            call.failed("timeout" if isinstance(error, httpx.TimeoutException) else "transport")
            fault = TryAgain(f"{called}: {_said(source, error)}.")
        except (Refused, TryAgain) as error:  # from the body, which does not know whose it is
            call.failed("body")
            fault = type(error)(f"{called}: {error}.")
        if not sent:
            await written_down(self._quota.unsent, grant)
        raise fault

    async def _read(self, source: Source, url: httpx.URL) -> Response:
        keys = source.secret_headers.items()
        request = self._client.build_request(
            "GET", url, headers={name: secret.get_secret_value() for name, secret in keys}
        )
        response = await self._client.send(request, stream=True)
        try:
            encoding = response.headers.get("content-encoding", "").strip().lower()
            body = Body(encoding, self._settings.body_limit_bytes)
            async for piece in response.aiter_raw():
                body.add(piece)
        finally:
            await response.aclose()
        return Response(response.status_code, dict(response.headers), body.whole(), self._clock.now())

    async def _obey(self, source: Source, grant: Grant, response: Response, called: str) -> None:
        """Does what the verdict on an answer asks for; returns where that is to keep it."""
        verdict = verdict_on(source, response)
        if isinstance(verdict, Keep):
            if verdict.windows is not None:
                await written_down(self._quota.stated, grant, verdict.windows, response.received_at)
            return
        said = f"{called}: {redacted(source, verdict.reason)}"
        if isinstance(verdict, Refuse):
            raise Refused(f"{said}.")
        if verdict.after_s:
            until = await self._hold(source, verdict.after_s, verdict.reason)
            if isinstance(verdict, BannedUntil):
                raise WaitUntil(f"{said}; nothing is sent before {until:%Y-%m-%d %H:%M:%S} UTC.", until=until)
        raise TryAgain(f"{said}.", after_s=verdict.after_s)

    async def _hold(self, source: Source, after_s: float, reason: str) -> datetime:
        reason, now = redacted(source, reason), self._clock.now()
        until = await written_down(self._quota.hold, source.name, after_s=after_s, reason=reason, now=now)
        _log.warning("source.held", source=source.name, until=until.isoformat(), reason=reason)
        return until


def redacted(source: Source, text: str) -> str:
    """A text with the source's secrets, should a venue have echoed them, as stars."""
    for secret in source.secret_headers.values():
        if secret.get_secret_value():
            text = text.replace(secret.get_secret_value(), "***")
    return text


def _url(source: Source, request: Request) -> httpx.URL:
    """The URL of a request; `FixConfiguration` for a root or key that cannot be sent, or not safely."""
    named = f"source {source.name}"
    try:
        url = httpx.URL(f"{source.root.rstrip('/')}/{request.path.lstrip('/')}")
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise FixConfiguration(f"{named}: its root is not a URL that begins with https:// (or http://).")
    if request.params:
        url = url.copy_merge_params(request.params)
    if url.userinfo or redacted(source, str(url)) != str(url):
        raise FixConfiguration(
            f"{named}: a key may stand in a header only, never in the root or a parameter."
        )
    for name, secret in source.secret_headers.items():
        if not (secret.get_secret_value().isascii() and secret.get_secret_value().isprintable()):
            raise FixConfiguration(f"{named}: the key for {name} holds a character that no header may hold.")
    return url


def _redirected(source: Source, url: httpx.URL, response: Response) -> httpx.URL:
    called = _called(source, url)
    try:
        target = url.join(response.headers.get("location", ""))
    except httpx.InvalidURL:
        target = httpx.URL("")
    if (target.scheme, target.host, target.port, target.userinfo) != (url.scheme, url.host, url.port, b""):
        place = redacted(source, f"{target.scheme}://{target.netloc.decode('ascii', 'replace')}")
        raise Refused(f"{called}: a redirect to another host, {place}, is not followed. Is the root right?")
    return target


def _called(source: Source, url: httpx.URL) -> str:
    return f"{source.name}: GET {redacted(source, str(url))}"


def _said(source: Source, error: Exception) -> str:
    return redacted(source, f"{type(error).__name__} {error}".strip())
