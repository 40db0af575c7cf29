"""What a load promises, on a real server."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from coinlake.errors import FixConfiguration, Refused, TryAgain
from coinlake.warehouse import Loaded
from coinlake_warehouse.conftest import LAKE, MIDNIGHT, batch, held, quote, reject, rows
from coinlake_warehouse.connection import connect
from coinlake_warehouse.load import PostgresWarehouse


class _StoppedClock:
    def now(self) -> datetime:
        return MIDNIGHT + timedelta(hours=9)

    async def sleep_until(self, moment: datetime) -> None:
        raise AssertionError


@pytest.fixture
def warehouse(dsn: str) -> PostgresWarehouse:
    return PostgresWarehouse(dsn, _StoppedClock())


def test_a_batch_is_counted_recorded_and_moves_the_position(dsn: str, warehouse: PostgresWarehouse) -> None:
    first, second = held(1, 0), held(2, 3)
    assert warehouse.position(LAKE) == 0

    loaded = warehouse.load(batch([first, second], [quote(first), quote(second)], [reject(second, "/1")]))

    assert loaded == Loaded(batch_id=1, quotes_read=2, quotes_new=2, rejects=1, candles=3)
    assert warehouse.position(LAKE) == 2
    (record,) = rows(dsn, "SELECT * FROM batches")
    assert record[:9] == (1, "tail", 1, 2, 2, 2, 2, 1, 3)
    assert record[9:12] == (MIDNIGHT, MIDNIGHT, MIDNIGHT + timedelta(hours=9))
    assert record[12].startswith("00-0af7651916cd43dd")


@pytest.mark.parametrize(
    "digits",
    [
        "1E+37",
        "19800000000000000000000000000000000000",
        "1e-30",
        "2.8e-09",
        "0." + "123456789" * 7,
        "9" * 400,
        "1.50",
    ],
)
def test_every_digit_of_an_amount_is_kept(dsn: str, warehouse: PostgresWarehouse, digits: str) -> None:
    one = held(1)
    warehouse.load(batch([one], [quote(one, price=digits, max_supply=digits)]))
    assert rows(dsn, "SELECT price, max_supply FROM quotes") == [(Decimal(digits), Decimal(digits))]
    assert rows(dsn, "SELECT DISTINCT high FROM candles") == [Decimal(digits)]


def test_nothing_and_an_empty_text_and_zero_are_three_things(dsn: str, warehouse: PostgresWarehouse) -> None:
    one = held(1)
    quotes = [
        quote(one, "/0", asset="none", name=None, market_cap=None),
        quote(one, "/1", asset="blank", name="", market_cap="0.0"),
    ]
    warehouse.load(batch([one], quotes))
    assert rows(dsn, "SELECT name, market_cap FROM quotes ORDER BY path") == [(None, None), ("", Decimal(0))]


def test_texts_and_kept_json_arrive_as_they_were(dsn: str, warehouse: PostgresWarehouse) -> None:
    one = held(1)
    odd = 'a "quoted", comma\nand\tlines \\N \u200b 比特币 \\.'
    kept = '{"ath": 1.980000e37, "b":null,  "dup":1, "dup":2}'
    warehouse.load(batch([one], [quote(one, asset="_", name=odd, symbol="\\.", extra=kept, rank="100")]))
    assert rows(dsn, "SELECT asset, name, symbol, extra::text, rank FROM quotes") == [
        ("_", odd, "\\.", kept, 100)
    ]


def test_of_two_answers_about_one_moment_the_earliest_stands(dsn: str, warehouse: PostgresWarehouse) -> None:
    early, late = held(2, 1), held(1, 2)
    moment = MIDNIGHT
    warehouse.load(batch([late], [quote(late, as_of=moment, price="2")]))
    warehouse.load(batch([early], [quote(early, as_of=moment, price="1")]))
    assert rows(dsn, "SELECT price FROM quotes") == [1]
    assert rows(dsn, "SELECT price FROM latest_quotes") == [1]
    assert rows(dsn, "SELECT close FROM candles") == [1, 1, 1]

    again = warehouse.load(batch([late], [quote(late, as_of=moment, price="2")], kind="replay"))
    assert (again.quotes_new, again.candles) == (0, 0)
    assert rows(dsn, "SELECT price FROM quotes") == [1]


def test_the_same_row_read_anew_replaces_its_old_reading(dsn: str, warehouse: PostgresWarehouse) -> None:
    one = held(1)
    warehouse.load(batch([one], [quote(one, rank=None)]))
    mended = warehouse.load(batch([one], [quote(one, rank="1")], kind="replay"))
    assert mended.quotes_new == 1
    assert rows(dsn, "SELECT rank FROM quotes") == rows(dsn, "SELECT rank FROM latest_quotes") == [1]


def test_latest_quotes_hold_the_newest_live_quote(dsn: str, warehouse: PostgresWarehouse) -> None:
    new, old, filled = held(1, 60), held(2, 0), held(3, 90)
    warehouse.load(batch([new], [quote(new, price="1")]))
    warehouse.load(batch([old], [quote(old, price="2")]))
    warehouse.load(batch([filled], [quote(filled, price="3", granularity="5m")]))
    assert rows(dsn, "SELECT price, capture_id FROM latest_quotes") == [(1, new.capture.id)]


def test_a_bucket_whose_price_vanished_loses_its_candles(dsn: str, warehouse: PostgresWarehouse) -> None:
    early, late = held(2, 1), held(1, 2)
    warehouse.load(batch([late], [quote(late, as_of=MIDNIGHT)]))
    assert rows(dsn, "SELECT count(*) FROM candles") == [3]
    warehouse.load(batch([early], [quote(early, as_of=MIDNIGHT, price=None)]))
    assert rows(dsn, "SELECT count(*) FROM candles") == [0]


def test_only_touched_candles_are_made_again(dsn: str, warehouse: PostgresWarehouse) -> None:
    first, between, last = held(1, 0), held(2, 30), held(3, 40)
    warehouse.load(batch([first, between], [quote(first), quote(between)]))
    before = rows(dsn, "SELECT open_time, ctid, xmin::text FROM candles WHERE \"interval\" = '5m' ORDER BY 1")

    again = [quote(last), quote(last, "/1", as_of=MIDNIGHT + timedelta(seconds=9))]
    assert warehouse.load(batch([last], again)).candles == 4  # two of 5m, one of 1h, one of 1d

    after = rows(dsn, "SELECT open_time, ctid, xmin::text FROM candles WHERE \"interval\" = '5m' ORDER BY 1")
    assert [row[0].minute for row in after] == [0, 30, 40]
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_new_and_known_rows_of_one_asset_load_together(dsn: str, warehouse: PostgresWarehouse) -> None:
    one, two, three = held(1, 0), held(2, 10), held(3, 20)
    warehouse.load(batch([one, two], [quote(one, price="1"), quote(two, price="2")]))
    told = [
        quote(three, "/0", as_of=MIDNIGHT, price="9"),  # known, and earlier told
        quote(three, "/1", as_of=MIDNIGHT + timedelta(minutes=5), price="3"),  # between what is known
        quote(three, "/2", price="4"),  # newer
        quote(three, "/3", asset="tether", price="5"),  # of nothing known
    ]
    assert warehouse.load(batch([three], told)).quotes_new == 3
    assert rows(dsn, "SELECT price FROM quotes ORDER BY asset, as_of") == [1, 3, 2, 4, 5]


def test_rows_of_any_month_find_a_partition(dsn: str, warehouse: PostgresWarehouse) -> None:
    one = held(1)
    moments = [
        MIDNIGHT.replace(year=2013, day=31),
        MIDNIGHT.replace(month=12, day=31),
        MIDNIGHT.replace(year=2031),
    ]
    warehouse.load(batch([one], [quote(one, as_of=moment) for moment in moments]))
    two = held(2)
    warehouse.load(batch([two], [quote(two, as_of=MIDNIGHT.replace(year=2025, month=1, day=1))]))
    assert rows(dsn, "SELECT DISTINCT tableoid::regclass::text FROM quotes ORDER BY 1") == [
        "quotes_2013_10", "quotes_2024_12", "quotes_2025_01", "quotes_2031_10"
    ]  # fmt: skip


def test_a_new_month_does_not_wait_for_readers_nor_they_for_it(
    dsn: str, warehouse: PostgresWarehouse
) -> None:
    one, two = held(1), held(2)
    warehouse.load(batch([one], [quote(one)]))
    with connect(dsn, "reader") as reader, reader.transaction():
        reader.execute("SELECT * FROM quotes").fetchall()

        def read_meanwhile() -> None:
            reader.execute("SET LOCAL lock_timeout = '1s'")
            assert reader.execute("SELECT count(*) FROM quotes").fetchone() == (1,)

        warehouse.load(batch([two], [quote(two, as_of=MIDNIGHT.replace(year=2020))]), staged=read_meanwhile)
    assert rows(dsn, "SELECT count(*) FROM quotes") == [2]


def test_dead_letters_are_kept_resolved_and_opened_again(dsn: str, warehouse: PostgresWarehouse) -> None:
    one, two = held(1, body=b"\xff\x00"), held(2)
    letters = [reject(one, "", original=b"\xff\x00", stage="decode"), reject(one, "/1")]
    state = "SELECT path, stage, original, resolved_at IS NULL FROM dead_letters ORDER BY path"
    warehouse.load(batch([one, two], [], [*letters, reject(two)]))
    assert len(rows(dsn, state)) == 3

    warehouse.load(batch([one], [quote(one)], [reject(one, "/1", stage="refine")], kind="replay"))
    assert rows(dsn, state) == [
        ("", "decode", b"\xff\x00", False),
        ("/0", "validate", b'{"price":-1}', True),
        ("/1", "refine", b'{"price":-1}', True),
    ]
    warehouse.load(batch([one], [], letters, kind="replay"))
    assert [still_open for *_, still_open in rows(dsn, state)] == [True, True, True]


def test_a_replay_does_not_move_the_position_and_holds_only_what_was_loaded(
    dsn: str, warehouse: PostgresWarehouse
) -> None:
    one, two = held(1), held(2)
    warehouse.load(batch([one, two]))
    warehouse.load(batch([one], [quote(one)], kind="replay", after=0))
    assert warehouse.position(LAKE) == 2
    with pytest.raises(TryAgain, match="capture 3 can be replayed once it has been loaded"):
        warehouse.load(batch([held(3)], kind="replay"))


def test_what_was_loaded_behind_a_hole_is_replayed(dsn: str, warehouse: PostgresWarehouse) -> None:
    warehouse.load(batch([held(1)]))
    late = held(3)
    with psycopg.connect(dsn) as session:  # as loading from the bus leaves it, while capture 2 is on its way
        session.execute(
            "INSERT INTO coinlake.loaded_captures VALUES (3, %s, 'venue', 'markets', now(), 1)",
            [late.capture.id],
        )
    assert warehouse.load(batch([late], [quote(late)], kind="replay")).quotes_new == 1
    with pytest.raises(TryAgain, match="capture 2 can be replayed once it has been loaded"):
        warehouse.load(batch([held(2), late], kind="replay"))


def test_a_batch_behind_another_position_is_turned_away(dsn: str, warehouse: PostgresWarehouse) -> None:
    warehouse.load(batch([held(1), held(2)]))
    for wrong in (held(1), held(7)):
        with pytest.raises(TryAgain, match="stands at position 2 of the lake"):
            warehouse.load(batch([wrong], [quote(wrong)]))
    assert rows(dsn, "SELECT count(*) FROM quotes") == [0]


def test_another_lake_is_refused(warehouse: PostgresWarehouse) -> None:
    warehouse.load(batch([held(1)]))
    with pytest.raises(FixConfiguration, match="must not mix"):
        warehouse.position(UUID(int=2))
    with pytest.raises(FixConfiguration, match="must not mix"):
        warehouse.load(batch([held(2)], lake_id=UUID(int=2)))


def test_what_fails_before_the_commit_leaves_nothing_and_can_be_done_again(
    dsn: str, warehouse: PostgresWarehouse
) -> None:
    one = held(1)
    work = batch([one], [quote(one)], [reject(one, "/1")])

    def killed() -> None:
        assert rows(dsn, "SELECT count(*) FROM quotes") == [0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        warehouse.load(work, staged=killed)
    for table in ("quotes", "candles", "latest_quotes", "dead_letters", "batches", "position"):
        assert rows(dsn, f"SELECT count(*) FROM {table}") == [0]
    assert warehouse.load(work).quotes_new == 1


@pytest.mark.parametrize(
    "wrong",
    [{"price": "12,5"}, {"asset": None}, {"as_of": None}, {"extra": "{"}, {"name": "a\0b"}, {"rank": "1.5"}],
    ids=str,
)
def test_a_value_that_the_server_refuses_is_named_and_nothing_is_loaded(
    dsn: str, warehouse: PostgresWarehouse, wrong: dict[str, str]
) -> None:
    one = held(1)
    with pytest.raises(Refused, match="refuses a value"):
        warehouse.load(batch([one], [quote(one, "/0"), quote(one, "/1", **{"asset": "tether"} | wrong)]))
    assert rows(dsn, "SELECT count(*) FROM quotes") == [0]
    assert warehouse.load(batch([one], [quote(one)])).quotes_new == 1


def test_a_session_that_the_server_ended_is_replaced(dsn: str, warehouse: PostgresWarehouse) -> None:
    one = held(1)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'coinlake load'"
    warehouse.position(LAKE)
    rows(dsn, end)
    with pytest.raises(TryAgain, match="cannot be used now"):
        warehouse.load(batch([one], [quote(one)]))
    assert warehouse.load(batch([one], [quote(one)])).quotes_new == 1
    rows(dsn, end)
    with pytest.raises(TryAgain, match="cannot be used now"):
        warehouse.position(LAKE)
    assert warehouse.position(LAKE) == 1


def test_of_two_loaders_with_the_same_batch_one_loads_and_one_is_told(
    dsn: str, warehouse: PostgresWarehouse
) -> None:
    one = held(1)
    work = batch([one], [quote(one)])
    outcome: list[str] = []

    def second_loader() -> None:
        try:
            PostgresWarehouse(dsn).load(work)
        except TryAgain as error:
            outcome.append(str(error))

    second = threading.Thread(target=second_loader)
    waiting = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )

    def until_the_second_waits() -> None:
        second.start()
        while rows(dsn, waiting) != [1]:
            assert second.is_alive()

    warehouse.load(work, staged=until_the_second_waits)
    second.join()
    assert "another program has loaded since" in outcome[0]
    assert rows(dsn, "SELECT count(*) FROM batches") == [1]


def test_a_full_disk_says_so(dsn: str, warehouse: PostgresWarehouse) -> None:
    one = held(1)

    def disk_fills_up() -> None:
        raise psycopg.errors.DiskFull("could not extend file")

    with pytest.raises(TryAgain, match="no space left"):
        warehouse.load(batch([one], [quote(one)]), staged=disk_fills_up)


def test_an_empty_batch_is_a_mistake(warehouse: PostgresWarehouse) -> None:
    with pytest.raises(ValueError, match="at least one capture"):
        warehouse.load(replace(batch([held(1)]), captures=[]))
