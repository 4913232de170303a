// Small views that every panel uses: the states of an answer, controls, numbers.

import { html, useEffect, useRef, useState } from "./vendor/htm-preact/standalone.module.js";

// What rounds to nothing has no sign.
const sized = (value, digits, [minus, plus]) => {
  const size = Math.abs(value).toFixed(digits);
  return `${Number(size) ? (value < 0 ? minus : plus) : ""}${size}`;
};
export const signed = (value, digits = 2) => sized(value, digits, ["−", "+"]);
export const plain = (value, digits = 2) => sized(value, digits, ["−", ""]);
export const percent = (share) => `${Math.round(share * 100)}%`;
export const many = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
export const ms = (value) =>
  value >= 100 ? `${Math.round(value)} ms` : value >= 1 ? `${value.toFixed(1)} ms` : `${value.toFixed(2)} ms`;

export function Loading({ what }) {
  return html`<div class="loading" role="status"><span class="sr">Loading ${what}</span><i /><i /><i /></div>`;
}

export function Empty({ title, children }) {
  return html`<div class="empty"><p class="empty-title">${title}</p><p>${children}</p></div>`;
}

// An RFC 9457 problem as people read it.
export function ProblemNote({ problem, again }) {
  return html`<div class="problem" role="alert">
    <p class="problem-title">${problem.status ? html`<b>${problem.status}</b> ` : ""}${problem.title}</p>
    ${problem.detail && html`<p>${problem.detail}</p>`}
    ${problem.errors?.length > 1 && html`<ul>
      ${problem.errors.map((e) => html`<li><code>${e.location}</code> ${e.message}</li>`)}</ul>`}
    <p class="problem-foot">
      ${again && html`<button class="quiet" onClick=${again}>Ask again</button>`}
      ${problem.request_id && html`<span>Request <code>${problem.request_id}</code></span>`}
    </p>
  </div>`;
}

// One answer in whichever state it is in. children: data to what is shown of it.
export function Answer({ answer, what, children }) {
  if (answer.problem) return html`<${ProblemNote} problem=${answer.problem} again=${answer.ask} />`;
  if (answer.data === null) return answer.busy ? html`<${Loading} what=${what} />` : null;
  return html`<div class="answer ${answer.busy ? "is-busy" : ""}" aria-busy=${answer.busy}>${children(answer.data)}
    </div>`;
}

export function Field({ label, hint, children, id }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>${children}${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
  </div>`;
}

// One of a few: radio buttons that look like one control.
export function Choice({ name, label, options, value, onPick }) {
  return html`<fieldset class="choice">
    <legend class="sr">${label}</legend>
    ${options.map(
      ([option, text]) => html`<label class=${option === value ? "is-on" : ""}>
        <input type="radio" name=${name} value=${option} checked=${option === value} onChange=${() => onPick(option)} />
        <span>${text}</span>
      </label>`,
    )}
  </fieldset>`;
}

export function Switch({ label, value, onSet, hint }) {
  return html`<label class="switch">
    <input type="checkbox" role="switch" checked=${value} onChange=${(e) => onSet(e.target.checked)} />
    <span>${label}${hint && html`<small>${hint}</small>`}</span>
  </label>`;
}

// Asks before it does what cannot be taken back. action: of useAction. ask, yes, no: what the buttons say.
export function Sure({ action, ask, yes, no }) {
  const [sure, setSure] = useState(false);
  if (!sure) return html`<button type="button" class="quiet" onClick=${() => setSure(true)}>${ask}</button>`;
  return html`<button type="button" class="danger" disabled=${action.busy} onClick=${action.run}>${yes}</button>
    <button type="button" onClick=${() => setSure(false)}>${no}</button>`;
}

export function Chip({ children, onRemove, name }) {
  return html`<li class="chip"><span>${children}</span>
    <button aria-label="Remove ${name}" onClick=${onRemove}>×</button></li>`;
}

// A table that may be wider than the page: it scrolls by itself, by keyboard too.
export function Scroll({ label, children }) {
  return html`<div class="scroll" role="region" aria-label=${label} tabindex="0">${children}</div>`;
}

// A word for what has just been done, spoken to those who cannot see it; gone after a while.
export function Toast({ children, onGone }) {
  useEffect(() => {
    const timer = setTimeout(onGone, 6_000);
    return () => clearTimeout(timer);
  }, [children]);
  return html`<div class="toast" role="status">${children}</div>`;
}

// Children glide from where they were to where they are; `keys` is their order. Still where motion is unwelcome.
export function useGlide(keys) {
  const list = useRef(null);
  const before = useRef(new Map());
  useEffect(() => {
    if (!list.current) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const after = new Map();
    for (const row of list.current.children) {
      const top = row.offsetTop;
      const was = before.current.get(row.dataset.key);
      after.set(row.dataset.key, top);
      if (still || was === top) continue;
      const from = was === undefined ? { opacity: 0 } : { transform: `translateY(${was - top}px)` };
      row.animate([from, { opacity: 1, transform: "none" }], { duration: 380, easing: "cubic-bezier(.2,.7,.2,1)" });
    }
    before.current = after;
  }, [keys.join("\n")]);
  return list;
}

// The colour that a custom property stands for in the theme of now, for canvases.
export function ink(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
