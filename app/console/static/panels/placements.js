// Named surfaces and their rules, each change beside the slate that it makes.

import { html, useState } from "../vendor/htm-preact/standalone.module.js";
import { call, segment } from "../api.js";
import { toRequest, useAsker } from "../asker.js";
import { Answer, Empty, Field, ProblemNote, Sure, Toast, percent } from "../bits.js";
import { Degraded, Shorter } from "../degraded.js";
import { useAction, useAnswer } from "../hooks.js";
import { marksOf } from "./why.js";

const KNOBS = [
  ["diversity", "how unlike each other"],
  ["novelty", "how little known"],
  ["exploration", "share of places left to chance"],
];
const ITEM = "/v1/placements/{name}";

export function Placements({ offer }) {
  const answer = useAnswer((signal) => call("GET", "v1/placements", undefined, { signal }), []);
  const [opened, setOpened] = useState(null);
  const [toast, setToast] = useState(null);
  const done = (name, told) => (setOpened(name), setToast(told), answer.ask());
  const canWrite = offer.offers("PUT", ITEM);
  return html`<div class="page is-wide">
    <div class="title"><h1 tabindex="-1">Placements</h1>
      <p>A placement is a named surface: how long its slates are, and by which rules they are composed.</p></div>
    <${Answer} answer=${answer} what="the placements">${({ placements }) => html`<div class="split">
      <div>
        <ul class="list" aria-label="Placements">
          ${placements.map(({ name, version, rules }) => html`<li key=${name}>
            <button aria-pressed=${String(name === opened)} onClick=${() => setOpened(name)}><b>${name}</b>
              <span>${rules?.description || (rules ? `${rules.k} items` : "deleted")}</span>
                <span class="faint num">v${version}</span></button></li>`)}
        </ul>
        ${!placements.length && html`<${Empty}
          title="No placements yet">Requests without one get a slate by score alone.<//>`}
        ${canWrite && html`<p class="buttons list-foot"><button onClick=${() => setOpened("")}>New placement</button>
          </p>`}
      </div>
      ${opened === null && placements.length > 0 && html`<${Empty}
        title="No placement is open">Pick one of the list.<//>`}
      ${opened !== null && html`<${Rules} key="${opened}-${placements.find(({ name }) => name === opened)?.version}"
        placement=${placements.find(({ name }) => name === opened)} canWrite=${canWrite} offer=${offer}
          onDone=${done} />`}
    </div>`}<//>
    ${toast && html`<${Toast} onGone=${() => setToast(null)}>${toast}<//>`}
  </div>`;
}

function Rules({ placement, canWrite, offer, onDone }) {
  const [asker] = useAsker();
  const [name, setName] = useState(placement?.name ?? "");
  const {
    description = "",
    k = 20,
    diversity = 0,
    novelty = 0,
    exploration = 0,
    max_per_category: most = null,
    ...others
  } = placement?.rules ?? {};
  const [rules, setRules] = useState({ description, k, diversity, novelty, exploration, max_per_category: most });
  const [rest, setRest] = useState(JSON.stringify(others, null, 1));
  const set = (change) => setRules({ ...rules, ...change });
  const save = useAction(async () => {
    const told = await call("PUT", `v1/placements/${segment(name.trim())}`, { ...readRest(rest), ...rules });
    onDone(told.name, html`<b>${told.name}</b> is at version ${told.version}, in force at once.`);
  });
  const remove = useAction(async () => {
    await call("DELETE", `v1/placements/${segment(name)}`);
    onDone(null, html`<b>${name}</b> is deleted. Its versions can still be read.`);
  });
  const request = placement && toRequest({ ...asker, explain: false });
  const canTry = Boolean(offer.fieldsOf("POST", "/v1/recommendations").placement);
  const preview = useAnswer(
    (signal) => call("POST", "v1/recommendations", { ...request, k: undefined, placement: placement.name }, { signal }),
    [request, placement?.version],
    { when: Boolean(request && canTry) },
  );
  return html`<form class="rules" onSubmit=${(e) => (e.preventDefault(), save.run())} aria-label="Rules">
    <h2>${placement?.name ?? "A new placement"}</h2>
    ${!placement && html`<${Field} id="placement-name" label="Name" hint="a-z, 0-9, dot, dash, underscore">
      <input id="placement-name" required pattern="[a-z0-9][a-z0-9_.\\-]*" value=${name}
        onInput=${(e) => setName(e.target.value)} /><//>`}
    <${Field} id="placement-description" label="Description">
      <input id="placement-description" value=${rules.description}
        onInput=${(e) => set({ description: e.target.value })} /><//>
    <${Field} id="placement-k" label=${html`Length <output>${rules.k}</output>`}>
      <input id="placement-k" type="range" min="1" max="50" value=${rules.k}
        onInput=${(e) => set({ k: Number(e.target.value) })} /><//>
    ${KNOBS.map(([knob, about]) => html`<${Field} id="placement-${knob}"
      label=${html`<span>${knob}, <span class="faint">${about}</span></span><output>${percent(rules[knob])}</output>`}>
        <input id="placement-${knob}" type="range" min="0" max="1" step="0.05" value=${rules[knob]}
          onInput=${(e) => set({ [knob]: Number(e.target.value) })} /><//>`)}
    <${Field} id="placement-most" label="At most of one category" hint="empty: no bound">
      <input id="placement-most" class="short" type="number" min="1" max="500" value=${rules.max_per_category ?? ""}
        onInput=${(e) => set({ max_per_category: e.target.value ? Number(e.target.value) : null })} /><//>
    <${Field} id="placement-rest" label="Everything else" hint="sources, pins, caps, sponsored places: a JSON object">
      <textarea id="placement-rest" class="code" rows="6" spellcheck="false" value=${rest}
        onInput=${(e) => setRest(e.target.value)} /><//>
    ${(save.problem || remove.problem) && html`<${ProblemNote} problem=${save.problem ?? remove.problem} />`}
    ${
      canWrite &&
      html`<p class="buttons">
      <button class="primary" disabled=${save.busy}>${placement ? "Save as the next version" : "Create"}</button>
      ${
        placement &&
        offer.offers("DELETE", ITEM) &&
        html`<${Sure} action=${remove} ask="Delete" yes="Delete, and refuse who names it" no="Keep it" />`
      }
    </p>`
    }
    ${placement && canTry && html`<h3>A slate of it, for whoever asks in the first panel</h3>
      ${request === null && html`<p class="hint">Nobody asks there yet.</p>`}
      <${Answer} answer=${preview} what="a slate of it">${({ items, served_by: by }) => html`
        <${Degraded} reasons=${by.degraded} /><${Shorter} warnings=${by.warnings} />
        <ol class="plain is-numbered">
          ${items.map((item) => html`<li>${item.properties.title ?? item.item_id}
            ${marksOf(item).map((mark) => html` <span class="badge">${mark}</span>`)}</li>`)}</ol>`}<//>`}
  </form>`;
}

function readRest(text) {
  try {
    return text.trim() ? JSON.parse(text) : {};
  } catch (failure) {
    throw new Error(`Everything else is no JSON object: ${failure.message}`);
  }
}
