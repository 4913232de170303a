// The catalogue: look for an item, read it, write it, delete it. What is written is in the next slate.

import { html, useEffect, useState } from "../vendor/htm-preact/standalone.module.js";
import { call, segment } from "../api.js";
import { useItems } from "../asker.js";
import { Answer, Empty, Field, ProblemNote, Toast, many } from "../bits.js";
import { useAction, useAnswer } from "../hooks.js";

const BLANK = { item_id: "", title: "", categories: [], description: "", properties: {} };
const SHOWN = 200;

export function Catalogue({ offer }) {
  const items = useItems(offer);
  const [wanted, setWanted] = useState("");
  const [opened, setOpened] = useState(null); // an item_id, or "" for a new item
  const [toast, setToast] = useState(null);
  const text = wanted.trim().toLowerCase();
  const found = items.filter(
    ({ title, item_id, categories }) =>
      !text ||
      title.toLowerCase().includes(text) ||
      item_id === wanted.trim() ||
      categories.some((c) => c.toLowerCase() === text),
  );
  return html`<div class="page is-wide">
    <div class="title"><h1 tabindex="-1">Catalogue</h1>
      <p>What can be recommended. An item's text is encoded as it is written, so a new one is in the right place at once.</p></div>
    <div class="catalogue">
      <section aria-label="Items">
        <div class="catalogue-tools">
          <input type="search" aria-label="Search the catalogue" placeholder="title, category or id" value=${wanted}
            onInput=${(e) => setWanted(e.target.value)} />
          ${offer.offers("PUT", "/v1/items/{item_id}") && html`<button
            onClick=${() => setOpened("")}>New item</button>`}
        </div>
        <p class="faint" role="status">
          ${many(found.length, "item")}${found.length > SHOWN ? `, the first ${SHOWN} shown` : ""}</p>
        <ul class="items">
          ${found.slice(0, SHOWN).map(
            (
              item,
            ) => html`<li key=${item.item_id}>
              <button aria-pressed=${String(item.item_id === opened)} onClick=${() => setOpened(item.item_id)}>
              <span>${item.title}</span><span class="faint">${item.categories.join(" · ")}</span><code>${item.item_id}
                </code>
            </button></li>`,
          )}
        </ul>
        ${!found.length && html`<${Empty} title="Nothing found">
          ${wanted ? html`Open <button class="link" onClick=${() => setOpened(wanted.trim())}>${wanted.trim()}
            </button> as an item id.` : "Type an item id and open it."}<//>`}
      </section>
      <section aria-label="Editor" class="editor">
        ${opened === null && html`<${Empty} title="No item is open">Pick one on the left, or write a new one.<//>`}
        ${opened === "" && html`<${Editor} key="new" item=${BLANK} offer=${offer} isNew=${true}
          onDone=${(id, told) => (setOpened(id), setToast(told))} />`}
        ${opened && html`<${Opened} key=${opened} itemId=${opened} offer=${offer}
          onDone=${(id, told) => (setOpened(id), setToast(told))} />`}
      </section>
    </div>
    ${toast && html`<${Toast} onGone=${() => setToast(null)}>${toast}<//>`}
  </div>`;
}

function Opened({ itemId, offer, onDone }) {
  const answer = useAnswer((signal) => call("GET", `v1/items/${segment(itemId)}`, undefined, { signal }), [itemId]);
  return html`<${Answer} answer=${answer} what="the item">
    ${(item) => html`<${Editor} item=${item} offer=${offer} onDone=${onDone} />`}<//>`;
}

function Editor({ item, offer, isNew, onDone }) {
  const [draft, setDraft] = useState({
    item_id: item.item_id,
    title: item.title,
    categories: item.categories.join(", "),
    description: item.description,
    properties: JSON.stringify(item.properties, null, 1),
  });
  const [sure, setSure] = useState(false);
  const write = (name) => (event) => setDraft({ ...draft, [name]: event.target.value });
  const save = useAction(async () => {
    const id = draft.item_id.trim();
    const properties = readProperties(draft.properties);
    const categories = draft.categories
      .split(",")
      .map((c) => c.trim())
      .filter(Boolean);
    await call("PUT", `v1/items/${segment(id)}`, {
      title: draft.title,
      categories,
      description: draft.description,
      properties,
    });
    onDone(id, `${draft.title} is written, and can be in the next slate.`);
  });
  const remove = useAction(async () => {
    await call("DELETE", `v1/items/${segment(item.item_id)}`);
    onDone(null, `${item.title} is deleted. Events on it are kept.`);
  });
  return html`<form onSubmit=${(e) => (e.preventDefault(), save.run())}>
    <h2>${isNew ? "A new item" : item.title}</h2>
    <${Field} id="item-id" label="Item id">
      <input id="item-id" required value=${draft.item_id} readonly=${!isNew} onInput=${write("item_id")} /><//>
    <${Field} id="item-title" label="Title">
      <input id="item-title" required maxlength="500" value=${draft.title} onInput=${write("title")} /><//>
    <${Field} id="item-categories" label="Categories" hint="separated by commas">
      <input id="item-categories" value=${draft.categories} onInput=${write("categories")} /><//>
    <${Field} id="item-description" label="Description">
      <textarea id="item-description" rows="4" value=${draft.description} onInput=${write("description")} /><//>
    <${Field} id="item-properties" label="Properties" hint="a JSON object, given back with every slate">
      <textarea id="item-properties" class="code" rows="4" spellcheck="false" value=${draft.properties}
        onInput=${write("properties")} /><//>
    ${(save.problem || remove.problem) && html`<${ProblemNote} problem=${save.problem ?? remove.problem} />`}
    <p class="buttons">
      ${offer.offers("PUT", "/v1/items/{item_id}") && html`<button class="primary" disabled=${save.busy}>
        ${isNew ? "Create" : "Save"}</button>`}
      ${
        !isNew &&
        offer.offers("DELETE", "/v1/items/{item_id}") &&
        (sure
          ? html`<button type="button" class="danger" disabled=${remove.busy}
            onClick=${remove.run}>Delete it for good</button>
              <button type="button" onClick=${() => setSure(false)}>Keep it</button>`
          : html`<button type="button" class="quiet" onClick=${() => setSure(true)}>Delete</button>`)
      }
    </p>
  </form>`;
}

function readProperties(text) {
  try {
    return text.trim() ? JSON.parse(text) : {};
  } catch (failure) {
    throw new Error(`The properties are no JSON object: ${failure.message}`);
  }
}
