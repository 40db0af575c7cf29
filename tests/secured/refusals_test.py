"""A wrong password, a missing right, a wrong certificate: one message at the start, and its exit code."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from secured.chain import PRODUCER, Chain
from servers.certificates import make_authority

pytestmark = pytest.mark.timeout(800)  # the first test of a machine fetches Spark, 450 MB

TIMEOUT_S = 60
NEEDS_A_PERSON = 3
WRONG = "not-the-password"

KAFKA = [
    ({"PASSWORD": WRONG}, r"refuses us: .*[Aa]uthentication failed.* bus\.password"),
    (
        {"SECURITY_PROTOCOL": "PLAINTEXT"},
        r"speaks TLS, and bus\.security_protocol is PLAINTEXT: set it to SASL_SSL",
    ),
    ({"CA_FILE": "another"}, r"refuses us: .*certificate verify failed.* bus\.ca_file"),
    ({"SERVERS": "open"}, r"speaks no TLS, and bus\.security_protocol is SASL_SSL"),
]
"""Settings of the bus that are wrong, and what is said of each."""


def changed(chain: Chain, environment: Mapping[str, str], bus: Mapping[str, str]) -> dict[str, str]:
    """An environment with other settings of the bus."""
    stands_for = {
        "another": str(make_authority(chain.guarded.folder / "another")),
        "open": chain.guarded.kafka.bootstrap_servers,
    }
    wrong = {f"COINLAKE_BUS__{name}": stands_for.get(value, value) for name, value in bus.items()}
    dropped = {"COINLAKE_BUS__PASSWORD_FILE"} if "PASSWORD" in bus else set()
    return {name: value for name, value in environment.items() if name not in dropped} | wrong


def refusal(chain: Chain, module: str, environment: Mapping[str, str]) -> str:
    """What a program says that is refused at its start."""
    done = subprocess.run(
        [sys.executable, "-m", module, f"--config={chain.guarded.config}"],
        env=dict(environment),
        cwd=chain.guarded.folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    return one_message(chain, done)


def one_message(chain: Chain, done: subprocess.CompletedProcess[str]) -> str:
    """What it said, once it is seen to be one message without a trace and without a secret."""
    said = done.stdout + done.stderr
    assert done.returncode == NEEDS_A_PERSON, said
    assert "Traceback" not in said
    assert not [name for name, secret in chain.guarded.secrets.items() if secret in said]
    assert WRONG not in said
    return said


@pytest.mark.parametrize(("bus", "said"), KAFKA)
def test_the_producer_says_what_kafka_refuses(chain: Chain, bus: dict[str, str], said: str) -> None:
    environment = changed(chain, chain.producer_environment(), bus)
    assert _matches(said, refusal(chain, PRODUCER, environment))


@pytest.mark.parametrize(("bus", "said"), KAFKA)
def test_the_spark_program_says_what_kafka_refuses_before_spark_starts(
    chain: Chain, bus: dict[str, str], said: str
) -> None:
    environment = changed(chain, chain.spark_environment(chain.loader_dsn), bus)
    assert _matches(said, refusal(chain, "coinlake_spark.main", environment))


@pytest.mark.parametrize(("bus", "said"), KAFKA)
def test_the_command_line_says_what_kafka_refuses(chain: Chain, bus: dict[str, str], said: str) -> None:
    program = chain.guarded.program("writer", "admin", chain.guarded.postgres.dsn)
    environment = changed(chain, program.environment, bus)
    assert _matches(said, one_message(chain, type(program)(program.home, environment)("bus", "init")))


def test_a_right_that_is_missing_in_kafka_is_named(chain: Chain) -> None:
    guarded = chain.guarded
    environment = chain.producer_environment() | guarded.kafka_login("spark")
    assert "gives user spark no right to topic coinlake.captures: Write is missing" in refusal(
        chain, PRODUCER, environment
    )
    environment = chain.spark_environment(chain.loader_dsn) | guarded.kafka_login("producer")
    assert "gives user producer no right to topic coinlake.captures: Read is missing" in refusal(
        chain, "coinlake_spark.main", environment
    )
    done = guarded.program("writer", "producer", guarded.postgres.dsn)("bus", "init")
    # It has the topic already, as it should be: only a change would be refused.
    assert done.returncode == 0, done.stderr


def test_mongodb_s_refusals_name_user_and_role(chain: Chain) -> None:
    guarded = chain.guarded
    wrong = guarded.lake_url("reader").replace(guarded.secrets["reader of MongoDB"], WRONG)
    environment = chain.producer_environment() | {"COINLAKE_LAKE__URL": wrong}
    assert "refuses the login of user reader" in refusal(chain, PRODUCER, environment)
    environment = chain.producer_environment() | {"COINLAKE_LAKE__URL": guarded.lake_url("writer")}
    assert "gives user writer no right to this" in refusal(chain, PRODUCER, environment)
    program = guarded.program("reader", "admin", guarded.postgres.dsn)
    assert "gives user reader no right to this" in one_message(chain, program("lake", "init"))


def test_postgresql_s_refusals_name_the_setting_and_the_role(chain: Chain) -> None:
    guarded = chain.guarded
    wrong = chain.loader_dsn.replace(guarded.secrets["loader of PostgreSQL"], WRONG)
    said = refusal(chain, "coinlake_spark.main", chain.spark_environment(wrong))
    assert _matches(r"password authentication failed.*`warehouse\.dsn`", said)
    nobody = guarded.warehouse("nobody", None)
    said = refusal(chain, "coinlake_spark.main", chain.spark_environment(nobody))
    assert _matches(r"gives .* no right to this.*coinlake_loader", said)
    said = one_message(chain, guarded.program("writer", "admin", wrong)("status"))
    assert _matches(r"password\s+authentication\s+failed", said)


def test_a_ca_file_that_is_not_there_is_named(chain: Chain) -> None:
    missing = str(Path(chain.guarded.folder, "nowhere.pem"))
    environment = changed(chain, chain.producer_environment(), {"CA_FILE": missing})
    said = refusal(chain, PRODUCER, environment)
    assert "nowhere.pem" in said
    assert "bus.ca_file" in said


def _matches(pattern: str, said: str) -> bool:
    assert re.search(pattern, " ".join(said.split())), said
    return True
