// What stands around the diagram: processes, instances, and the instance that was chosen.

import { chip, empty, h } from "./dom.js";

/** The process to show when none is asked for: a stuck one, else a running one; the newest such. */
export function first(list) {
  const rank = ({ incidents, active }) => (incidents ? 2 : active ? 1 : 0);
  const newer = (one, other) => rank(one) - rank(other) || (BigInt(one.key) > BigInt(other.key) ? 1 : -1);
  return list.reduce((best, each) => (best && newer(best, each) > 0 ? best : each), undefined);
}

/** The processes, a card each with all its versions; `choose(key)` is called for what is clicked. */
export function processes(list, chosen, choose) {
  if (!list.length) {
    return empty("None yet. Deploy one: camunda-devstack deploy FILE.bpmn");
  }
  return [...Map.groupBy(list, ({ bpmnProcessId }) => bpmnProcessId).values()].map((versions) =>
    processCard(versions, chosen, choose),
  );
}

/** One process; `versions` holds the newest first. The versions stand below when there are more. */
function processCard(versions, chosen, choose) {
  const { name, bpmnProcessId, version } = versions[0];
  const isChosen = ({ key }) => key === chosen;
  const count = (what) => versions.reduce((sum, each) => sum + each[what], 0);
  const newest = versions.length > 1 ? `${versions.length} versions` : `version ${version}`;
  return h(
    "div",
    { class: "process", "aria-current": String(versions.some(isChosen)) },
    h(
      "button",
      { onclick: () => choose(first(versions).key) },
      name ?? bpmnProcessId,
      h("small", null, `${bpmnProcessId}, ${newest}`),
      running(count("active"), count("incidents")),
      count("ended") ? chip("ended", `${count("ended")} ended`) : null,
    ),
    versions.length > 1 && versions.some(isChosen)
      ? h("div", { class: "versions" }, versions.map((each) => versionButton(each, isChosen(each), choose)))
      : null,
  );
}

const versionButton = ({ key, version, active, incidents }, isChosen, choose) =>
  h(
    "button",
    {
      class: "version",
      "aria-current": String(isChosen),
      title: active ? `${active} running, ${incidents} of them stuck` : "none running",
      onclick: () => choose(key),
    },
    `v${version}`,
  );

/** Running instances, and how many of these are stuck: no instance is counted twice. */
function running(active, stuck) {
  if (!active) return null;
  if (!stuck) return chip("active", `${active} running`);
  if (stuck === active) return chip("incident", active > 1 ? `${active} running, all stuck` : "1 running, stuck");
  return [chip("active", `${active} running`), chip("incident", `${stuck} of them stuck`)];
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
    h("p", null, state(instance), instance.startDate ? ` since ${time(instance.startDate)}` : ""),
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
  const words = { ACTIVE: "running", COMPLETED: "completed", CANCELED: "canceled" };
  return chip(kind, words[instance.state] ?? instance.state ?? "in no state");
}

/** The time of a date; nothing for none, which only an entity of a seed file has. */
const time = (text) =>
  text
    ? new Date(text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2")).toLocaleTimeString([], { hour12: false })
    : "";

const table = (headings, rows) =>
  h(
    "table",
    null,
    h("thead", null, h("tr", null, headings.map((heading) => h("th", { scope: "col" }, heading)))),
    h("tbody", null, rows),
  );
