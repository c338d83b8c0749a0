// Elements from data. Text goes in as text nodes only, so nothing a process says becomes markup.

/** An element: `h("p", {class: "soft"}, "text", child)`; a function under `on…` is a listener. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const shown = new WeakMap();

/** Puts `make(data)` into a container, but only when the data is new: what is typed there stays. */
export function show(container, data, make) {
  const text = JSON.stringify(data);
  if (shown.get(container) === text) return;
  shown.set(container, text);
  container.replaceChildren(...[make(data)].flat());
}

/** A chip with a count or a state. */
export const chip = (kind, text) => h("span", { class: `chip ${kind}` }, text);

/** A sentence for where there is nothing to show. */
export const empty = (text) => h("p", { class: "empty" }, text);
