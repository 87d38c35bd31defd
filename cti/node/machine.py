"""Checks of this machine: folders, database, port. Every function that touches a disk belongs in a thread."""

import errno
import http.client
import json
import os
import secrets
import shutil
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from cti.errors import CtiError
from cti.model.findings import Finding

_LEAST_FREE_BYTES: Final = 1 << 30
"""About nine hours of recordings."""
_ANSWER_SECONDS: Final = 2.0
_LONGEST_ANSWER: Final = 4096


def writable_folder(folder: Path) -> Finding:
    """Prove that recordings can be kept here, by keeping a file for a moment."""
    subject = "recordings folder"
    mend = f"make {folder} writable for the account of this service, or set `recording.folder`"
    trial = folder / f".check-{secrets.token_hex(4)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(b"check")
        trial.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(node="", subject=subject, ok=False, message=f"{folder}: {error.strerror}", mend=mend)
    told = f"{folder} is writable, {free / (1 << 30):.1f} GiB are free"
    if free < _LEAST_FREE_BYTES:
        return Finding(
            node="", subject=subject, ok=False, message=told, mend="free some space: an hour is 110 MB"
        )
    return Finding(node="", subject=subject, ok=True, message=told)


def node_folder(
    node: str, subject: str, folder: Path | None, setting: str, *, emptied: bool
) -> Finding | None:
    """Say what is wrong with a node's folder as it is seen from here; None when nothing is.

    `emptied`: files are taken out of it, so it must be writable, too.
    """
    mend = (
        f"set `{setting}` of the node to where that folder is seen from this machine (the same machine, a mount, "
        "a copy), readable" + (" and writable" if emptied else "") + " for this service's account"
    )
    if folder is None:
        told = "the settings do not say where it is"
        return Finding(node=node, subject=subject, ok=False, message=told, mend=mend)
    if not folder.is_dir():
        return Finding(
            node=node, subject=subject, ok=False, message=f"there is no folder {folder}", mend=mend
        )
    if not os.access(folder, os.R_OK | os.X_OK | (os.W_OK if emptied else 0)):
        told = f"this service may not {'take files out of' if emptied else 'read'} {folder}"
        return Finding(node=node, subject=subject, ok=False, message=told, mend=mend)
    return None


def api_address(host: str, port: int) -> Finding:
    """Prove that the API can listen where it is told to, or that this service listens there already. Blocks."""
    subject = f"API address {host}:{port}"
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE and (version := _own_version(host, port)):
            return Finding(
                node="", subject=subject, ok=True, message=f"this service runs there, version {version}"
            )
        mend = "end what listens there, or set `api.host` and `api.port`"
        return Finding(node="", subject=subject, ok=False, message=f"{error.strerror or error}", mend=mend)
    return Finding(node="", subject=subject, ok=True, message="it is free")


def _own_version(host: str, port: int) -> str | None:
    """Return the version of this service that answers there, None when something else does."""
    asked = http.client.HTTPConnection(host, port, timeout=_ANSWER_SECONDS)
    try:
        asked.request("GET", "/api/v1/health")
        told = json.loads(asked.getresponse().read(_LONGEST_ANSWER))
        return str(told["version"]) if "status" in told else None
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return None
    finally:
        asked.close()


async def database(reach: Callable[[], Awaitable[object]]) -> Finding:
    """Prove that the database answers."""
    try:
        await reach()
    except CtiError as error:
        mend = "check `database.url`, and that the server is up and lets this account in"
        return Finding(node="", subject="database", ok=False, message=str(error), mend=mend)
    return Finding(node="", subject="database", ok=True, message="it answers")
