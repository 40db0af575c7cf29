"""Every metric of Coinlake, in the order of the flow. There is none besides these.

`docs/telemetry.md` and the dashboards are checked against this module. Names are stable: a panel or an alert
of somebody else's may stand on them. Times of the form `….timestamp` are seconds since 1970 (UTC), so that
their age is true even where whoever told them has died: `time() - …_timestamp_seconds`.
"""

from __future__ import annotations

from coinlake.errors import CoinlakeError, FixConfiguration, Interrupted, Refused, TryAgain, WaitUntil
from coinlake.telemetry.declaring import Counter, Gauge, Histogram, Label, Metric, Watched

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LAG_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21600, 86400)

_KINDS: tuple[tuple[type[CoinlakeError], str], ...] = (
    (TryAgain, "try_again"),
    (WaitUntil, "wait_until"),
    (Refused, "refused"),
    (FixConfiguration, "fix_configuration"),
    (Interrupted, "interrupted"),
)
DEFECT = "defect"
ERROR_KINDS = (*(kind for _, kind in _KINDS), DEFECT)


def kind_of(error: BaseException | None) -> str:
    """What an error asks for: one of `ERROR_KINDS`; "" where there is none."""
    if error is None:
        return ""
    return next((kind for error_type, kind in _KINDS if isinstance(error, error_type)), DEFECT)


SOURCE = Label("source", "sources that are configured")
DATASET = Label("dataset", "datasets of a source")
ERROR = Label("error", "what the error asks for; absent where there is none", ERROR_KINDS)
ENGINE = Label("engine", "where batches are refined", ("embedded", "spark"))
BATCH_KIND = Label("kind", "tail: as captures come; replay: read again", ("tail", "replay"))
HOP = Label("hop", "hops of the profile", ("lake_to_warehouse", "lake_to_topic", "topic_to_warehouse"))
TABLES = ("quotes", "candles", "venue_candles", "instruments", "latest_quotes", "dead_letters")
TABLE = Label("table", "tables of the warehouse", TABLES)
RULE = Label("rule", "rules that decode, steps and load name in their reasons")
STAGE = Label("stage", "what rejects", ("bus", "decode", "validate", "load"))

# Every program

PROGRAM_STARTED = Gauge(
    "coinlake.program.started.timestamp", "s", "When this program started; there while it runs."
)
TELEMETRY_DROPPED = Counter(
    "coinlake.telemetry.dropped",
    "{item}",
    "Spans and exports of metrics that no collector took.",
    Label("signal", "signals that are sent", ("traces", "metrics")),
)

# From the venues into the lake

HTTP_DURATION = Histogram(
    "http.client.request.duration",
    "s",
    "How long calls to venues took, from sending to the last byte.",
    Label("http.request.method", "we only GET", ("GET",)),
    Label("server.address", "hosts of the configured sources"),
    Label("http.response.status_code", "status codes of HTTP; absent where no answer came"),
    Label(
        "error.type", "timeout, connection, transport, body, or a status of 400 and more; absent otherwise"
    ),
    SOURCE,
    buckets=_SECONDS,
)
FETCH_RETRIES = Counter("coinlake.fetch.retries", "{call}", "Calls that were made once more.", SOURCE)
SLOTS = Counter(
    "coinlake.feed.slots",
    "{slot}",
    "Slots that were finished: whole, or given up for an error.",
    SOURCE,
    DATASET,
    ERROR,
)
CAPTURES_STORED = Counter(
    "coinlake.lake.captures",
    "{capture}",
    "Captures that became durable in the lake.",
    SOURCE,
    DATASET,
    Label("new", "no: the lake had it already", ("yes", "no")),
)
BYTES_STORED = Counter("coinlake.lake.body.size", "By", "Bytes of bodies of new captures.", SOURCE, DATASET)
FEED_SUCCESS = Watched(
    "coinlake.feed.last_success.timestamp",
    "s",
    "When a slot of the feed was last stored whole: freshness by arrival. Absent before the first.",
    SOURCE,
    DATASET,
)
FEED_ATTEMPT = Watched(
    "coinlake.feed.last_attempt.timestamp", "s", "When a slot of the feed was last begun.", SOURCE, DATASET
)
FEED_CADENCE = Watched(
    "coinlake.feed.cadence", "s", "Time between slots that the settings ask for.", SOURCE, DATASET
)
FEED_SPACING = Watched(
    "coinlake.feed.spacing",
    "s",
    "Time between slots: the cadence, or more where the month's credits are to last.",
    SOURCE,
    DATASET,
)
FEED_FAILURES = Watched(
    "coinlake.feed.failures_in_a_row", "{slot}", "Slots given up since the last whole one.", SOURCE, DATASET
)
FEED_MISSED = Watched(
    "coinlake.feed.missed_slots", "{slot}", "Slots that went by without an attempt, ever.", SOURCE, DATASET
)
QUOTA_LEFT = Watched(
    "coinlake.source.quota.left",
    "{unit}",
    "What the venue still allows in the present period.",
    SOURCE,
    Label("period", "month, or a window such as 60s"),
)
QUOTA_LIMIT = Watched(
    "coinlake.source.quota.limit",
    "{unit}",
    "What the venue allows in a whole period.",
    SOURCE,
    Label("period", "month, or a window such as 60s"),
)
HELD_UNTIL = Watched(
    "coinlake.source.held_until.timestamp",
    "s",
    "Nothing is sent to the source before then (a ban, or a pause it asked for); 0 where it never was held.",
    SOURCE,
)

# How far behind each hop is

LAG_CAPTURES = Watched(
    "coinlake.hop.lag.captures",
    "{capture}",
    "Captures on the near side of a hop and not on the far one.",
    HOP,
)
LAG_DURATION = Watched(
    "coinlake.hop.lag.duration",
    "s",
    "How long ago the first of them was received; 0 where there is none.",
    HOP,
)
LAG_MESSAGES = Watched(
    "coinlake.hop.lag.messages", "{message}", "Messages of the topic that were not loaded.", HOP
)
TOPIC_HEADROOM = Watched(
    "coinlake.topic.headroom.duration",
    "s",
    "How long until the topic may let go of a message that is not loaded; its whole retention where all are.",
)

# From the lake to the topic

SENT_MESSAGES = Counter(
    "messaging.client.sent.messages",
    "{message}",
    "Messages that all in-sync replicas acknowledged.",
    Label("messaging.system", "one", ("kafka",)),
    Label("messaging.operation.name", "what a producer does", ("send",)),
    Label("messaging.destination.name", "the topic of the settings"),
)
SEND_DURATION = Histogram(
    "messaging.client.operation.duration",
    "s",
    "From handing a message to the client to its acknowledgement: the longest of each group acknowledged.",
    Label("messaging.system", "one", ("kafka",)),
    Label("messaging.operation.name", "what a producer does", ("send",)),
    Label("messaging.destination.name", "the topic of the settings"),
    buckets=_SECONDS,
)
PRODUCER_MARK = Gauge(
    "coinlake.producer.mark.position", "{position}", "Every capture up to this position was acknowledged."
)
PRODUCER_MARK_MOVED = Gauge(
    "coinlake.producer.mark.moved.timestamp",
    "s",
    "When the mark last moved, or was found at the start. Old is bad only while captures wait.",
)
PRODUCER_IN_FLIGHT = Gauge(
    "coinlake.producer.in_flight.messages", "{message}", "Messages that are sent and not acknowledged."
)
PRODUCER_INTERRUPTIONS = Counter(
    "coinlake.producer.interruptions", "{interruption}", "Times that publishing had to begin again.", ERROR
)
BODIES_LEFT_OUT = Counter(
    "coinlake.producer.bodies_left_out", "{capture}", "Captures whose body is larger than the topic takes."
)

# From captures to rows

RECEIVED_MESSAGES = Counter(
    "messaging.client.consumed.messages",
    "{message}",
    "Messages of committed batches.",
    Label("messaging.system", "one", ("kafka",)),
    Label("messaging.operation.name", "what a consumer does", ("poll",)),
    Label("messaging.destination.name", "the topic of the settings"),
)
MESSAGES_GONE = Counter(
    "coinlake.topic.messages_gone", "{message}", "Messages that the topic let go of before they were loaded."
)
BATCH_DURATION = Histogram(
    "coinlake.batch.duration",
    "s",
    "From beginning a batch to its commit, or to the error that ended it.",
    ENGINE,
    BATCH_KIND,
    ERROR,
    buckets=_SECONDS,
)
REFINE_DURATION = Histogram(
    "coinlake.refine.duration",
    "s",
    "How long refining a batch took; of Spark with staging its rows, to the end of its last task.",
    ENGINE,
    buckets=_SECONDS,
)
LOADED_CAPTURES = Counter(
    "coinlake.load.captures", "{capture}", "Captures of committed batches.", ENGINE, BATCH_KIND
)
LOADED_ROWS = Counter(
    "coinlake.load.rows", "{row}", "Rows that committed batches made or changed.", ENGINE, BATCH_KIND, TABLE
)
LAST_COMMIT = Gauge("coinlake.load.last_commit.timestamp", "s", "When a batch was last committed.", ENGINE)
CAPTURE_DELAY = Histogram(
    "coinlake.load.capture.delay",
    "s",
    "End to end: from receiving a capture to the commit of its rows. Batches of the tail only.",
    ENGINE,
    SOURCE,
    buckets=_LAG_SECONDS,
)
QUARANTINED = Counter(
    "coinlake.load.quarantined",
    "{capture}",
    "Captures that the warehouse refused, and are whole dead letters.",
    SOURCE,
)
LOAD_INTERRUPTIONS = Counter(
    "coinlake.load.interruptions", "{interruption}", "Times that loading had to begin again.", ENGINE, ERROR
)
DB_DURATION = Histogram(
    "db.client.operation.duration",
    "s",
    "How long one operation of ours on a database took.",
    Label("db.system.name", "databases of both profiles", ("sqlite", "mongodb", "postgresql")),
    Label("db.operation.name", "what we do", ("append", "load")),
    Label("error.type", "absent where it went well", ERROR_KINDS),
    buckets=_SECONDS,
)

# What stands in the warehouse

DEAD_LETTERS = Counter(
    "coinlake.dead_letters",
    "{letter}",
    "Dead letters that committed batches wrote, by each rule broken.",
    SOURCE,
    STAGE,
    RULE,
)
DEAD_LETTERS_OPEN = Watched(
    "coinlake.dead_letters.open",
    "{letter}",
    "Dead letters that are not resolved, among the newest 10,000.",
    SOURCE,
    RULE,
)
MARKET_TIME = Watched(
    "coinlake.source.market_time.timestamp",
    "s",
    "Newest market time (as_of) of the source's quotes in the warehouse: freshness by the venue's own clock.",
    SOURCE,
)
FETCHED_TIME = Watched(
    "coinlake.source.fetched.timestamp", "s", "When the newest of the source's quotes was received.", SOURCE
)
VERIFIED = Watched(
    "coinlake.verify.finished.timestamp",
    "s",
    "When the warehouse was last held against the lake, as a whole.",
)
VERIFY_CLEAN = Watched(
    "coinlake.verify.clean", "{boolean}", "1 where that found nothing wrong, 0 where it did."
)
VERIFY_DIFFERENCES = Watched(
    "coinlake.verify.differences",
    "{difference}",
    "What that found.",
    Label("kind", "ways to be wrong", ("missing", "doubled", "different", "extra", "damaged", "lost")),
)
VERIFY_CAPTURES = Watched("coinlake.verify.captures", "{capture}", "Captures that were compared.")
VERIFY_DURATION = Watched("coinlake.verify.duration", "s", "How long that took.")

ALL: tuple[Metric, ...] = tuple(one for one in list(globals().values()) if isinstance(one, Metric))
"""Every metric, in the order above."""
