"""Fits in a process of its own: `python -m cti.chances.process`, arrays in, JSON out. Gone afterwards with all memory.

A process, because building features holds the interpreter for seconds and calls must not wait; its own program and
not a pool, because it can be killed when the service is told to end.
"""

import asyncio
import io
import json
import os
import sys
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from cti.chances.facts import Attempts
from cti.chances.fitting import Fitted, fit
from cti.chances.model import model_of
from cti.errors import CtiError
from cti.model.answer_chances import Bin, Measures

MOST_SECONDS: Final = 1800.0
_NICE: Final = 10
"""Calls go first."""


async def in_a_process(attempts: Attempts) -> Fitted:
    """Fit in a new process, which is killed when the caller is cancelled. Raises CtiError when it fails or hangs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cti.chances.process",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(MOST_SECONDS):
            said, _ = await process.communicate(packed(attempts))
    except TimeoutError:
        raise CtiError(f"the fit was not over after {MOST_SECONDS:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise CtiError(f"the process of the fit ended with status {process.returncode}; its words are above")
    return fitted_of(json.loads(said))


def packed(attempts: Attempts) -> bytes:
    """Return the arrays as numpy's file of files, without pickle."""
    file = io.BytesIO()
    np.savez(file, **{name: getattr(attempts, name) for name in Attempts.__slots__})
    return file.getvalue()


def unpacked(given: bytes) -> Attempts:
    """Read them again."""
    with np.load(io.BytesIO(given), allow_pickle=False) as arrays:
        return Attempts(**{name: arrays[name] for name in Attempts.__slots__})


def fitted_record(fitted: Fitted) -> dict[str, Any]:
    """Return what came of a fit as JSON values."""
    return asdict(fitted) | {"model": fitted.model.record() if fitted.model else None}


def fitted_of(record: dict[str, Any]) -> Fitted:
    """Read it again."""
    return Fitted(
        **record
        | {
            "measures": {name: Measures(**one) for name, one in record["measures"].items()},
            "bins": tuple(Bin(**one) for one in record["bins"]),
            "model": model_of(record["model"]) if record["model"] else None,
        }
    )


if __name__ == "__main__":
    os.nice(_NICE)
    sys.stdout.write(json.dumps(fitted_record(fit(unpacked(sys.stdin.buffer.read())))))
