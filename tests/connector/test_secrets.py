import asyncio

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from connector.errors import SecretsMissing
from connector.redaction import Redaction
from connector.secret_files import FileSecrets
from connector.secrets import EnvironmentSecrets, resolve
from connector.upstream_secrets import resolve_text
from tests.kit.jobs import job

VALUES = {
    "KEY1": "VALUE1",
    "KEY2": "VALUE2",
    "A.B": "dot",
    "A/B": "slash",
    "Q": 'a"b\\c\nd',
    "NEST": "secrets.KEY2",
    "_U": "under",
}
PROVIDERS = [
    EnvironmentSecrets({f"SECRET_{name}": value for name, value in VALUES.items()}, "SECRET_")
]


def resolved(given, sources=PROVIDERS):
    """The inputs with their secrets filled in, and the secrets."""
    return asyncio.run(resolve(given, sources, job()))


def filled(text):
    """`text` as an input, with its secrets filled in."""
    return resolved({"a": text}).variables["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{secrets.KEY1}}", "VALUE1"),
        ("{{ secrets.KEY1 }}", "VALUE1"),
        ("Bearer {{secrets.KEY1}}!", "Bearer VALUE1!"),
        ("{{secrets.KEY1}}{{secrets.KEY2}}", "VALUE1VALUE2"),
        ("{{secrets._U}}", "under"),
        ("secrets.KEY1", "VALUE1"),
        ("x secrets.KEY1 y", "x VALUE1 y"),
        ("secrets.A.B", "dot"),
        ("secrets.A/B", "slash"),
        ("{{secrets.Q}}", 'a"b\\c\nd'),
        ("{{secrets.NEST}}", "secrets.KEY2"),
        ("mysecrets.KEY1", "mysecrets.KEY1"),
        ("{{SECRETS.KEY1}}", "{{SECRETS.KEY1}}"),
        ("{{secret.KEY1}}", "{{secret.KEY1}}"),
        ("{{secrets.}}", "{{secrets.}}"),
        ("secrets._U", "secrets._U"),
        ("secrets..KEY1", "secrets..KEY1"),
    ],
)
def test_a_reference_is_filled_in(text, expected):
    """Both of upstream's syntaxes work; what only looks like one is left alone."""
    assert filled(text) == expected


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("api.key", "SECRET_api_key"),
        ("api-key", "SECRET_api_key"),
        ("my-api.key", "SECRET_my_api_key"),
        ("my-api.key", "SECRET_MY_API_KEY"),
        ("Token", "SECRET_TOKEN"),
        ("api-key", "SECRET_API-KEY"),
    ],
)
def test_a_variable_may_be_spelt_as_shells_allow(name, variable):
    """Upstream reads its environment by Spring, which knows these spellings of a name."""
    found = EnvironmentSecrets({variable: "value"}, "SECRET_").get(name, job())
    assert found.get_secret_value() == "value"


def test_the_exact_name_of_a_variable_comes_first():
    """Other spellings are looked for only where there is none of that name."""
    environ = {"SECRET_api-key": "exact", "SECRET_API_KEY": "other"}
    found = EnvironmentSecrets(environ, "SECRET_").get("api-key", job())
    assert found.get_secret_value() == "exact"


def test_a_secret_that_is_no_utf_8_can_still_be_sent():
    """Bytes of the environment that are no text are replaced, so that a request can hold them."""
    provider = EnvironmentSecrets({"SECRET_A": "a\udcff"}, "SECRET_")
    assert provider.get("A", job()).get_secret_value() == "a?"


def test_secrets_are_filled_into_nested_values_but_never_into_keys():
    """Secrets reach every string value of the inputs, and nothing else."""
    given = {"a": [{"secrets.KEY1": "{{secrets.KEY1}}"}, 5, None]}
    assert resolved(given).variables == {
        "a": [{"secrets.KEY1": "VALUE1"}, 5, None],
    }


def test_all_missing_secrets_are_named_at_once():
    """One message names every secret that is not there, and how to add one."""
    with pytest.raises(SecretsMissing) as caught:
        resolved({"a": "{{secrets.X}} secrets.Y {{secrets.X}} {{secrets.KEY1}}"})
    assert caught.value.names == ("X", "Y")
    assert caught.value.message == (
        "Secrets with names 'X', 'Y' are not available. "
        "Set the environment variable SECRET_<name> on the connector."
    )


def test_a_connector_without_any_secrets_says_so():
    """With every source switched off, the remedy is one for the operator."""
    with pytest.raises(SecretsMissing, match="let an operator set CONNECTOR_SECRETS_DIR"):
        resolved({"a": "{{secrets.X}}"}, sources=[])


def test_a_secret_cannot_be_printed():
    """What was filled in is known for masking, in a type that does not show it."""
    assert "VALUE1" not in repr(resolved({"a": "{{secrets.KEY1}}"}).secrets)


def test_a_secret_file_is_read_again_when_it_changed(tmp_path):
    """A rotated secret is used without a restart."""
    provider = FileSecrets(tmp_path)
    (tmp_path / "TOKEN").write_text("old\n")
    assert provider.get("TOKEN", job()).get_secret_value() == "old"
    (tmp_path / "TOKEN").write_text("newer\n")
    assert provider.get("TOKEN", job()).get_secret_value() == "newer"


@pytest.mark.parametrize(
    "name",
    ["../outside", "/etc/hostname", "nothing", "a/../../outside", "a\0b", "a" * 400, "."],
)
def test_a_secret_name_cannot_leave_its_directory(tmp_path, name):
    """A name in a BPMN file reads no file outside of the directory."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside").write_text("x")
    assert FileSecrets(tmp_path / "inside").get(name, job()) is None


@given(st.text(), st.text(min_size=1))
def test_a_masked_text_never_holds_the_secret(around, secret):
    """Whatever surrounds it, a secret is gone after masking, unless it is part of the mask."""
    sources = [EnvironmentSecrets({"SECRET_S": secret}, "SECRET_")]
    secrets = resolved({"a": "{{secrets.S}}"}, sources).secrets
    masked = Redaction(secrets).text(around + secret + around)
    assert secret not in masked or secret in masked.replace(secret, "") + "***"


@pytest.mark.parametrize("value", ["operate", "secret", "demo"])
def test_credentials_that_everybody_knows_garble_no_message(value):
    """With devstack's credentials an incident still names `cluster.operateUrl`."""
    text = "cluster.operateUrl: is missing; check the client secret of the demo"
    assert Redaction([SecretStr(value)]).text(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_a_secret_holds_it_is_filled_in_as_it_is(value):
    """A value is never searched for references, and never changes what is around it."""
    sources = [EnvironmentSecrets({"SECRET_S": value, "SECRET_T": "other"}, "SECRET_")]
    got = resolved({"a": "<{{secrets.S}}|{{secrets.T}}>"}, sources)
    assert got.variables == {"a": f"<{value}|other>"}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_upstreams_way_keeps_the_variables_json(value):
    """Whatever a secret holds, the text that it is put into stays JSON."""
    sources = [EnvironmentSecrets({"SECRET_S": value}, "SECRET_")]
    text = '{"a": "{{secrets.S}}"}'
    if "secrets." not in value:
        filled = asyncio.run(resolve_text(text, sources, job())).text
        assert orjson.loads(filled) == {"a": value}
