"""Forms of answers that several nouns share: CSV that streams, tables."""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from aiohttp import web

from cti.model.call_record import moment
from cti.model.findings import Finding
from cti.model.spreadsheet import csv_text
from cti.model.tables import Cell, Table

CSV_TYPE: Final = "text/csv; charset=utf-8"
_PIECE: Final = 16_384


class Format(StrEnum):
    """How an answer is wanted."""

    JSON = "json"
    CSV = "csv"


async def stream_csv(request: web.Request, name: str, lines: AsyncIterator[str]) -> web.StreamResponse:
    """Send lines as they come; an error before the first line is still answered as an error."""
    response = web.StreamResponse(headers=_csv_headers(name))
    piece = await anext(lines)
    await response.prepare(request)
    async for line in lines:
        piece += line
        if len(piece) >= _PIECE:
            await response.write(piece.encode())
            piece = ""
    await response.write(piece.encode())
    await response.write_eof()
    return response


def table_answer(table: Table, form: Format, name: str) -> web.Response:
    """Return a table as JSON `{"title", "columns", "rows": [{column: value}]}` or as CSV."""
    if form is Format.CSV:
        return web.Response(text=csv_text(table.columns, table.rows), headers=_csv_headers(name))
    return web.json_response(table_record(table))


def table_record(table: Table) -> dict[str, Any]:
    """Return a table as JSON values; each row is an object."""
    rows = [
        {column: _json(cell) for column, cell in zip(table.columns, row, strict=True)} for row in table.rows
    ]
    return {"title": table.title, "columns": list(table.columns), "rows": rows}


def finding_record(finding: Finding) -> dict[str, Any]:
    """Return what a check found as JSON values."""
    return {"subject": finding.subject, "ok": finding.ok, "message": finding.message, "mend": finding.mend}


def _json(cell: Cell) -> Any:
    return moment(cell) if isinstance(cell, datetime) else cell


def _csv_headers(name: str) -> dict[str, str]:
    return {"Content-Type": CSV_TYPE, "Content-Disposition": f'attachment; filename="{name}"'}
