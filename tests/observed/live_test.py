"""The whole pipeline on real servers, watched: each alert is provoked, comes to a webhook in time, and ends.

Times are thirty times as short as those that are shipped (`observed.accelerated`), for the rules and for
Alertmanager. VictoriaLogs and Jaeger stand in for Loki and Tempo, which cannot be had here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
import yaml

from chaos.disk import MEGABYTE, mounted
from coinlake_bus.kafka import Bus
from dashboards.expressions import Shown, expanded, expressions
from distributed.site import let_go
from observed.accelerated import faster
from observed.breaking import Breaking
from observed.faults import FAULTS
from observed.hearing import Due, ended, provoked, quiet, until
from observed.scene import FEW, Scene
from observed.shipped import OPS, rules
from observed.venues import BITCOIN
from servers.fixtures import Spark

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("kafka_program", "mongod_program")]

_RUN = timedelta(minutes=30)
"""Longer than all of this takes."""
_NOTHING_TO_SAY = {"quality: Telemetry dropped"}
"""Questions whose answer is nothing where nothing is wrong with what is watched."""
_OF_SERVERS = re.compile(r"\b(kafka|mongodb|airflow)_")
"""What servers say of themselves is asked in `servers_test`, where they run as they are shipped."""


@pytest.fixture(scope="module")
def scene(
    tmp_path_factory: pytest.TempPathFactory, spark_home: Spark, watching_programs: None
) -> Iterator[Scene]:
    """Everything, at work, and nothing to say but that the chain of alerts works."""
    with Scene.running(tmp_path_factory.mktemp("scene"), spark_home) as scene:
        scene.venues["coinbase"].mood = "in pieces"
        scene.begin()
        yield scene


@pytest.fixture(autouse=True)
def mended(scene: Scene) -> Iterator[None]:
    """A test that fails leaves the next ones a scene that is well."""
    yield
    scene.mend()


def test_what_never_delivered_and_was_never_verified_is_told_and_then_all_is_quiet(scene: Scene) -> None:
    never = Due("FeedNeverDelivered", "coinbase stats", 90)
    unproven = Due("NeverVerified", "never held against the lake", 120)
    with provoked(scene, never, unproven, also=["ServiceDown"]):
        pass  # as it was started
    scene.venues["coinbase"].mood = "well"
    assert scene.coinlake("verify").returncode == 0
    ended(scene, never, unproven)
    until(scene, lambda: quiet(scene), 60, "nothing but the heartbeat fires")
    beats = [one for one in scene.watching.listener.notices if one.receiver == "heartbeat"]
    assert len(beats) > 2
    assert {one.alert for one in beats} == {"Watchdog"}


def test_sources_that_fall_silent_freeze_and_talk_nonsense_are_told_apart(
    scene: Scene, tmp_path: Path
) -> None:
    silent = Due("FeedStale", "coingecko markets", 40)
    frozen = Due("PricesFrozen", "binance serves prices", 75)
    nonsense = Due("DeadLettersRising", "of coinbase", 60)
    burning = Due("FreshnessBurningFast", "coingecko was stale", 75)
    filling, full = Due("DiskFilling", "a-disk will be full", 75), Due("DiskFull", "a-disk has", 75)
    lost = Due("TelemetryLost", "loses what otlphttp/loki", 45)
    with mounted(tmp_path / "a-disk", 16 * MEGABYTE) as disk:
        dues = (silent, nonsense, lost, frozen, burning, filling)
        until(scene, lambda: _free(scene, disk.folder) == 1, 20, "the empty disk is seen")
        with provoked(scene, *dues):
            scene.venues["coingecko"].mood = "silent"
            scene.venues["binance"].mood = "frozen"
            scene.venues["coinbase"].mood = "nonsense"
            scene.watching.logs.kill()
            (disk.folder / "much").write_bytes(random.randbytes(12 * MEGABYTE))
        scene.mend()
        with provoked(scene, full):
            (disk.folder / "more").write_bytes(random.randbytes(4 * MEGABYTE - 100_000))
        (disk.folder / "more").unlink()
        (disk.folder / "much").unlink()
        ended(scene, silent, frozen, nonsense, lost, filling, full)
    ended(scene, burning)
    with provoked(scene, Due("FreshnessBurningSlowly", "coingecko was stale", 60)):
        pass  # the fast one held it back


def test_a_falling_market_an_outlier_a_ban_and_a_backfill_are_told(scene: Scene) -> None:
    dues = (
        Due("BitcoinDown", "Bitcoin is -15%", 45),
        Due("PriceOutlier", "coingecko: bitcoin is 15% off", 45),
        Due("SourceBanned", "binance lets us ask again", 30),
        Due("EndToEndBurningFast", "took over a minute", 60),
    )
    with provoked(scene, *dues):
        scene.backfill(BITCOIN, 1000)
        scene.venues["coingecko"].price = int(BITCOIN * 0.85)
        scene.venues["binance"].mood = "banning"
    change = _grafana(scene, "BitcoinDown")
    assert change is not None
    assert change <= -0.1
    scene.mend()
    ended(scene, *dues)
    with provoked(scene, Due("EndToEndBurningSlowly", "took over a minute", 60)):
        pass  # the fast one held it back
    # Whoever was banned is stale until its first slot after that.
    until(scene, lambda: quiet(scene), 60, "nothing but the heartbeat fires")


def test_a_warehouse_that_takes_nothing_is_told_and_what_the_topic_lost_is_told_and_sent_again(
    scene: Scene,
) -> None:
    stalled = (
        Due("IngestionLagging", "topic_to_warehouse is", 40),
        Due("PipelineStalled", "No new row", 50),
        Due("ConsumerLagGrowing", "does not keep up", 75),
        Due("TopicHeadroomShort", "the topic lets go", 90),
    )
    with psycopg.connect(scene.site.dsn) as session:
        with provoked(scene, *stalled):
            session.execute("LOCK TABLE coinlake.bus_offsets IN EXCLUSIVE MODE")
        seconds = _grafana(scene, "PipelineStalled")
        assert seconds is not None
        assert seconds > 20
        gone = Due("MessagesGone", "messages were gone", 60)
        with provoked(scene, gone, also=[due.alert for due in stalled]):
            let_go(scene.site, {place: held.stop for place, held in Bus(scene.site.bus).offsets().items()})
            session.rollback()
    failed = Due("VerifyFailed", "is not what the lake says", 30)
    with provoked(scene, failed, also=["MessagesGone"]):
        assert scene.coinlake("verify").returncode == 1
    repaired = scene.coinlake("verify", "--repair")
    assert "sent to the topic again" in repaired.stdout + repaired.stderr
    until(scene, lambda: scene.coinlake("verify").returncode == 0, 90, "all is there")
    ended(scene, failed, gone, *stalled)  # what was lost waits, for the warehouse, until it is sent again


def test_a_broker_that_is_dead_silences_what_follows_from_it(scene: Scene) -> None:
    follows = (
        Due("IngestionLagging", "lake_to_topic is", 45),
        Due("ProducerMarkAgeing", "stood still", 60),
    )
    with provoked(scene, *follows):
        scene.freeze_broker()  # it takes connections, and does nothing
    down = Due("ServiceDown", "kafka is down", 30)
    with provoked(scene, down, also=["ProducerMarkAgeing"]):
        scene.kafka.kill()
    until(
        scene, lambda: {"IngestionLagging", "ProducerMarkAgeing"} <= _held_back(scene), 30, "it is held back"
    )
    scene.mend()
    ended(scene, down, *follows)


def test_a_program_that_is_killed_spent_credits_and_an_old_proof_are_told(scene: Scene) -> None:
    until(scene, lambda: quiet(scene), 60, "nothing but the heartbeat fires")
    down, spent = (
        Due("ServiceDown", "coinlake-run is down", 40),
        Due("QuotaSpent", "coingecko: the month's", 60),
    )
    old = Due("VerifyOld", "The last `coinlake verify`", 60)
    with provoked(scene, down, old, also=["FeedStale"]):
        scene.run.kill()
        with psycopg.connect(scene.site.dsn) as session:
            session.execute(
                "UPDATE coinlake.verifications SET finished_at = finished_at - interval '2 hours'"
            )
    few = scene.with_credits(FEW)
    with provoked(scene, spent, also=["FeedStale"]):
        few.start()
    ended(scene, down)
    few.kill()
    scene.run.start()
    assert scene.coinlake("verify").returncode == 0
    ended(scene, spent, old)


def test_credits_that_do_not_last_are_told_with_what_would_be_missing(scene: Scene) -> None:
    until(scene, lambda: quiet(scene), 60, "nothing but the heartbeat fires")
    half = scene.with_credits(scene.half_the_credits())
    short = Due("QuotaRunningOut", "the month's credits do not last", 60)
    with provoked(scene, short, also=["FeedStale", "ServiceDown"]):
        scene.run.kill()
        half.start()

    def as_many_are_missing_as_are_left() -> bool:
        found = (one for one in scene.watching.prometheus.alerts() if one["state"] == "firing")
        missing = [-float(one["value"]) for one in found if one["labels"]["alertname"] == short.alert]
        return 0.5 * scene.credits_left < sum(missing) < 1.5 * scene.credits_left

    # At first it looks much worse: there were more credits a moment ago.
    until(scene, as_many_are_missing_as_are_left, 60, "the pace asked for takes twice what there is")
    half.kill()
    scene.run.start()
    ended(scene, short)


def test_what_a_person_breaks_is_told_and_mended(scene: Scene) -> None:
    until(scene, lambda: quiet(scene), 60, "nothing but the heartbeat fires")
    with Breaking(scene) as breaking, httpx.Client(base_url=breaking.root, timeout=180) as person:
        assert set(re.findall(rf"{breaking.root}/(\S+)", person.get("/").text)) == {*FAULTS, "mend"}
        assert person.post("/the-moon").status_code == 404
        said = person.post("/spark").text.splitlines()
        assert said[0] == "The Spark program is killed. ServiceDown is to tell of it."
        assert re.fullmatch(
            r"After \d+ s: on-call is told: firing ServiceDown: coinlake-spark is down.*", said[1]
        )
        assert person.post("/mend").text.startswith("All is well again.")
    ended(scene, Due("ServiceDown", "coinlake-spark is down", 0))


def test_every_rule_has_a_value_and_no_evaluation_failed(scene: Scene) -> None:
    prometheus = scene.watching.prometheus
    assert [rule["name"] for rule in prometheus.rules() if rule["health"] != "ok"] == []
    empty = [
        rule.name
        for rule in rules()
        if not rule.is_alert
        and not prometheus.ask(f"last_over_time(({faster(rule.name, rule.expression)})[30m:5s])")
    ]
    assert empty == []
    told = {notice.alert for notice in scene.watching.listener.notices}
    assert {rule.name for rule in rules() if rule.is_alert} - told == set()


def test_every_question_of_a_dashboard_has_an_answer(scene: Scene) -> None:
    now = datetime.now(UTC)
    shown = Shown(now - _RUN, now, {"source": ".*", "service": ".+"})
    empty = {
        str(one)
        for one in expressions("promql")
        if not _OF_SERVERS.search(one.text)
        and not scene.watching.prometheus.ask(_at_any_time(expanded(one, shown)))
    }
    assert empty <= _NOTHING_TO_SAY


def test_one_trace_leads_from_the_call_to_the_row_and_to_what_was_logged(scene: Scene) -> None:
    programs = {"coinlake-run", "coinlake-producer", "coinlake-spark"}

    def whole() -> list[tuple[str, str]]:
        return [one for one in scene.newest_captures() if programs <= set(scene.hops(one[1]))]

    # A program that was killed took its last spans along, and Spark takes its time to come back.
    until(scene, whole, 120, "a trace with all its hops has come")
    capture_id, trace_id = whole()[0]
    assert scene.site.rows(f"SELECT 1 FROM loaded_captures WHERE capture_id = '{capture_id}'")
    logs = scene.watching.logs
    until(scene, lambda: logs.ask(f'trace_id:="{trace_id}"'), 30, "its lines are in the store of logs")
    lines = {line["event"]: line for line in logs.ask(f'trace_id:="{trace_id}"')}
    assert lines["feed.stored"]["capture_id"] == capture_id


def _at_any_time(question: str) -> str:
    """What a question had for an answer at any time of the run; of a variable, the series it is made of."""
    series = re.sub(r"^label_values\((\w+), *\w+\)$", r"\1", question)
    return f"last_over_time(({series})[{_RUN.seconds}s:5s])"


def _free(scene: Scene, mountpoint: Path) -> float:
    """The share of a disk that is free, as Prometheus knows it; 0 before it does."""
    of_it = f'{{mountpoint="{mountpoint}"}}'
    asked = f"node_filesystem_avail_bytes{of_it} / node_filesystem_size_bytes{of_it}"
    return sum(float(one["value"][1]) for one in scene.watching.prometheus.ask(asked))


def _held_back(scene: Scene) -> set[str]:
    return {
        alert["labels"]["alertname"]
        for alert in scene.watching.alertmanager.alerts()
        if alert["status"]["state"] == "suppressed"
    }


def _grafana(scene: Scene, title: str) -> float | None:
    """What Grafana's own rule of this name would have from the warehouse."""
    text = (OPS / "grafana/provisioning/alerting/business.yaml").read_text(encoding="utf-8")
    (rule,) = (
        rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"] if rule["title"] == title
    )
    answer = scene.site.rows(rule["data"][0]["model"]["rawSql"])
    return float(answer[0][0]) if answer else None
