import inspect
import socket
import ssl

import pytest
from aiohttp import client_exceptions
from aiohttp.client_exceptions import ClientConnectorError
from aiohttp.client_reqrep import ConnectionKey

from runtime.errors import HttpError, HttpNameError, HttpRefusedError, HttpTlsError
from runtime.http_errors import TRANSLATIONS, origin_of, translate, translating

CLIENT_ERRORS = [
    error
    for _, error in inspect.getmembers(client_exceptions, inspect.isclass)
    if issubclass(error, client_exceptions.ClientError)
]


@pytest.mark.parametrize("error", CLIENT_ERRORS, ids=lambda error: error.__name__)
def test_every_client_error_has_a_translation(error):
    """A client error that a new aiohttp brings is not overlooked."""
    assert error in TRANSLATIONS


@pytest.mark.parametrize(
    ("inner", "ours"),
    [
        (ConnectionRefusedError(), HttpRefusedError),
        (ssl.SSLError(), HttpTlsError),
        (socket.gaierror(), HttpNameError),
    ],
)
def test_wrapped_os_error_decides(inner, ours):
    """Aiohttp's general connector error is told by what it wraps."""
    key = ConnectionKey(
        "h", 1, is_ssl=False, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None
    )

    assert type(translate(ClientConnectorError(key, inner), "http://h:1")) is ours


def test_cause_is_kept_and_text_is_not():
    """The foreign error stays as the cause; its words, which may hold data, are not repeated."""
    with pytest.raises(HttpError) as caught, translating("http://u:p@h:1/path?q=1"):
        raise client_exceptions.ClientPayloadError("secret text")

    assert isinstance(caught.value.__cause__, client_exceptions.ClientPayloadError)
    assert str(caught.value) == "http://h:1 hung up within its answer"


def test_other_errors_pass():
    """A mistake of our own is not taken for one of the network."""
    with pytest.raises(KeyError), translating("http://h"):
        raise KeyError("x")


@pytest.mark.parametrize(
    ("url", "origin"),
    [("https://u:p@h/x?y", "https://h"), ("/x", "the URL"), ("http://[", "the URL")],
)
def test_origin_is_all_that_is_shown(url, origin):
    """Of a URL only scheme, host and port are shown."""
    assert origin_of(url) == origin
