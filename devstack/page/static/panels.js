// What stands around the diagram: processes, instances, and the instance that was chosen.

import { chip, empty, h } from "./dom.js";

/** The list of processes; `choose(key)` is called for the one that is clicked. */
export function processes(list, chosen, choose) {
  if (!list.length) {
    return empty("None yet. Deploy one: camunda-devstack deploy FILE.bpmn");
  }
  return list.map((process) =>
    h(
      "button",
      {
        class: "process",
        "aria-current": String(process.key === chosen),
        onclick: () => choose(process.key),
      },
      process.name ?? process.bpmnProcessId,
      h("small", null, `${process.bpmnProcessId}, version ${process.version}`),
      process.active ? chip("active", `${process.active} running`) : null,
      process.incidents ? chip("incident", `${process.incidents} stuck`) : null,
      process.ended ? chip("ended", `${process.ended} ended`) : null,
    ),
  );
}

/** The first instances of `total`, a row each: stuck ones, then running ones, then the others. */
export function instances(list, total, chosen, choose) {
  if (!list.length) return empty("No instance yet. Start one: camunda-devstack start PROCESS_ID");
  const row = (instance) =>
    h(
      "tr",
      {
        class: "choice",
        tabindex: 0,
        "aria-current": String(instance.key === chosen),
        onclick: () => choose(instance.key),
        onkeydown: (event) => event.key === "Enter" && choose(instance.key),
      },
      h("td", { class: "number" }, instance.key),
      h("td", null, state(instance)),
      h("td", null, time(instance.startDate)),
      h("td", null, instance.endDate ? time(instance.endDate) : ""),
    );
  return [
    table(["Key", "State", "Started", "Ended"], list.map(row)),
    list.length < total ? empty(`${total - list.length} more are not shown.`) : "",
  ];
}

/** All about one instance; `complete(key, variables)` completes a user task. */
export function instance(data, complete) {
  const { instance, incidents, userTasks, jobs, variables } = data;
  return [
    h("h2", null, `Instance ${instance.key}`),
    h("p", null, state(instance), ` since ${time(instance.startDate)}`),
    ...part("Incidents", incidents, incidentCard),
    ...part("User tasks", userTasks, (task) => taskCard(task, complete)),
    ...part("Jobs", jobs, jobCard),
    ...scopes(variables).flatMap(([scope, own]) => [
      h("h3", null, scope ? `Variables at ${scope}` : "Variables"),
      own.length ? h("dl", null, own.flatMap(entry)) : empty("This instance has none."),
    ]),
  ];
}

/** The instance's own variables first, even when it has none, then those of each element. */
function scopes(variables) {
  const found = new Map([["", []]]);
  for (const variable of variables) {
    if (!found.has(variable.scope)) found.set(variable.scope, []);
    found.get(variable.scope).push(variable);
  }
  return [...found];
}

/** A variable's value is shown as its text: parsing it would lose digits of large numbers. */
const entry = (variable) => [
  h("dt", null, variable.name),
  h("dd", null, h("code", null, variable.value, variable.truncated ? "…" : "")),
];

const part = (title, items, card) => (items.length ? [h("h3", null, title), ...items.map(card)] : []);

const place = (item) => item.elementName ?? item.elementId;

const incidentCard = (incident) =>
  h(
    "div",
    { class: "card incident" },
    h("p", null, h("strong", null, incident.type), incident.elementId ? ` at ${incident.elementId}` : ""),
    h("code", null, incident.message ?? ""),
  );

const jobCard = (job) =>
  h(
    "div",
    { class: "card" },
    h("p", null, h("strong", null, place(job)), ` ${job.state}`),
    h("p", { class: "soft" }, `type ${job.type}, ${job.retries} retries left`),
    job.errorMessage ? h("code", null, job.errorMessage) : null,
  );

function taskCard(task, complete) {
  const variables = h("textarea", { rows: 3, "aria-label": "Variables as JSON" }, "{}");
  const fault = h("p", { class: "fault", role: "alert" });
  const onclick = async () => {
    fault.textContent = await complete(task.key, variables.value);
  };
  return h(
    "div",
    { class: "card" },
    h("p", null, h("strong", null, place(task))),
    h("p", { class: "soft" }, task.assignee ? `assigned to ${task.assignee}` : "not assigned"),
    h("details", null, h("summary", null, "With variables"), variables),
    fault,
    h("button", { class: "main", onclick }, "Complete"),
  );
}

function state(instance) {
  if (instance.state === "ACTIVE" && instance.incident) return chip("incident", "stuck");
  const kind = { ACTIVE: "active", COMPLETED: "completed" }[instance.state] ?? "ended";
  return chip(kind, { ACTIVE: "running", COMPLETED: "completed", CANCELED: "canceled" }[instance.state]);
}

const time = (text) =>
  new Date(text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2")).toLocaleTimeString([], { hour12: false });

const table = (headings, rows) =>
  h(
    "table",
    null,
    h("thead", null, h("tr", null, headings.map((heading) => h("th", { scope: "col" }, heading)))),
    h("tbody", null, rows),
  );
