// One item, to be changed or written. A change is sent as a merge patch: what is not touched here stays as it is.

import { html, useState } from "../vendor/htm-preact/standalone.module.js";
import { call, segment } from "../api.js";
import { Answer, Field, ProblemNote, Sure, Switch } from "../bits.js";
import { useAction, useAnswer } from "../hooks.js";
import { forgetItems } from "../items.js";

const ITEM = "/v1/items/{item_id}";
const BLANK = { item_id: "", title: "", categories: [], description: "", properties: {}, hidden: false };

export function NewItem({ offer, onDone }) {
  return html`<${Editor} item=${BLANK} offer=${offer} isNew=${true} onDone=${onDone} />`;
}

export function OpenedItem({ itemId, offer, onDone }) {
  const answer = useAnswer((signal) => call("GET", `v1/items/${segment(itemId)}`, undefined, { signal }), [itemId]);
  return html`<${Answer} answer=${answer} what="the item">
    ${(item) => html`<${Editor} item=${item} offer=${offer} onDone=${onDone} />`}<//>`;
}

// onDone: (the id to open, or null; what was done).
function Editor({ item, offer, isNew, onDone }) {
  const [stored, setStored] = useState(item);
  const [draft, setDraft] = useState(() => draftOf(item));
  const canSave = offer.offers(isNew ? "PUT" : "PATCH", ITEM);
  const set = (change) => setDraft({ ...draft, ...change });
  const write = (name) => (event) => set({ [name]: event.target.value });
  const save = useAction(async () => {
    const told = readDraft(draft);
    const id = draft.item_id.trim();
    if (isNew) await create(id, told);
    else {
      const now = await change(id, patchOf(stored, told)); // with what others wrote meanwhile
      setStored(now);
      setDraft(draftOf(now));
    }
    forgetItems();
    const where = told.hidden ? "and in no slate" : "and can be in the next slate";
    onDone(id, `${told.title} is ${isNew ? "written" : "changed"}, ${where}.`);
  });
  const remove = useAction(async () => {
    await call("DELETE", `v1/items/${segment(stored.item_id)}`);
    forgetItems();
    onDone(null, `${stored.title} is deleted. Events on it are kept.`);
  });
  return html`<form onSubmit=${(e) => (e.preventDefault(), save.run())}>
    <h2>${isNew ? "A new item" : stored.title}</h2>
    <${Field} id="item-id" label="Item id">
      <input id="item-id" required maxlength="256" value=${draft.item_id} readonly=${!isNew} onInput=${write("item_id")} /><//>
    <${Field} id="item-title" label="Title">
      <input id="item-title" required maxlength="500" value=${draft.title} onInput=${write("title")} /><//>
    <${Field} id="item-categories" label="Categories" hint="separated by commas">
      <input id="item-categories" value=${draft.categories} onInput=${write("categories")} /><//>
    <${Field} id="item-description" label="Description">
      <textarea id="item-description" rows="4" value=${draft.description} onInput=${write("description")} /><//>
    <${Field} id="item-properties" label="Properties" hint="a JSON object, given back with every slate">
      <textarea id="item-properties" class="code" rows="4" spellcheck="false" value=${draft.properties}
        onInput=${write("properties")} /><//>
    <${Switch} label="Hidden" hint="kept, and in no slate" value=${draft.hidden} onSet=${(hidden) => set({ hidden })} />
    ${(save.problem || remove.problem) && html`<${ProblemNote} problem=${save.problem ?? remove.problem} />`}
    <p class="buttons">
      ${canSave && html`<button class="primary" disabled=${save.busy}>${isNew ? "Create" : "Save"}</button>`}
      ${
        !isNew &&
        offer.offers("DELETE", ITEM) &&
        html`<${Sure} action=${remove} ask="Delete" yes="Delete it for good" no="Keep it" />`
      }
    </p>
  </form>`;
}

async function create(id, told) {
  const path = `v1/items/${segment(id)}`;
  const known = await call("GET", path).catch((problem) => {
    if (problem.status !== 404) throw problem;
  });
  if (known) throw new Error(`${id} is an item already, ${known.title}: open it to change it.`);
  return call("PUT", path, told);
}

const change = (id, patch) =>
  call("PATCH", `v1/items/${segment(id)}`, JSON.stringify(patch), { type: "application/merge-patch+json" });

const draftOf = ({ categories, properties, ...others }) => ({
  ...others,
  categories: categories.join(", "),
  properties: JSON.stringify(properties, null, 1),
});

function readDraft({ title, categories, description, properties, hidden }) {
  const names = categories.split(",").map((name) => name.trim());
  return { title: title.trim(), categories: names.filter(Boolean), description, properties: readProperties(properties), hidden };
}

function readProperties(text) {
  let told;
  try {
    told = text.trim() ? JSON.parse(text) : {};
  } catch (failure) {
    throw new Error(`The properties are no JSON object: ${failure.message}`);
  }
  if (told === null || typeof told !== "object" || Array.isArray(told))
    throw new Error('The properties are no JSON object: write {"year": 2024}, or nothing.');
  return told;
}

// RFC 7386: what is as it was is left out, and a property that is gone is null.
function patchOf(was, is) {
  const patch = changed(was, is);
  if (!patch.properties) return patch;
  const gone = Object.keys(was.properties).filter((name) => !(name in is.properties));
  const nulls = Object.fromEntries(gone.map((name) => [name, null]));
  return { ...patch, properties: { ...nulls, ...changed(was.properties, is.properties) } };
}

const changed = (was, is) =>
  Object.fromEntries(Object.entries(is).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(was[name])));
