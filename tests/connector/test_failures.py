import pytest

from connector.failures import translate
from runtime import errors
from tests.kit.http import serving
from tests.kit.jobs import job, variables
from tests.kit.pipeline import pipelines


@pytest.mark.parametrize(
    ("error", "begins"),
    [
        (errors.HttpRefusedError("http://x refused the connection; check host and port"), "Check "),
        (errors.TokenRefusedError("no token: it answers 401; check client id", 401), "Check "),
        (errors.HttpTlsError("http://x is not trusted; add its authority to the CA file"), "Add "),
        (errors.HttpTooLargeError("http://x sent too much; ask for less at once", 5), "Ask "),
        (errors.HttpDisconnectedError("http://x broke the connection"), "http://x broke"),
    ],
)
def test_what_to_do_comes_first(error, begins):
    """An incident's message begins with the remedy, where there is one."""
    assert translate(error).message.startswith(begins)


def every_kind(kind=errors.ServiceError):
    """All errors of the ground that can reach a job."""
    for each in kind.__subclasses__():
        if each not in {errors.SettingsError, errors.ListenError}:
            yield each
            yield from every_kind(each)


@pytest.mark.parametrize("kind", list(every_kind()), ids=lambda kind: kind.__name__)
def test_every_error_of_the_ground_has_its_meaning(kind):
    """None of them reaches a job untranslated, and none loses its words."""
    more = {"HttpTooLargeError": (5,), "TokenRefusedError": (401,)}
    translated = translate(kind("what happened", *more.get(kind.__name__, ())))
    assert "what happened" in translated.message


async def test_a_wrong_token_url_is_told_with_what_to_check():
    """A person who reads the incident knows what to look at before what went wrong."""

    async def nothing_here(request):
        raise AssertionError("the API was called without a token")

    async with serving(nothing_here) as origin, pipelines() as both:
        cluster = {"operateUrl": origin, "tokenUrl": "http://127.0.0.1:1/token"}
        outcome = await both.handle(job(variables(cluster=cluster)))
    assert outcome.message.startswith("Check host and port: no token; check the token URL")
