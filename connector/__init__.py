"""The Operate connector: what one job means.

    job → inputs → request → response → outcome

Each word is a module with a frozen type in it, and only `pipeline.py` knows their order:

- job (`worker.job`): what the gateway handed out, variables still as JSON text;
- inputs (`inputs.py`): the task's inputs, secrets filled in, every fault found at once;
- request (`request.py`): the call that the inputs mean, nothing sent yet;
- response (`response.py`): what the API answered, sent and read by `client.py`;
- outcome (`outcome.py`): the one command that ends the job: complete, fail or throw an error.

Everything but request → response is pure. What knows no Operate serves any connector: `pipeline.py`
with what it needs for secrets (`secrets.py`, stores, `redaction.py`), for a task's expressions
(`headers.py`, `evaluation.py`, `result.py`, `error_expression.py`) and for the end (`outcome.py`).
`official/` is a second connector on it: the jobs that Camunda's own Operate templates make.

`service.py` puts all of it together, `workers.py` a worker for each job type.
"""
