"""Where Airflow finds our DAGs and plugins, as settings for a shell to take.

eval "$(PEX_MODULE=coinlake_airflow.folders airflow.pex)"
"""

from __future__ import annotations

import shlex
from pathlib import Path

_PACKAGE = Path(__file__).parent


def settings() -> dict[str, str]:
    """The environment variables by name."""
    return {
        "AIRFLOW__CORE__DAGS_FOLDER": str(_PACKAGE / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(_PACKAGE / "plugins"),
    }


if __name__ == "__main__":
    for name, folder in settings().items():
        print(f"export {name}={shlex.quote(folder)}")
