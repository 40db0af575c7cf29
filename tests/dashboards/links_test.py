"""From a row to its trace and its logs: every link leads to a dashboard that takes what it is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from dashboards.expressions import dashboards

BY_UID = {made["uid"]: made for made in dashboards()}
GRAFANAS_OWN = {"__url_time_range"}


def links() -> Iterator[Any]:
    """Every link of a column, with its panel and its dashboard."""
    for made in BY_UID.values():
        for panel in made["panels"]:
            for override in panel.get("fieldConfig", {}).get("overrides", ()):
                for given in override["properties"]:
                    if given["id"] == "links":
                        for link in given["value"]:
                            where = f"{made['uid']}: {panel['title']}: {override['matcher']['options']}"
                            yield pytest.param(made, panel, link, id=where)


def variables(made: dict[str, Any]) -> set[str]:
    """The names of a dashboard's variables."""
    return {one["name"] for one in made["templating"].get("list", ())}


@pytest.mark.parametrize(("made", "panel", "link"), list(links()))
def test_a_link_leads_to_a_dashboard_with_the_variables_that_it_gives(
    made: dict[str, Any], panel: dict[str, Any], link: dict[str, Any]
) -> None:
    # "&${__url_time_range}" keeps the shown time, and is no parameter by itself.
    url = urlsplit(link["url"])
    uid = url.path.removeprefix("/d/")
    assert uid in BY_UID
    given = {
        name.removeprefix("var-"): value for name, value in parse_qsl(url.query) if name.startswith("var-")
    }
    assert given
    assert given.keys() <= variables(BY_UID[uid])
    sql = panel["targets"][0]["rawSql"]
    for value in given.values():
        (word,) = re.findall(r"^\$\{([\w.]+)\}$", value)
        column = word.removeprefix("__data.fields.")
        known = (
            column in variables(made) if column == word else re.search(rf"\bAS {column}\b|\b{column},", sql)
        )
        assert known, f"there is no {word}"
    assert link["url"].endswith("&${__url_time_range}")


def test_every_dashboard_has_the_way_to_the_others_and_marks_incidents() -> None:
    for made in BY_UID.values():
        (link,) = made["links"]
        assert (link["type"], link["tags"], link["keepTime"]) == ("dashboards", ["coinlake"], True)
        assert made["tags"] == ["coinlake"]
        assert [one["name"] for one in made["annotations"]["list"]] == ["Incidents"]
        assert made["timezone"] == "utc"
        assert not made["editable"]


def test_every_variable_is_used_and_every_use_has_a_variable() -> None:
    for made in BY_UID.values():
        text = str(made["panels"]) + str([one.get("query", "") for one in made["templating"]["list"]])
        used = set(re.findall(r"\$\{?([a-z]\w*)", text))
        assert used == variables(made), made["uid"]
