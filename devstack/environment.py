from __future__ import annotations

from collections.abc import Mapping

from devstack.stack import Stack


def client_environment(stack: Stack) -> Mapping[str, str]:
    """The environment variables by which Camunda's clients find a running stack."""
    return {
        "CAMUNDA_CLIENT_GRPC_ADDRESS": f"http://{stack.grpc_address}",
        "CAMUNDA_CLIENT_REST_ADDRESS": stack.http_url,
        "CAMUNDA_CLIENT_AUTH_METHOD": "oidc" if stack.options.gateway_requires_token else "none",
        "CAMUNDA_CLIENT_AUTH_TOKEN_URL": stack.token_url,
        "CAMUNDA_CLIENT_AUTH_CLIENT_ID": "operate",
        "CAMUNDA_CLIENT_AUTH_CLIENT_SECRET": "secret",
        "ZEEBE_ADDRESS": stack.grpc_address,
    }
