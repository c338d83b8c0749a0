from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from bpmn.demo.errors import StoryFailedError
from runtime.clock import Clock

_STEP_S: Final = 0.1
_Found = TypeVar("_Found")


async def until(
    look: Callable[[], Awaitable[_Found | None]],
    what: str,
    clock: Clock,
    *,
    within_s: float = 60.0,
) -> _Found:
    """Look again and again until there is something to see, and give it.

    Raises:
        StoryFailedError: `what` did not happen `within_s` seconds.
    """
    give_up_s = clock.monotonic_s() + within_s
    while (found := await look()) is None:
        if clock.monotonic_s() >= give_up_s:
            raise StoryFailedError(f"{what} did not happen within {within_s:g} s")
        await clock.sleep(_STEP_S)
    return found
