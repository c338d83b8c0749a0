// One diagram at a time, with tokens, incidents and taken flows drawn on it.

/* global BpmnJS */

import { empty } from "./dom.js";

const TOKEN_PLACE = { bottom: 12, left: -12 };
const INCIDENT_PLACE = { top: -12, right: 12 };
const MARGIN = 0.92; // badges and names at the edge need room

export class Diagram {
  #container;
  #viewer = null;
  #marked = [];
  #drawn = "";

  constructor(container) {
    this.#container = container;
  }

  /** Shows a process; without a drawing in its XML it says so. */
  async open(xml) {
    this.#viewer?.destroy();
    this.#container.replaceChildren();
    this.#marked = [];
    this.#drawn = "";
    if (!xml) {
      this.#viewer = null;
      this.#container.append(empty("This process came without its XML, out of a seed file."));
      return;
    }
    this.#viewer = new BpmnJS({ container: this.#container });
    try {
      await this.#viewer.importXML(xml);
      const canvas = this.#viewer.get("canvas");
      canvas.zoom("fit-viewport", "auto");
      canvas.zoom(canvas.zoom() * MARGIN, "auto");
    } catch (error) {
      this.#viewer.destroy();
      this.#viewer = null;
      this.#container.replaceChildren(empty(`This process cannot be drawn: ${error.message}`));
    }
  }

  /** Draws tokens (`[{activityId, active, incidents}]`) and the flows that were taken. */
  mark(tokens, flows) {
    const drawing = JSON.stringify([tokens, flows]);
    if (this.#viewer === null || drawing === this.#drawn) return;
    this.#drawn = drawing;
    const canvas = this.#viewer.get("canvas");
    const overlays = this.#viewer.get("overlays");
    overlays.clear();
    for (const [id, marker] of this.#marked) canvas.removeMarker(id, marker);
    this.#marked = [];
    const registry = this.#viewer.get("elementRegistry");
    const add = (id, marker) => {
      canvas.addMarker(id, marker);
      this.#marked.push([id, marker]);
    };
    for (const { activityId, active, incidents } of tokens) {
      if (!registry.get(activityId)) continue;
      if (active) {
        add(activityId, "here");
        overlays.add(activityId, { position: TOKEN_PLACE, html: badge("token", active, "running") });
      }
      if (incidents) {
        add(activityId, "troubled");
        const html = badge("stuck", incidents, "with an incident");
        overlays.add(activityId, { position: INCIDENT_PLACE, html });
      }
    }
    for (const flow of flows) if (registry.get(flow)) add(flow, "taken");
  }
}

function badge(kind, count, meaning) {
  const element = document.createElement("div");
  element.className = kind;
  element.textContent = count;
  element.title = `${count} ${meaning}`;
  return element;
}
