"""An import as a row, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from cti.model.doubles import DoubleKey, DoubleRule, Doubles, DoubleScope
from cti.model.imports import FileFormat, Import, ImportCounts, ImportOrder, ImportState, ReadFile, UndoCounts

ASKED: Final = ("region", "priority", "encoding")


def order_values(order: ImportOrder) -> dict[str, Any]:
    """Return the columns of what was asked for."""
    doubles = order.doubles
    asked = {name: getattr(order, name) for name in ASKED} | {
        "format": order.format.value,
        "mapping": dict(order.mapping),
        "doubles": [doubles.rule.value, doubles.scope.value, doubles.key.value],
    }
    return {
        "campaign_id": order.campaign_id,
        "name": order.name,
        "source": order.source,
        "asked": asked,
        "dry_run": order.dry_run,
        "by": order.by,
    }


def read_record(read: ReadFile) -> dict[str, Any]:
    """Return it as JSON values. The order of columns is kept: JSON of PostgreSQL sorts the keys of an object."""
    return asdict(read) | {"columns": [list(column) for column in read.columns.items()]}


def counts_record(counts: ImportCounts) -> dict[str, Any]:
    """Return it as JSON values."""
    return asdict(counts) | {"refused": dict(counts.refused)}


def import_of(row: Mapping[Any, Any]) -> Import:
    """Return the import that a row holds."""
    read = row["read"]
    return Import(
        id=row["id"],
        order=_order(row),
        file=row["file"],
        size_bytes=row["size_bytes"],
        state=ImportState(row["state"]),
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        list_id=row["list_id"],
        read=ReadFile(**read | {"columns": dict(read["columns"])}) if read else None,
        position=row["position"],
        rows_done=row["rows_done"],
        counts=ImportCounts(**row["counts"]),
        samples=tuple(row["samples"]),
        error=row["error"],
        undone_at=row["undone_at"],
        undone_by=row["undone_by"],
        undo=UndoCounts(**row["undo"]) if row["undo"] else None,
    )


def _order(row: Mapping[Any, Any]) -> ImportOrder:
    asked = row["asked"]
    rule, scope, key = asked["doubles"]
    return ImportOrder(
        campaign_id=row["campaign_id"],
        name=row["name"],
        source=row["source"],
        dry_run=row["dry_run"],
        by=row["by"],
        format=FileFormat(asked["format"]),
        mapping=asked["mapping"],
        doubles=Doubles(rule=DoubleRule(rule), scope=DoubleScope(scope), key=DoubleKey(key)),
        **{name: asked[name] for name in ASKED},
    )
