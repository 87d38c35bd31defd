"""Puts the API together and opens its port."""

import errno
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakSet

from aiohttp import web

from cti.errors import SettingsError
from cti.model.access import Grant
from cti.web import dial_page, live
from cti.web.api import (
    agents,
    bulk,
    callbacks,
    calls,
    campaigns,
    chances,
    compliance,
    contact_history,
    contacts,
    crm,
    crm_look_ups,
    crm_pulls,
    crm_run_work,
    crm_runs,
    dial,
    dialing,
    dictionaries,
    do_not_call,
    floor,
    imports,
    leads,
    lines,
    ownership,
    quality_calls,
    quality_cards,
    quality_queue,
    quality_reviews,
    quality_rules,
    recordings,
    recycling,
    reports,
    transcription,
    transcripts,
    views,
    webhooks,
    why,
)
from cti.web.auth import GRANTS
from cti.web.bodies import MAX_BODY_BYTES
from cti.web.deps import DEPS, Deps
from cti.web.errors import errors_to_json

PREFIX: Final = "/api/v1"
NOUNS: Final = (
    agents.routes,
    campaigns.routes,
    imports.routes,
    leads.routes,
    compliance.routes,
    do_not_call.routes,
    ownership.routes,
    lines.routes,
    dialing.routes,
    chances.routes,
    calls.routes,
    recordings.routes,
    transcripts.routes,
    bulk.routes,
    contacts.routes,
    contact_history.routes,
    crm.routes,
    crm_pulls.routes,
    crm_runs.routes,
    crm_run_work.routes,
    crm_look_ups.routes,
    views.routes,
    dictionaries.routes,
    recycling.routes,
    why.routes,
    callbacks.routes,
    reports.routes,
    transcription.routes,
    quality_rules.routes,
    quality_cards.routes,
    quality_calls.routes,
    quality_queue.routes,
    quality_reviews.routes,
    floor.routes,
    webhooks.routes,
    dial.routes,
    live.routes,
)


def make_app(parts: Deps, grants: Sequence[Grant]) -> web.Application:
    """Return the API as an application that is not served yet."""
    app = web.Application(middlewares=[errors_to_json], client_max_size=MAX_BODY_BYTES)
    app[DEPS] = parts
    app[GRANTS] = tuple(grants)
    app[live.SOCKETS] = WeakSet()
    app.on_shutdown.append(live.say_goodbye)
    for routes in NOUNS:
        app.router.add_routes(
            [
                web.RouteDef(route.method, PREFIX + route.path, route.handler, route.kwargs)
                for route in routes
                if isinstance(route, web.RouteDef)
            ]
        )
    app.router.add_routes(dial_page.routes)
    return app


@asynccontextmanager
async def serving(app: web.Application, *, host: str, port: int) -> AsyncIterator[str]:
    """Serve for as long as the block lasts; gives the URL. Port 0 takes a free one.

    Raises SettingsError when the port cannot be opened.
    """
    # a query of Chinese has nine bytes a letter; what is too long is to be refused in words, not by the parser
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0, max_line_size=MAX_BODY_BYTES)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        bound = runner.addresses[0]
        yield f"http://{f'[{bound[0]}]' if ':' in bound[0] else bound[0]}:{bound[1]}"
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        taken = (
            "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be opened: {error}"
        )
        raise SettingsError(f"api.port: {host}:{port} {taken}") from error
