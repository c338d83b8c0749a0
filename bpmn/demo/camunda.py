from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from aiohttp import ClientError, ClientSession

from bpmn.demo.errors import StoryFailedError

CLIENT_ID: Final = "operate"
CLIENT_SECRET: Final = "secret"  # noqa: S105 - devstack's documented client
_FAILURES_FROM: Final = 400
_PAGE: Final = 100


class Camunda:
    """What the demo itself asks of the cluster's HTTP APIs, with a token of its own.

    An answer that is no success, or none at all, raises `StoryFailedError`.
    """

    def __init__(self, session: ClientSession, base_url: str, token_url: str) -> None:
        self._session = session
        self._base_url = base_url
        self._token_url = token_url
        self._headers: dict[str, str] = {}

    async def log_in(self) -> None:
        """Fetch the token that the other calls show."""
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "audience": "operate-api",
        }
        answer = await self._post(self._token_url, form, {})
        self._headers = {"Authorization": f"Bearer {answer['access_token']}"}

    async def instance(self, key: int) -> Mapping[str, Any] | None:
        """A process instance, or None when Operate does not know it (yet)."""
        return next(iter(await self._search("process-instances", {"key": key})), None)

    async def flow_nodes(self, instance_key: int) -> list[dict[str, Any]]:
        """The flow node instances of a process instance, in the order in which they came."""
        return await self._search("flownode-instances", {"processInstanceKey": instance_key})

    async def incidents(self) -> list[dict[str, Any]]:
        """All open incidents."""
        return await self._search("incidents", {"state": "ACTIVE"})

    async def variables(self, instance_key: int) -> dict[str, Any]:
        """The variables of a process instance, without those of its elements."""
        found = await self._search(
            "variables", {"processInstanceKey": instance_key, "scopeKey": instance_key}
        )
        return {variable["name"]: orjson.loads(variable["value"]) for variable in found}

    async def user_task(self, instance_key: int) -> int | None:
        """The key of the user task that an instance waits at, or None when it waits at none."""
        filter_ = {"processInstanceKey": str(instance_key), "state": "CREATED"}
        found = await self._ask("/v2/user-tasks/search", {"filter": filter_})
        return next((int(task["userTaskKey"]) for task in found["items"]), None)

    async def complete_user_task(self, key: int, variables: Mapping[str, object]) -> None:
        """Complete a user task as Tasklist does."""
        await self._ask(f"/v2/user-tasks/{key}/completion", {"variables": variables})

    async def _search(self, path: str, filter_: Mapping[str, object]) -> list[dict[str, Any]]:
        query = {"filter": filter_, "size": _PAGE}
        found: list[dict[str, Any]] = (await self._ask(f"/v1/{path}/search", query))["items"]
        return found

    async def _ask(self, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON
        headers = {"Content-Type": "application/json", **self._headers}
        return await self._post(f"{self._base_url}{path}", orjson.dumps(body), headers)

    async def _post(
        self,
        url: str,
        data: bytes | Mapping[str, str],
        headers: Mapping[str, str],
    ) -> Any:  # noqa: ANN401 - JSON
        try:
            async with self._session.post(url, data=data, headers=headers) as response:
                answer = await response.read()
        except (ClientError, TimeoutError) as error:
            raise StoryFailedError(f"POST {url} was not answered: {error!r}") from error
        if response.status >= _FAILURES_FROM:
            text = answer.decode(errors="replace")
            raise StoryFailedError(f"POST {url} was answered {response.status}: {text}")
        return orjson.loads(answer) if answer else None
