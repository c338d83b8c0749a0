"""Jobs as Camunda's Operate templates make them."""

from __future__ import annotations

import orjson

from tests.kit.jobs import job

TEMPLATE_ID = "io.camunda.connectors.CamundaOperate.v1"
SEARCH = {
    "internal_endpoint": "/v1/process-instances",
    "internal_operation": "/search",
    "internal_results": "20",
}
GET = {
    "internal_endpoint": "/v1/incidents",
    "internal_operation": "/",
    "internal_key": "2251799813685732",
}


def authentication(origin="http://localhost:8081", **changed):
    """What a self-managed task brings."""
    return {
        "internal_deployment_type": "sm",
        "oauthTokenEndpoint": f"{origin}/token",
        "operate_base_url": origin,
        "type": "oauth-client-credentials-flow",
        "clientAuthentication": "credentialsBody",
        "clientId": "operate",
        "clientSecret": "s3cr3t",
        "audience": "operate-api",
        **changed,
    }


SAAS = {
    "internal_deployment_type": "saas",
    "internal_region": "bru-2",
    "internal_cluster": "7c8a-1",
    "oauthTokenEndpoint": "https://login.cloud.camunda.io/oauth/token",
    "type": "oauth-client-credentials-flow",
    "clientAuthentication": "credentialsBody",
    "clientId": "operate",
    "clientSecret": "s3cr3t",
    "audience": "operate.camunda.io",
}


def variables(origin="http://localhost:8081", input=SEARCH, **changed):
    """The variables of a self-managed search, with some of them changed."""
    return {
        "headers": {"Content-Type": "application/json"},
        "authentication": authentication(origin),
        "input": input,
        "method": "post",
        "url": f"{origin}/v1/process-instances/search",
        "connectionTimeoutInSeconds": "20",
        **changed,
    }


def official_job(given, headers=None, **options):
    """A job of the REST connector's type."""
    template = {"elementTemplateId": TEMPLATE_ID} if headers is None else headers
    assert orjson.dumps(given)
    return job(given, headers=template, **options)
