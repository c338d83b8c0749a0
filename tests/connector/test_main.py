import orjson
import pytest

from connector.__main__ import main
from connector.usage import COMMANDS
from tests.kit.jobs import CLUSTER, variables


@pytest.fixture
def job_file(tmp_path):
    """Writes a job's variables into a file."""

    def write(content):
        path = tmp_path / "job.json"
        path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
        return str(path)

    return write


def test_render_prints_the_request_and_sends_nothing(job_file, capsys):
    """A modeller sees what a task would ask, before it asks."""
    given = variables(
        authentication={
            "type": "oauth",
            "clientId": "reader",
            "clientSecret": "{{secrets.OPERATE_SECRET}}",
        },
        request={
            "endpoint": "processInstances",
            "operation": "search",
            "filter": {"bpmnProcessId": "{{secrets.PROCESS}}", "state": "ACTIVE"},
        },
    )
    environ = {"SECRET_OPERATE_SECRET": "CANARY-1", "SECRET_PROCESS": "CANARY-2"}
    assert main(["render", job_file({"variables": given})], environ) == 0
    assert capsys.readouterr().out == (
        "POST http://localhost:8081/v1/process-instances/search\n"
        "Host: localhost:8081\n"
        "Accept: application/json\n"
        "Authorization: Bearer ***\n"
        "# token from http://localhost:18080/token for operate-api\n"
        "Content-Type: application/json\n"
        "\n"
        "{\n"
        '  "size": 20,\n'
        '  "filter": {\n'
        '    "bpmnProcessId": "***",\n'
        '    "state": "ACTIVE"\n'
        "  }\n"
        "}\n"
    )


def test_render_takes_the_variables_alone_and_as_text(job_file, capsys):
    """A file may hold the variables themselves, or a job as the gateway gives it."""
    as_text = {"variables": orjson.dumps(variables()).decode()}
    outputs = []
    for content in (variables(), as_text):
        assert main(["render", job_file(content)], {}) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


def test_render_tells_what_is_wrong_with_a_job(job_file, capsys):
    """The message is the one that the incident would have."""
    given = variables(cluster={**CLUSTER, "operateUrl": "nowhere"})
    assert main(["render", job_file(given)], {}) == 1
    assert "cluster.operateUrl: must be a URL" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", [b"not JSON", b"[]", b'{"variables": 5}', b'{"variables": "x"}']
)
def test_render_refuses_a_file_that_is_no_job(job_file, capsys, content):
    """What is no JSON object of variables is named as such."""
    assert main(["render", job_file(content)], {}) == 1
    assert capsys.readouterr().err.startswith("Mend the inputs")


def test_render_of_a_file_that_is_not_there_is_wrong_usage(capsys):
    """A misspelt file name ends with exit code 2."""
    assert main(["render", "/nowhere/job.json"], {}) == 2
    assert "No such file" in capsys.readouterr().err


def test_check_names_every_fault_of_the_settings(capsys):
    """One line for each finding, and exit code 1."""
    environ = {"CONNECTOR_MAX_JOB_ACTIVE": "5", "CONNECTOR_API": "v3"}
    assert main(["check"], environ) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("FAIL settings: ") for line in lines)
    assert "CONNECTOR_MAX_JOBS_ACTIVE" in lines[1]


def test_check_names_a_gateway_that_does_not_answer(capsys):
    """A wrong address is found before the first job."""
    assert main(["check"], {"CAMUNDA_CLIENT_GRPC_ADDRESS": "http://127.0.0.1:1"}) == 1
    assert "FAIL gateway: " in capsys.readouterr().out


def test_check_notes_a_misspelt_name_of_camundas(capsys):
    """The most important variable is not silently ignored for a missing letter."""
    environ = {"CAMUNDA_CLIENT_GRPC_ADRESS": "http://nowhere:26500", "ZEEBE_ADRESS": "x"}
    main(["check"], environ)
    noted = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note set")]
    assert len(noted) == 2
    assert "CAMUNDA_CLIENT_GRPC_ADDRESS" in noted[0]
    assert "ZEEBE_ADDRESS" in noted[1]


def test_check_fails_for_an_api_that_this_version_does_not_speak(capsys):
    """A setting that every job would fail with is named before the first one."""
    assert main(["check"], {"CONNECTOR_API": "v2"}) == 1
    assert "FAIL settings: CONNECTOR_API: v2 is not available" in capsys.readouterr().out


def test_run_refuses_wrong_settings_with_exit_2(capsys):
    """A misspelt name stops the start, with the nearest right one."""
    assert main(["run"], {"CONNECTOR_MAX_JOB_ACTIVE": "5"}) == 2
    assert "did you mean CONNECTOR_MAX_JOBS_ACTIVE?" in capsys.readouterr().err


def test_health_fails_when_nobody_answers(capsys):
    """A container's health check sees that the service is not there."""
    assert main(["health"], {"CONNECTOR_MANAGEMENT_PORT": "1"}) == 1
    assert capsys.readouterr().err


def test_the_example_of_render_makes_a_request(tmp_path, capsys):
    """The job that the help shows is one."""
    _, _, job = COMMANDS["render"].example.partition("'END'\n")
    path = tmp_path / "job.json"
    path.write_text(job.partition("END")[0])
    assert main(["render", str(path)], {"SECRET_PASSWORD": "demo"}) == 0
    assert capsys.readouterr().out.startswith("POST http://localhost:8081/v1/incidents/search\n")


@pytest.mark.parametrize("command", ["facade", "migrate", "top"])
def test_a_command_of_a_later_version_says_so(capsys, command):
    """What the contract promises for later is not mistaken for a typing error."""
    assert main([command, "--upstream", "x"], {}) == 2
    assert capsys.readouterr().err == f"{command} is not available in this version\n"


def test_a_kubernetes_service_named_connector_stops_nothing(capsys):
    """Variables that Kubernetes makes for a service of that name are not taken for settings."""
    environ = {"CONNECTOR_SERVICE_HOST": "10.0.0.1", "CONNECTOR_PORT": "tcp://10.0.0.1:8080"}
    main(["check"], {**environ, "CAMUNDA_CLIENT_GRPC_ADDRESS": "http://127.0.0.1:1"})
    assert "FAIL settings" not in capsys.readouterr().out
