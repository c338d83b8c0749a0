import pytest

from runtime.redaction import mask_text, names_credential


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "access_token",
        "client_secret",
        "PASSWORD",
        "x-api-key",
        "apiKey",
        "Set-Cookie",
        "OPERATE-X-CSRF-TOKEN",
        "proxy-authorization",
        "private_key",
        "passphrase",
    ],
)
def test_names_of_credentials_are_known(name):
    """Keys under which credentials travel are told from others."""
    assert names_credential(name)


@pytest.mark.parametrize(
    "name",
    [
        "token_url",
        "SECRETS_DIR",
        "tokenEndpoint",
        "SECRETPROVIDER_CONSOLE_ENABLED",
        "TOKEN_AUDIENCE",
        "SECRETS_TENANTAWARE",
        "job_key",
        "author",
        "status",
        "path",
        "keys",
    ],
)
def test_names_of_other_things_are_let_through(name):
    """Keys that merely resemble them stay readable."""
    assert not names_credential(name)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("redis://u:p@h:1/0", "redis://***@h:1/0"),
        ("https://u:p@ss@h/", "https://***@h/"),
        ("see http://h/x and http://tok@h", "see http://h/x and http://***@h"),
        ("http://h?token=a&size=2;secret=b", "http://h?token=***&size=2;secret=***"),
        ("Authorization: Bearer eyJhbGciOi.x-y", "Authorization: Bearer ***"),
        ("authorization: basic bWU6cHc=", "authorization: basic ***"),
        ("Basic authentication was refused", "Basic authentication was refused"),
        ("mail me@example.org", "mail me@example.org"),
    ],
)
def test_credentials_within_text_are_masked(text, masked):
    """User info, credential-like query values and bearer tokens go, the rest stays."""
    assert mask_text(text) == masked
