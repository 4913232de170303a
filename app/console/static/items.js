// The catalogue as the console knows it: read as a whole, hidden items too, and anew after a write or a minute.

import { html, useState } from "./vendor/htm-preact/standalone.module.js";
import { call } from "./api.js";
import { many } from "./bits.js";
import { keep, useAnswer, useKept } from "./hooks.js";

export const LISTS = ["GET", "/v1/items/export"];
const MOST = 20_000; // some 10 MB; the rest of a larger catalogue is left where it is, and is said to be
const FRESH_MS = 60_000;

let asked = null; // {atMs, answer}: one question for all who want items

// An answer, as of useAnswer, with {items: [{item_id, title, categories, hidden}] by title, isCut}.
export function useItems(offer) {
  const [turn] = useKept("itemsTurn", 0);
  return useAnswer(() => readOnce(), [turn], { when: offer.offers(...LISTS) });
}

// After a write: whoever shows items asks for them again.
export function forgetItems() {
  asked = null;
  keep("itemsTurn", (turn) => (turn ?? 0) + 1);
}

export const bySearch = (wanted) => {
  const text = wanted.trim().toLowerCase();
  return ({ title, item_id, categories }) =>
    !text ||
    title.toLowerCase().includes(text) ||
    item_id.toLowerCase() === text ||
    categories.some((category) => category.toLowerCase() === text);
};

function readOnce() {
  if (asked && Date.now() - asked.atMs < FRESH_MS) return asked.answer;
  const question = { atMs: Date.now(), answer: readItems() };
  question.answer.catch(() => asked === question && (asked = null));
  asked = question;
  return question.answer;
}

async function readItems() {
  const stream = await call("GET", "v1/items/export", undefined, { as: "stream" });
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const lines = [];
  let rest = "";
  let isWhole = false;
  while (!isWhole && lines.length <= MOST) {
    const { done, value = "\n" } = await reader.read();
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const line of parts) if (line) lines.push(line);
    isWhole = done;
  }
  if (!isWhole) reader.cancel();
  const items = lines.slice(0, MOST).map((line) => {
    const { item_id, title, categories = [], hidden = false } = JSON.parse(line);
    return { item_id, title, categories, hidden };
  });
  const titles = new Intl.Collator("en", { numeric: true });
  return { items: items.sort((a, b) => titles.compare(a.title, b.title)), isCut: lines.length > MOST };
}

// Find an item by its title, with the keyboard as with the pointer. known: the answer of useItems.
export function ItemSearch({ id, known, onPick, placeholder }) {
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const wanted = text.trim();
  const found = wanted && known.data ? known.data.items.filter(bySearch(wanted)).slice(0, 8) : [];
  const pick = (item) => {
    onPick(item);
    setText("");
    setOpen(false);
  };
  const onKeyDown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      setAt((at + step + found.length) % found.length);
    }
    if (event.key === "Enter" && open && found[at]) {
      event.preventDefault();
      pick(found[at]);
    }
    if (event.key === "Escape") setOpen(false);
  };
  const shown = open && found.length > 0;
  return html`<div class="search">
    <input
      id=${id}
      role="combobox"
      autocomplete="off"
      aria-expanded=${String(shown)}
      aria-controls="${id}-list"
      aria-activedescendant=${shown ? `${id}-${at}` : undefined}
      placeholder=${placeholder}
      value=${text}
      onFocus=${() => known.problem && known.ask()}
      onInput=${(e) => (setText(e.target.value), setOpen(true), setAt(0))}
      onKeyDown=${onKeyDown}
      onBlur=${() => setOpen(false)}
    />
    <ul id="${id}-list" role="listbox" aria-label="Items found" hidden=${!shown}>
      ${found.map(
        (item, place) => html`<li
          id="${id}-${place}"
          role="option"
          aria-selected=${String(place === at)}
          onMouseDown=${(e) => (e.preventDefault(), pick(item))}
        >
          ${item.title}<span class="faint">${item.hidden ? "hidden · " : ""}${item.item_id}</span>
        </li>`,
      )}
    </ul>
    ${open && wanted && !found.length && html`<p class="hint" role="status">${whyNone(known)}</p>`}
  </div>`;
}

function whyNone({ data, problem, busy }) {
  if (problem) return `The catalogue could not be read: ${problem.message}`;
  if (busy) return "Reading the catalogue …";
  if (!data) return "This server does not list its items.";
  if (data.isCut) return `Nothing is called that among the first ${many(data.items.length, "item")} by id.`;
  return "Nothing is called that here.";
}
