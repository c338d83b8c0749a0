// The page asks every second what there is, and draws what has changed.

import { Diagram } from "./diagram.js";
import { empty, h, show } from "./dom.js";
import * as panels from "./panels.js";

const INTERVAL_MS = 1000;
const at = (id) => document.getElementById(id);
const diagram = new Diagram(at("diagram"));
let opened = null;

/** What is chosen stands in the address, so that a reload and a link show the same. */
const chosen = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function choose(process, instance) {
  location.hash = new URLSearchParams({ process, ...(instance ? { instance } : {}) });
}

async function ask(path) {
  const response = await fetch(path);
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`${path} was answered ${response.status}`);
  return path.endsWith("/xml") ? response.text() : response.json();
}

/** Completes a user task; gives what went wrong, or an empty text. */
async function complete(key, text) {
  let variables;
  try {
    variables = JSON.parse(text || "{}");
  } catch (error) {
    return `The variables are no JSON: ${error.message}`;
  }
  const response = await fetch(`/devstack/user-tasks/${key}/completion`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ variables }),
  });
  if (!response.ok) return (await response.json()).detail;
  await tick();
  return "";
}

async function refresh() {
  const { version, processes } = await ask("/devstack/processes");
  at("version").textContent = `a stand-in for Camunda ${version}`;
  const { process: asked, instance } = chosen();
  const of = processes.find(({ key }) => key === asked) ?? panels.first(processes);
  const process = of?.key;
  show(at("processes"), [processes, process], () => panels.processes(processes, process, choose));
  if (of === undefined) return showNothing();
  const data = await ask(`/devstack/processes/${process}`);
  if (opened !== process) {
    opened = process;
    await diagram.open(await ask(`/devstack/processes/${process}/xml`));
  }
  const total = of.active + of.ended;
  show(at("instances"), [data.instances, total, instance], () =>
    panels.instances(data.instances, total, instance, (key) => choose(process, key)),
  );
  const details = instance ? await ask(`/devstack/instances/${instance}`) : null;
  diagram.mark(details?.tokens ?? data.tokens, details?.sequenceFlows ?? []);
  show(at("heading"), [of, process, details ? instance : null], () => [
    h("h2", null, of.name ?? of.bpmnProcessId),
    h("p", null, `version ${of.version}, ${details ? `instance ${instance}` : "all running instances"}`),
    details ? h("button", { onclick: () => choose(process) }, "Show all instances") : null,
  ].filter(Boolean));
  show(at("instance"), details, () =>
    details ? panels.instance(details, complete) : empty("Choose an instance to see inside."),
  );
}

function showNothing() {
  opened = null;
  at("diagram").replaceChildren();
  for (const id of ["heading", "instances"]) show(at(id), null, () => []);
  show(at("instance"), "nothing", () => empty("Deploy a process and start it, and it shows here."));
}

let running = false;
let wanted = false;

/** Refreshes; what is asked for meanwhile is one refresh more, so that two never cross. */
async function tick() {
  wanted = true;
  if (running) return;
  running = true;
  const connection = at("connection");
  while (wanted) {
    wanted = false;
    try {
      await refresh();
      connection.textContent = "live";
      connection.className = "";
    } catch (error) {
      connection.textContent = `no answer: ${error.message}`;
      connection.className = "lost";
    }
  }
  running = false;
}

addEventListener("hashchange", tick);
await tick();
setInterval(() => document.hidden || tick(), INTERVAL_MS);
