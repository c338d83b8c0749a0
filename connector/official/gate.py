from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from connector.official.template import is_operate_call
from worker.job import Job, log_fields
from worker.outcome import Fail, Outcome

HAND_BACK_MS = 5_000
"""How long a job that is not ours waits until somebody may take it.

Long enough that two workers do not play ping-pong with it, short enough for a process to bear.
"""

_REMEDY = (
    "This task is no Operate call, and the worker that took it answers none but those. Run "
    "Camunda's connector runtime beside it for the other REST tasks. If both are to share a "
    "cluster, give the Operate tasks a job type of their own and set CONNECTOR_HTTP_REST_TYPE to "
    "it, or move them to the template of operate-connector and set "
    "CONNECTOR_OFFICIAL_TEMPLATES=false."
)

_log = structlog.get_logger("connector")


class OfficialJobs:
    """Takes the jobs of Camunda's Operate templates and gives back all others.

    Nothing of a foreign job is acted upon: its secrets are not looked up, its error expression is
    not asked, and its retries stay what they are.
    """

    def __init__(
        self,
        handle: Callable[[Job], Awaitable[Outcome]],
        handed_back: Callable[[Job], None],
    ) -> None:
        """`handle` does an Operate call; `handed_back` is told of each job that is none."""
        self._handle = handle
        self._handed_back = handed_back

    async def handle(self, job: Job) -> Outcome:
        """Do `job` if it is an Operate call; give it back at once if not."""
        if is_operate_call(job):
            return await self._handle(job)
        self._handed_back(job)
        _log.warning("job is no Operate call", remedy=_REMEDY, **log_fields(job))
        return Fail(retries=job.retries, message=_REMEDY, backoff_ms=HAND_BACK_MS)
