"""The Operate connector: what one job means.

    job → inputs → request → response → outcome

Each word is a module with a frozen type in it, and only `pipeline.py` knows their order:

- job (`worker.job`): what the gateway handed out, variables still as JSON text;
- inputs (`inputs.py`): the task's inputs, secrets filled in, every fault found at once;
- request (`request.py`): the call that the inputs mean, nothing sent yet;
- response (`response.py`): what the API answered, sent and read by `client.py`;
- outcome (`outcome.py`): the one command that ends the job: complete, fail or throw an error.

Everything but request → response is pure. What knows no Operate (`secrets.py`, `headers.py`,
`result.py`, `error_expression.py`, `outcome.py`, `pipeline.py`) serves any connector.
"""
