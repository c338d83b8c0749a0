from __future__ import annotations

from collections.abc import Mapping

from connector.client import Client
from connector.inputs import Inputs, Policy, read_inputs
from connector.request import Request, build
from connector.response import Response


class OperateConnector:
    """The Operate connector, stage by stage, for the pipeline to put in order."""

    def __init__(self, client: Client, policy: Policy) -> None:
        self._client = client
        self._policy = policy

    def read(self, variables: Mapping[str, object]) -> Inputs:
        """The inputs of a job; raises `InputError` with every fault."""
        return read_inputs(variables, self._policy)

    def build(self, inputs: Inputs) -> Request:
        """The API call that the inputs mean."""
        return build(inputs)

    async def send(self, request: Request, time_left_s: float) -> Response:
        """What the API answers; raises `CallError`."""
        return await self._client.send(request, time_left_s)
