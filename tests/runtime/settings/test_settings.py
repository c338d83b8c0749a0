from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, field_validator, model_validator

from runtime.errors import Fault, SettingsError
from runtime.settings import (
    ByteSize,
    CommaList,
    DurationMs,
    DurationS,
    Port,
    Row,
    Rule,
    SecretStr,
    Settings,
    Variable,
    describe,
    doubtful_names,
    load,
    redacted,
)


def _one_credential(settings):
    if settings.api_key is not None and settings.client_id is not None:
        yield Fault("CONNECTOR_API_KEY", "and a client id are both set", "keep only one of them")


class Example(Settings):
    """Every kind of field once."""

    prefixes: ClassVar = ("CONNECTOR_",)
    watched_prefixes: ClassVar = ("CAMUNDA_CLIENT_",)
    also_known: ClassVar = ("CONNECTOR_EXTRA_*",)
    rules: ClassVar = (Rule(("api_key", "client_id"), _one_credential),)

    url: Annotated[str, Variable("CONNECTOR_URL", meaning="Where to.")]
    address: Annotated[
        str, Variable("CAMUNDA_CLIENT_GRPC_ADDRESS", "ZEEBE_ADDRESS", meaning="Gateway.")
    ] = "http://localhost:26500"
    jobs: Annotated[int, Field(ge=1), Variable("CONNECTOR_MAX_JOBS_ACTIVE", meaning="Jobs.")] = 100
    drain_s: Annotated[
        DurationS, Field(gt=0), Variable("CONNECTOR_DRAIN_DEADLINE", meaning="Drain.")
    ] = 25.0
    delay_ms: Annotated[DurationMs, Variable("CONNECTOR_DELAY_MS", meaning="Delay.")] = 1500
    pause_s: Annotated[DurationS | None, Variable("CONNECTOR_PAUSE", meaning="Pause.")] = None
    limit_bytes: Annotated[ByteSize, Variable("CONNECTOR_LIMIT", meaning="Limit.")] = 52_428_800
    hosts: Annotated[CommaList, Variable("CONNECTOR_HOSTS", meaning="Hosts.")] = ()
    port: Annotated[Port, Variable("CONNECTOR_MANAGEMENT_PORT", meaning="Port.")] = 9601
    api: Annotated[Literal["auto", "v1", "v2"], Variable("CONNECTOR_API", meaning="Which API.")] = (
        "auto"
    )
    enabled: Annotated[bool, Variable("CONNECTOR_ENABLED", meaning="Switch.")] = False
    directory: Annotated[Path | None, Variable("CONNECTOR_DIR", meaning="Directory.")] = None
    api_key: Annotated[SecretStr | None, Variable("CONNECTOR_API_KEY", meaning="Key.")] = None
    client_id: Annotated[str | None, Variable("CONNECTOR_CLIENT_ID", meaning="Id.")] = None
    secret_prefix: Annotated[
        str, Variable("CAMUNDA_SECRET_PREFIX", meaning="Prefix.", blank_counts=True)
    ] = "SECRET_"


BASE = {"CONNECTOR_URL": "http://localhost"}


def faults_of(environ):
    with pytest.raises(SettingsError) as caught:
        load(Example, environ)
    return {fault.variable: fault for fault in caught.value.faults}


def test_defaults_hold_where_nothing_is_set():
    """A variable that is absent leaves the default."""
    settings = load(Example, BASE)

    assert (settings.jobs, settings.drain_s, settings.api, settings.api_key) == (
        100,
        25,
        "auto",
        None,
    )


def test_every_kind_is_read():
    """Each kind of field turns its text into its type."""
    settings = load(
        Example,
        {
            "CONNECTOR_URL": " http://h ",
            "ZEEBE_ADDRESS": "gateway:1",
            "CONNECTOR_MAX_JOBS_ACTIVE": "7",
            "CONNECTOR_DRAIN_DEADLINE": "PT1M",
            "CONNECTOR_DELAY_MS": "PT2S",
            "CONNECTOR_PAUSE": "3",
            "CONNECTOR_LIMIT": "1 KiB",
            "CONNECTOR_HOSTS": "a, b",
            "CONNECTOR_MANAGEMENT_PORT": "0",
            "CONNECTOR_API": "V2",
            "CONNECTOR_ENABLED": "TRUE",
            "CONNECTOR_DIR": "/run/secrets",
            "CONNECTOR_API_KEY": " k\n",
        },
    )

    assert settings == Example(
        url="http://h",
        address="gateway:1",
        jobs=7,
        drain_s=60.0,
        delay_ms=2000,
        pause_s=3.0,
        limit_bytes=1024,
        hosts=("a", "b"),
        port=0,
        api="v2",
        enabled=True,
        directory=Path("/run/secrets"),
        api_key=SecretStr(" k"),
    )


def test_first_name_wins():
    """Of two accepted names that are set, the first is read and the second is warned of."""
    environ = BASE | {"CAMUNDA_CLIENT_GRPC_ADDRESS": "first", "ZEEBE_ADDRESS": "second"}

    assert load(Example, environ).address == "first"
    assert [fault.variable for fault in doubtful_names(Example, environ)] == ["ZEEBE_ADDRESS"]


def test_blank_counts_as_not_set():
    """An empty value leaves the next name or the default, unless the field says otherwise."""
    environ = BASE | {
        "CAMUNDA_CLIENT_GRPC_ADDRESS": " ",
        "ZEEBE_ADDRESS": "used",
        "CONNECTOR_MAX_JOBS_ACTIVE": "",
        "CAMUNDA_SECRET_PREFIX": "",
    }
    settings = load(Example, environ)

    assert (settings.address, settings.jobs, settings.secret_prefix) == ("used", 100, "")


def test_all_faults_come_at_once():
    """Wrong values, a missing one, a broken rule and an unknown name are told in one error."""
    faults = faults_of(
        {
            "CONNECTOR_MAX_JOBS_ACTIVE": "many",
            "CONNECTOR_DRAIN_DEADLINE": "soon",
            "CONNECTOR_API": "v3",
            "CONNECTOR_ENABLED": "perhaps",
            "CONNECTOR_LIMIT": "big",
            "CONNECTOR_MANAGEMENT_PORT": "70000",
            "CONNECTOR_API_KEY": "k",
            "CONNECTOR_CLIENT_ID": "c",
            "CONNECTOR_HOST": "a",
        }
    )

    assert set(faults) == {
        "CONNECTOR_URL",
        "CONNECTOR_MAX_JOBS_ACTIVE",
        "CONNECTOR_DRAIN_DEADLINE",
        "CONNECTOR_API",
        "CONNECTOR_ENABLED",
        "CONNECTOR_LIMIT",
        "CONNECTOR_MANAGEMENT_PORT",
        "CONNECTOR_API_KEY",
        "CONNECTOR_HOST",
    }
    assert str(faults["CONNECTOR_HOST"]) == (
        "CONNECTOR_HOST: is not a setting; did you mean CONNECTOR_HOSTS?"
    )
    assert str(faults["CONNECTOR_API"]) == (
        "CONNECTOR_API: is none of the choices; set it to auto, v1 or v2"
    )
    assert str(faults["CONNECTOR_URL"]) == "CONNECTOR_URL: is not set; set it: Where to."
    assert "PT25S" in faults["CONNECTOR_DRAIN_DEADLINE"].remedy


def test_fault_names_the_variable_that_was_used():
    """A wrong value is told under the alias that holds it."""

    class Aliased(Settings):
        jobs: Annotated[int, Variable("NEW_JOBS", "OLD_JOBS", meaning="Jobs.")] = 1

    with pytest.raises(SettingsError) as caught:
        load(Aliased, {"OLD_JOBS": "x"})

    assert [fault.variable for fault in caught.value.faults] == ["OLD_JOBS"]


def test_wrong_limit_says_which():
    """A number outside its bounds is told with the bound."""
    assert "greater than or equal to 1" in str(
        faults_of(BASE | {"CONNECTOR_MAX_JOBS_ACTIVE": "0"})["CONNECTOR_MAX_JOBS_ACTIVE"]
    )


@given(value=st.text(alphabet="ABCxyz0189-_", min_size=12))
def test_values_never_stand_in_messages(value):
    """No fault repeats the value of a variable."""
    names = ("CONNECTOR_MAX_JOBS_ACTIVE", "CONNECTOR_DRAIN_DEADLINE", "CONNECTOR_API")
    environ = dict.fromkeys(names, value)
    with pytest.raises(SettingsError) as caught:
        load(Example, environ | {"CONNECTOR_API_KEYS": value})

    assert value not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "CONNECTOR_HTTP_PROXY_HOST",
        "CONNECTOR_HTTPS_PROXY_PORT",
        "CONNECTOR_OUTBOUND_EXECUTION_MODE",
        "CONNECTOR_KAFKA_TYPE",
        "CONNECTOR_KAFKA_TIMEOUT",
        "CONNECTOR_KAFKA_FUNCTION",
        "CONNECTOR_SERVICE_HOST",
        "CONNECTOR_SERVICE_PORT_HTTP",
        "CONNECTOR_PORT",
        "CONNECTOR_PORT_8080_TCP_ADDR",
        "CONNECTOR_EXTRA_THING",
        "PATH",
    ],
)
def test_names_that_others_set_are_never_refused(name):
    """Names of Camunda's runtime, of Kubernetes and outside our prefixes do not stop the start."""
    load(Example, BASE | {name: "x"})


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("CONNECTOR_DRAIN_DEADLIN", "did you mean CONNECTOR_DRAIN_DEADLINE?"),
        ("CONNECTOR_MAX_JOBS", "did you mean CONNECTOR_MAX_JOBS_ACTIVE?"),
        ("CONNECTOR_ZZZ", "remove it, or look it up in the reference"),
    ],
)
def test_unknown_name_is_told_with_its_nearest(name, remedy):
    """A shared prefix alone does not make two names alike."""
    assert faults_of(BASE | {name: "x"})[name].remedy == remedy


def test_own_name_is_read_though_it_has_a_form_that_is_never_refused():
    """`CONNECTOR_MANAGEMENT_PORT` ends in `_PORT` and is ours all the same."""
    assert load(Example, BASE | {"CONNECTOR_MANAGEMENT_PORT": "1234"}).port == 1234


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CONNECTOR_MANAGMENT_PORT", "CONNECTOR_MANAGEMENT_PORT"),
        ("CAMUNDA_CLIENT_GRPC_ADRESS", "CAMUNDA_CLIENT_GRPC_ADDRESS"),
    ],
)
def test_near_miss_that_cannot_be_refused_is_warned_of(name, meant):
    """A likely slip under a shared form starts, with a warning that names the right one."""
    environ = BASE | {name: "1"}
    load(Example, environ)

    assert [str(fault) for fault in doubtful_names(Example, environ)] == [
        f"{name}: is not read; did you mean {meant}?"
    ]


def test_camundas_other_names_are_not_warned_of():
    """A name of Camunda's own that resembles none of ours is left alone."""
    environ = BASE | {
        "CAMUNDA_CLIENT_WORKER_DEFAULTS_ENABLED": "true",
        "CAMUNDA_CLIENT_REST_ADDRESS": "http://localhost:8080",
        "CONNECTOR_PORT": "x",
    }

    assert list(doubtful_names(Example, environ)) == []


def test_redacted_masks_secrets_and_url_credentials():
    """The start log's view shows neither secrets nor passwords in URLs."""
    settings = Example(url="http://me:pw@h/?api_key=abc&x=1", api_key=SecretStr("hunter2"))
    shown = redacted(settings)

    assert shown["CONNECTOR_URL"] == "http://***@h/?api_key=***&x=1"
    assert shown["CONNECTOR_API_KEY"] == "***"
    assert shown["CONNECTOR_DRAIN_DEADLINE"] == "PT25S"
    assert shown["CONNECTOR_ENABLED"] == "false"
    assert shown["CONNECTOR_PAUSE"] is None
    assert "hunter2" not in str(shown) + repr(settings) + settings.model_dump_json()


def test_describe_gives_a_row_a_setting():
    """The reference has names, type, default, unit and meaning of each setting."""
    rows = {row.names[0]: row for row in describe(Example)}

    assert rows["CONNECTOR_URL"] == Row(("CONNECTOR_URL",), "text", "required", "", "Where to.")
    assert rows["CAMUNDA_CLIENT_GRPC_ADDRESS"].names == (
        "CAMUNDA_CLIENT_GRPC_ADDRESS",
        "ZEEBE_ADDRESS",
    )
    assert rows["CONNECTOR_PAUSE"] == Row(
        ("CONNECTOR_PAUSE",), "duration", "none", "ISO-8601, or a number of seconds", "Pause."
    )
    assert rows["CONNECTOR_LIMIT"].default == "50 MiB"
    assert rows["CONNECTOR_HOSTS"].default == "empty"
    assert rows["CONNECTOR_API"].type == "auto, v1, v2"
    assert rows["CONNECTOR_ENABLED"] == Row(
        ("CONNECTOR_ENABLED",), "true or false", "false", "", "Switch."
    )
    assert rows["CONNECTOR_DIR"].type == "path"
    assert rows["CONNECTOR_API_KEY"].type == "secret"


def test_settings_are_put_together_by_inheritance():
    """Fields and rules of all bases hold in the class that joins them."""

    def never(_settings):
        yield Fault("A", "is refused", "x")

    class Base(Settings):
        rules: ClassVar = (Rule(("a",), never),)
        a: Annotated[int, Variable("A", meaning="A.")] = 1

    class Other(Settings):
        b: Annotated[int, Variable("B", meaning="B.")] = 2

    class Joined(Base, Other):
        pass

    assert {row.names[0] for row in describe(Joined)} == {"A", "B"}
    with pytest.raises(SettingsError, match="is refused"):
        load(Joined, {})


def test_field_without_a_variable_is_a_mistake_of_ours():
    """A field that no variable feeds is told to the programmer."""

    class Bare(Settings):
        a: int = 1

    with pytest.raises(TypeError, match=r"Bare\.a needs a Variable"):
        load(Bare, {})


def test_settings_do_not_change():
    """An instance is frozen."""
    with pytest.raises(ValidationError, match="frozen"):
        load(Example, BASE).jobs = 3


def test_validators_of_the_class_give_faults_too():
    """A class may check with pydantic's own validators; their errors are settings errors."""

    class Checked(Settings):
        a: Annotated[int, Variable("A", meaning="A.")] = 1
        b: Annotated[int, Variable("B", meaning="B.")] = 2

        @field_validator("a")
        @classmethod
        def _even(cls, value):
            if value % 2:
                raise ValueError("must be even")
            return value

        @model_validator(mode="after")
        def _ordered(self):
            if self.a > self.b:
                raise ValueError("a must not be above b")
            return self

    with pytest.raises(SettingsError, match=r"^A: must be even; change it accordingly$"):
        load(Checked, {"A": "3"})
    with pytest.raises(SettingsError, match=r"^Checked: a must not be above b"):
        load(Checked, {"A": "4"})
