from __future__ import annotations

import pytest

from exporter.event import INTENTS, Selection
from exporter.settings import ExporterSettings, load_settings
from runtime.settings import SettingsError, describe, redacted

ENOUGH = {
    "APP_INTEGRATIONS_URL": "http://backend.example/events",
    "APP_INTEGRATIONS_SOURCE": "file:///records.jsonl",
}
UPSTREAM = "ZEEBE_BROKER_EXPORTERS_APPINTEXPORTER_ARGS_"


def faults(**more) -> dict[str, str]:
    """What is wrong, by variable."""
    with pytest.raises(SettingsError) as refusal:
        load_settings(ENOUGH | more)
    return {fault.variable: f"{fault.problem}; {fault.remedy}" for fault in refusal.value.faults}


def test_defaults_are_upstreams():
    """What upstream has a default for has the same here."""
    settings = load_settings(ENOUGH)
    assert (settings.continue_on_error, settings.max_retries) == (True, 2)
    assert (settings.retry_delay_ms, settings.request_timeout_ms) == (1500, 5000)
    assert (settings.batch_size, settings.batch_interval_ms) == (50, 2000)
    assert settings.max_batches_in_flight == 2
    assert (settings.oauth_connect_timeout_ms, settings.oauth_read_timeout_ms) == (5000, 5000)
    assert settings.management_port == 9602
    assert settings.selection == Selection(("USER_TASK",))
    assert settings.later == {408, 425, 429}


def test_upstreams_variables_are_taken():
    """Each option of upstream's exporter is read under the name that deployments have for it."""
    settings = load_settings(
        {
            "APP_INTEGRATIONS_SOURCE": "file:///r",
            f"{UPSTREAM}URL": "https://b.example/e",
            f"{UPSTREAM}OAUTH_CLIENTID": "id",
            f"{UPSTREAM}OAUTH_CLIENTSECRET": "secret",
            f"{UPSTREAM}OAUTH_AUTHORIZATIONSERVERURL": "https://login.example/token",
            f"{UPSTREAM}OAUTH_AUDIENCE": "audience",
            f"{UPSTREAM}OAUTH_SCOPE": "scope",
            f"{UPSTREAM}OAUTH_RESOURCE": "resource",
            f"{UPSTREAM}OAUTH_CONNECTTIMEOUTMS": "100",
            f"{UPSTREAM}OAUTH_READTIMEOUTMS": "200",
            f"{UPSTREAM}CLUSTERID": "cluster",
            f"{UPSTREAM}CONTINUEONERROR": "false",
            f"{UPSTREAM}MAXRETRIES": "5",
            f"{UPSTREAM}RETRYDELAYMS": "10",
            f"{UPSTREAM}REQUESTTIMEOUTMS": "20",
            f"{UPSTREAM}BATCHSIZE": "30",
            f"{UPSTREAM}BATCHINTERVALMS": "40",
            f"{UPSTREAM}MAXBATCHESINFLIGHT": "6",
            f"{UPSTREAM}APIKEY": "",
        }
    )
    assert settings.url == "https://b.example/e"
    assert settings.oauth.token_url == "https://login.example/token"
    assert (settings.oauth.client_id, settings.oauth.resource) == ("id", "resource")
    assert settings.continue_on_error is False
    assert (settings.max_retries, settings.retry_delay_ms) == (5, 10)
    assert (settings.request_timeout_ms, settings.batch_size) == (20, 30)
    assert (settings.batch_interval_ms, settings.max_batches_in_flight) == (40, 6)
    assert settings.context == (("X-Cluster-Id", "cluster"),)


def test_upstreams_exporter_may_have_another_id():
    """The id in upstream's names is the one that the deployment has given its exporter."""
    environ = {
        "APP_INTEGRATIONS_SOURCE": "file:///r",
        "APP_INTEGRATIONS_UPSTREAM_ID": "teams",
        "ZEEBE_BROKER_EXPORTERS_TEAMS_ARGS_URL": "https://b.example/e",
    }
    assert load_settings(environ).url == "https://b.example/e"
    with pytest.raises(SettingsError, match="ZEEBE_BROKER_EXPORTERS_TEAMS_ARGS_BATCHSIZE"):
        load_settings(environ | {"ZEEBE_BROKER_EXPORTERS_TEAMS_ARGS_BATCHSIZ": "3"})


def test_everything_that_contradicts_is_told_at_once():
    """All faults are listed together, each with the name to change and what to change it to."""
    found = faults(
        APP_INTEGRATIONS_API_KEY="key",
        APP_INTEGRATIONS_OAUTH_CLIENT_ID="id",
        APP_INTEGRATIONS_BATCH_SIZE="0",
        APP_INTEGRATIONS_MAX_BATCHES_IN_FLIGHT="0",
        APP_INTEGRATIONS_REQUEST_TIMEOUT_MS="0",
        APP_INTEGRATIONS_SOURCE="flie:///r",
        APP_INTEGRATIONS_EVENTS="USERTASK",
        APP_INTEGRATIONS_BATCHSIZE="5",
    )
    assert "only one of" in found["APP_INTEGRATIONS_API_KEY"]
    assert "did you mean file://?" in found["APP_INTEGRATIONS_SOURCE"]
    assert "did you mean USER_TASK?" in found["APP_INTEGRATIONS_EVENTS"]
    assert "did you mean APP_INTEGRATIONS_BATCH_SIZE?" in found["APP_INTEGRATIONS_BATCHSIZE"]
    assert {
        "APP_INTEGRATIONS_BATCH_SIZE",
        "APP_INTEGRATIONS_MAX_BATCHES_IN_FLIGHT",
        "APP_INTEGRATIONS_REQUEST_TIMEOUT_MS",
        "APP_INTEGRATIONS_OAUTH_CLIENT_SECRET",
        "APP_INTEGRATIONS_OAUTH_TOKEN_URL",
    } <= set(found)


@pytest.mark.parametrize("name", ["API_KEY", "CLUSTER_ID", "ORG_ID", "SOURCE_API_KEY"])
def test_what_goes_into_a_header_has_one_line(name):
    """A line break within would end the first request, or reach into the next one."""
    variable = f"APP_INTEGRATIONS_{name}"
    found = faults(**{variable: "first\r\nX-Second: s3cr3t"})
    assert "line break" in found[variable]
    assert "s3cr3t" not in found[variable]
    load_settings(ENOUGH | {variable: "a trailing one is cut off\n"})


@pytest.mark.parametrize("events", ["INCIDENT", "USER_TASK,JOB"])
def test_listeners_tell_of_user_tasks_only(events):
    """Events that a task listener never has are refused together with all other faults."""
    found = faults(
        APP_INTEGRATIONS_SOURCE="listener+http://h:8080?type=t", APP_INTEGRATIONS_EVENTS=events
    )
    assert "user tasks" in found["APP_INTEGRATIONS_EVENTS"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("APP_INTEGRATIONS_URL", "ftp://x"),
        ("APP_INTEGRATIONS_URL", "nothing"),
        ("APP_INTEGRATIONS_SOURCE", "rabbitmq://x"),
        ("APP_INTEGRATIONS_REQUEST_TIMEOUT_MS", "0.4"),
        ("APP_INTEGRATIONS_BATCH_INTERVAL_MS", "-1"),
        ("APP_INTEGRATIONS_RETRY_STATUSES", "503"),
        ("APP_INTEGRATIONS_TRY_TIMEOUT_MS", "6000"),
        ("APP_INTEGRATIONS_ORDINAL", "3"),
        ("APP_INTEGRATIONS_MAX_RETRIES", "-1"),
        ("APP_INTEGRATIONS_CA_FILE", "/nowhere.pem"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(variable, value):
    """One wrong value is one fault, under its name and without the value."""
    found = faults(**{variable: value})
    assert list(found) == [variable]


def test_an_open_door_is_refused():
    """Records from anywhere need a key; on the loopback address they do not."""
    found = faults(APP_INTEGRATIONS_SOURCE="http://0.0.0.0:9700")
    assert "set it" in found["APP_INTEGRATIONS_SOURCE_API_KEY"]
    loopback = ENOUGH | {"APP_INTEGRATIONS_SOURCE": "http://127.0.0.1:9700"}
    assert load_settings(loopback).source_credentials.api_key is None


def test_one_port_is_not_listened_at_twice():
    """The source and the management port must differ."""
    found = faults(
        APP_INTEGRATIONS_SOURCE="http://127.0.0.1:9602", APP_INTEGRATIONS_MANAGEMENT_PORT="9602"
    )
    assert "APP_INTEGRATIONS_SOURCE" in found


def test_replicas_need_a_source_that_they_can_divide():
    """Partitions are divided by ordinal where the source does not do that by itself."""
    shared = {"APP_INTEGRATIONS_REPLICAS": "3", "APP_INTEGRATIONS_ORDINAL": "2"}
    assert load_settings(ENOUGH | shared).share.ordinal == 2
    kafka = shared | {"APP_INTEGRATIONS_SOURCE": "kafka://h:9092/t"}
    assert "APP_INTEGRATIONS_REPLICAS" in faults(**kafka)
    assert "APP_INTEGRATIONS_ORDINAL" in faults(
        APP_INTEGRATIONS_REPLICAS="3", APP_INTEGRATIONS_ORDINAL="3"
    )


def test_context_headers_are_upstreams():
    """Blank ones are not sent, nor is an organisation whose id is the word null."""
    named = ENOUGH | {
        "APP_INTEGRATIONS_ORG_ID": "null",
        "ZEEBE_BROKER_CLUSTER_CLUSTERID": "cluster",
        "APP_INTEGRATIONS_PHYSICAL_TENANT_ID": "",
    }
    assert load_settings(named).context == (("X-Cluster-Id", "cluster"),)
    given = ENOUGH | {"CAMUNDA_CLOUD_ORGANIZATION_ID": "org"}
    assert load_settings(given).context == (("X-Org-Id", "org"),)


def test_secrets_are_never_shown():
    """Neither keys nor credentials within URLs appear in the start log."""
    settings = load_settings(
        ENOUGH
        | {
            "APP_INTEGRATIONS_API_KEY": "hush-1",
            "APP_INTEGRATIONS_SOURCE_PASSWORD": "hush-2",
            "APP_INTEGRATIONS_SOURCE": "redis://user:hush-3@host:6379",
        }
    )
    assert "hush" not in str(redacted(settings)) + repr(settings.source_name)


def test_every_setting_is_described():
    """The reference page has a sentence and a name for each setting."""
    rows = describe(ExporterSettings)
    assert all(row.meaning.endswith(".") for row in rows)
    ours = [row for row in rows if row.names[0].startswith("APP_INTEGRATIONS_")]
    assert len(ours) > 40
    assert all(
        kind in next(r.meaning for r in ours if r.names[0].endswith("_EVENTS")) for kind in INTENTS
    )
