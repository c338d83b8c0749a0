// The events that have arrived, newest first; what is new is fetched every second.

import { chip, h } from "./dom.js";

const PERIOD_MS = 1000;
const SHOWN = 500;
const rows = document.getElementById("events");
const count = document.getElementById("count");
const none = document.getElementById("none");
const connection = document.getElementById("connection");
let next = 0;

const time = (ms) => new Date(ms).toLocaleTimeString([], { hour12: false });

function row({ arrivedMs, event, idempotencyKey, isRepeat }) {
  return h(
    "tr",
    null,
    h("td", null, time(arrivedMs)),
    h("td", null, h("strong", null, event.intent ?? ""), ` ${event.type ?? ""}`),
    h("td", null, event.elementId ?? "", h("small", null, ` ${event.processDefinitionId ?? ""}`)),
    h("td", null, event.assignee ?? ""),
    h("td", { class: "number" }, event.id ?? ""),
    h("td", null, idempotencyKey, isRepeat ? chip("incident", "repeat") : null),
  );
}

function show(deliveries) {
  for (const delivery of deliveries.slice(-SHOWN)) rows.prepend(row(delivery));
  while (rows.childElementCount > SHOWN) rows.lastElementChild.remove();
}

async function refresh() {
  try {
    const response = await fetch(`/events?after=${next}`);
    const answer = await response.json();
    if (answer.next < next) rows.replaceChildren();
    show(answer.deliveries);
    next = answer.next;
    count.textContent = `${next} so far`;
    none.hidden = next > 0;
    connection.textContent = "live";
    connection.className = "";
  } catch {
    connection.textContent = "devstack does not answer";
    connection.className = "lost";
  }
  setTimeout(refresh, PERIOD_MS);
}

refresh();
