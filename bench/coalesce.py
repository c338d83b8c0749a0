"""What CONNECTOR_COALESCE_MS saves when many jobs ask for the same thing.

    python -m bench.coalesce [--jobs 400]

Bursts of 40 jobs put the same search to an API that takes 20 ms, each for itself and with a window
of 50 ms, alternating in one run. The figures are requests sent and time taken; their ratios are
what counts.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import dataclass

from aiohttp import web

from connector.authorization import Authorizer
from connector.client import Client
from connector.inputs import Policy, read_inputs
from connector.login import Logins
from connector.request import build
from connector.sharing import SharedReads
from runtime.clock import SystemClock
from runtime.http import HttpOptions, open_session
from runtime.oauth import TokenCache
from tests.kit.http import serving
from tests.kit.jobs import variables

BURST = 40
DELAY_S = 0.02
WINDOW_S = 0.05
PAGE = b'{"items":[],"sortValues":[],"total":0}'


@dataclass
class Figure:
    """What one way of asking costs."""

    requests: int = 0
    seconds: float = 0.0


async def measure(jobs: int) -> dict[str, Figure]:
    """Both ways, burst by burst."""
    figures = {"each for itself": Figure(), "shared": Figure()}
    asked = 0

    async def api(_request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        await asyncio.sleep(DELAY_S)
        return web.Response(body=PAGE)

    clock = SystemClock()
    async with (
        serving(api) as origin,
        open_session(HttpOptions()) as session,
        TokenCache(session, clock, lambda: 0.0) as tokens,
        Logins(session) as logins,
        SharedReads(clock, WINDOW_S, lambda: None) as sharing,
    ):
        authorizer = Authorizer(tokens, logins)
        clients = {
            "each for itself": Client(session, authorizer, clock, max_response_bytes=1000),
            "shared": Client(session, authorizer, clock, max_response_bytes=1000, sharing=sharing),
        }
        given = variables(cluster={"operateUrl": origin}, authentication={"type": "none"})
        request = build(read_inputs(given, Policy()))
        for _ in range(jobs // BURST):
            for way, client in clients.items():
                before, began_s = asked, time.perf_counter()
                await asyncio.gather(*[client.send(request, 30) for _ in range(BURST)])
                figures[way].seconds += time.perf_counter() - began_s
                figures[way].requests += asked - before
    return figures


def main() -> None:
    """Print both ways and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=400)
    jobs = parser.parse_args().jobs
    figures = asyncio.run(measure(jobs))
    print(f"{'way':16}{'jobs':>8}{'requests':>10}{'seconds':>10}")
    for way, figure in figures.items():
        print(f"{way:16}{jobs:>8}{figure.requests:>10}{figure.seconds:>10.3f}")
    alone, shared = figures.values()
    print(
        f"requests 1/{alone.requests / max(shared.requests, 1):.0f}, "
        f"time {shared.seconds / alone.seconds:.2f} of each for itself"
    )


if __name__ == "__main__":
    main()
