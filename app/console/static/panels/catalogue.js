// The catalogue: look for an item, read it, change it, hide it, delete it. What is written is in the next slate.

import { html, useState } from "../vendor/htm-preact/standalone.module.js";
import { call } from "../api.js";
import { Answer, Choice, Empty, ProblemNote, Toast, many } from "../bits.js";
import { useAction } from "../hooks.js";
import { LISTS, bySearch, useItems } from "../items.js";
import { NewItem, OpenedItem } from "./editor.js";

const SHOWN = 200;
const WHICH = [
  ["all", "All"],
  ["shown", "Shown"],
  ["hidden", "Hidden"],
];

export function Catalogue({ offer }) {
  const known = useItems(offer);
  const [wanted, setWanted] = useState("");
  const [which, setWhich] = useState("all");
  const [opened, setOpened] = useState(null); // an item_id, or "" for a new item
  const [toast, setToast] = useState(null);
  const onDone = (id, told) => (setOpened(id), setToast(told));
  const list = { opened, onOpen: setOpened };
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
        <${Choice} name="which" label="Which items" value=${which} options=${WHICH} onPick=${setWhich} />
        <${Answer} answer=${known} what="the catalogue">${(told) => html`
          <${Found} told=${told} wanted=${wanted} which=${which} ...${list} />
          ${told.isCut && html`<${Beyond} key=${wanted} wanted=${wanted} offer=${offer} ...${list} />`}
        `}<//>
        ${!offer.offers(...LISTS) && html`<${Empty} title="This server does not list its items">
          <${ById} wanted=${wanted} onOpen=${setOpened} /><//>`}
      </section>
      <section aria-label="Editor" class="editor">
        ${opened === null && html`<${Empty} title="No item is open">Pick one of the list, or write a new one.<//>`}
        ${opened === "" && html`<${NewItem} offer=${offer} onDone=${onDone} />`}
        ${opened && html`<${OpenedItem} key=${opened} itemId=${opened} offer=${offer} onDone=${onDone} />`}
      </section>
    </div>
    ${toast && html`<${Toast} onGone=${() => setToast(null)}>${toast}<//>`}
  </div>`;
}

function Found({ told, wanted, which, opened, onOpen }) {
  const holds = bySearch(wanted);
  const found = told.items.filter((item) => (which === "all" || item.hidden === (which === "hidden")) && holds(item));
  return html`
    <p class="faint" role="status">${many(found.length, "item")}${found.length > SHOWN ? `, the first ${SHOWN} shown` : ""}
      ${told.isCut && html` · of the first ${told.items.length.toLocaleString("en")} by id: this catalogue is larger`}</p>
    ${found.length > 0 && html`<${List} items=${found.slice(0, SHOWN)} opened=${opened} onOpen=${onOpen} />`}
    ${!found.length && html`<${Empty} title=${which === "hidden" && !wanted ? "Nothing is hidden" : "Nothing found"}>
      <${ById} wanted=${wanted} onOpen=${onOpen} /><//>`}`;
}

function List({ items, opened, onOpen }) {
  return html`<ul class="items" aria-label="Items found">
    ${items.map(
      (item) => html`<li key=${item.item_id}>
        <button aria-pressed=${String(item.item_id === opened)} onClick=${() => onOpen(item.item_id)}>
          <span>${item.title}${item.hidden && html` <span class="badge is-off">hidden</span>`}</span>
          <span class="faint">${item.categories.join(" · ")}</span><code>${item.item_id}</code>
        </button></li>`,
    )}
  </ul>`;
}

function ById({ wanted, onOpen }) {
  const id = wanted.trim();
  if (!id) return "Type an item id to open it.";
  return html`Open <button class="link" onClick=${() => onOpen(id)}>${id}</button> as an item id.`;
}

// What lies past the part that is listed is looked for by the server: by meaning, and only when one asks for it.
function Beyond({ wanted, offer, opened, onOpen }) {
  const search = useAction(() => call("POST", "v1/search", { words: wanted.trim(), k: 50 }));
  if (!wanted.trim() || !offer.offers("POST", "/v1/search")) return null;
  const items = search.done?.items.map(({ item_id, properties }) => ({ categories: [], ...properties, item_id, hidden: false }));
  return html`<p class="buttons list-foot"><button disabled=${search.busy} onClick=${() => search.run()}>
      Search all of it for “${wanted.trim()}”</button></p>
    ${search.problem && html`<${ProblemNote} problem=${search.problem} />`}
    ${items && html`<${List} items=${items} opened=${opened} onOpen=${onOpen} />`}`;
}
