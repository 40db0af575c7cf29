"""`coinlake sources`: what can be fetched."""

from __future__ import annotations

from dataclasses import asdict, astuple

from coinlake.settings import Settings
from coinlake.source import Source
from coinlake_cli.deployment import load_plugins, opened
from coinlake_cli.output import Output, Table


def unmapped(settings: Settings, output: Output) -> None:
    """Shows what the venues have that the map of assets does not name, so that nothing compares it."""
    with opened(settings) as deployment:
        found = deployment.reader.unmapped()
    columns = ("source", "asset", "quote_currency", "instrument", "status")
    output.show(
        [asdict(each) for each in found],
        Table("Not in the map of assets", columns, [astuple(each) for each in found], frozenset()),
    )


def sources(settings: Settings, output: Output) -> None:
    """Shows each installed source, whether it is configured, and its datasets and limits."""
    plugins = load_plugins(settings)
    configured = {name: plugins.make_source(name, given) for name, given in settings.sources.items()}
    document = [
        {"source": name, "configured": False} for name in sorted(plugins.sources.keys() - configured.keys())
    ]
    document = [entry for source in configured.values() for entry in _datasets(source)] + document
    columns = ("source", "version", "dataset", "every", "calls_per_slot", "credits_per_month", "root")
    output.show(
        document,
        Table(
            "Sources",
            columns,
            [[entry.get(column) for column in columns] for entry in document],
            frozenset({"calls_per_slot", "credits_per_month"}),
        ),
    )


def _datasets(source: Source) -> list[dict[str, object]]:
    return [
        {
            "source": source.name,
            "configured": True,
            "version": source.version,
            "dataset": dataset.name,
            "every": dataset.cadence,
            "calls_per_slot": dataset.calls_per_slot,
            "credits_per_month": source.limits.credits_per_month,
            "root": source.root,
        }
        for dataset in source.datasets.values()
    ]
