"""Jobs that Camunda's own Operate templates make, versions 0 to 7, answered as upstream does.

    job → is it an Operate call? → inputs → request → response → outcome

These templates have the job type of Camunda's REST connector, so a job may be anybody's: `gate.py`
gives back what is not an Operate call before anything of it is looked at. The rest is a second
`Connector` for the pipeline:

- `template.py`: how a job of these templates is known;
- `inputs.py`: what it asks for, read from `input.*` and `authentication.*`;
- `request.py`: the HTTP call that upstream would make, null parts of the body included;
- `client.py`: sends it, by upstream's rules for time and status;
- `response.py`: `{status, headers, body, reason, document}`;
- `failures.py`: upstream's codes and texts for what goes wrong.

The variable `url` is no more than a hint: where the engine evaluates input mappings one by one, it
ends without the key, because the template has it before `input.internal_key`.
"""
