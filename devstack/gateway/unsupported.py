from __future__ import annotations

from pyzeebe.proto import gateway_pb2 as pb
from pyzeebe.proto.gateway_pb2_grpc import GatewayServicer
from typing_extensions import override

from devstack.errors import UnsupportedError
from devstack.gateway.refusals import Context, refusing


class UnsupportedCalls(GatewayServicer):
    """The calls that Zeebe has and this gateway has not: UNIMPLEMENTED, with what is missing."""

    @override
    @refusing
    async def PublishMessage(
        self,
        request: pb.PublishMessageRequest,
        context: Context,
    ) -> pb.PublishMessageResponse:
        raise UnsupportedError("messages are not supported by devstack")

    @override
    @refusing
    async def BroadcastSignal(
        self,
        request: pb.BroadcastSignalRequest,
        context: Context,
    ) -> pb.BroadcastSignalResponse:
        raise UnsupportedError("signals are not supported by devstack")

    @override
    @refusing
    async def EvaluateDecision(
        self,
        request: pb.EvaluateDecisionRequest,
        context: Context,
    ) -> pb.EvaluateDecisionResponse:
        raise UnsupportedError("decisions (DMN) are not supported by devstack")

    @override
    @refusing
    async def ModifyProcessInstance(
        self,
        request: pb.ModifyProcessInstanceRequest,
        context: Context,
    ) -> pb.ModifyProcessInstanceResponse:
        raise UnsupportedError("modifying process instances is not supported by devstack")

    @override
    @refusing
    async def MigrateProcessInstance(
        self,
        request: pb.MigrateProcessInstanceRequest,
        context: Context,
    ) -> pb.MigrateProcessInstanceResponse:
        raise UnsupportedError("migrating process instances is not supported by devstack")

    @override
    @refusing
    async def DeleteResource(
        self,
        request: pb.DeleteResourceRequest,
        context: Context,
    ) -> pb.DeleteResourceResponse:
        raise UnsupportedError("deleting resources is not supported; restart for an empty cluster")
