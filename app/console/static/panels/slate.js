// Try a slate: say who asks and in which moment, watch items and ranks move, and open an item to see why.

import { html, useRef, useState } from "../vendor/htm-preact/standalone.module.js";
import { call } from "../api.js";
import { Asker, toRequest, useAsker } from "../asker.js";
import { Answer, Empty, Field, ms, plain, Toast, useGlide } from "../bits.js";
import { Degraded, Shorter } from "../degraded.js";
import { useAnswer, useMedia } from "../hooks.js";
import { ItemSearch, useItems } from "../items.js";
import { PartsKey, PartsLine, scaleOf } from "../parts.js";
import { EXPLAINS } from "./standing.js";
import { Why, marksOf } from "./why.js";
import { WhyNot } from "./whynot.js";

export function Slate({ offer }) {
  const [asker, change] = useAsker();
  const request = toRequest(asker);
  const answer = useAnswer((signal) => call("POST", "v1/recommendations", request, { signal }), request, {
    waitMs: 160,
    when: request !== null,
  });
  const slate = answer.data;
  const before = usePrevious(slate);
  const [opened, setOpened] = useState(null);
  const known = useItems(offer);
  const [toast, setToast] = useState(null);
  const isWide = useMedia("(min-width: 1180px)");
  const [missed, setMissed] = useState(null); // an item that was asked for and is not in the slate
  const shown = slate?.items.find(({ item_id }) => item_id === opened);
  const isMissed = slate && !shown && missed !== null && missed.item_id === opened;
  const item = shown ?? (isWide && !isMissed ? slate?.items[0] : null);
  const close = () => {
    setOpened(null);
    (document.querySelector(`[data-key="${CSS.escape(opened ?? "")}"] button`) ?? document.getElementById("missing"))?.focus();
  };
  return html`<div class="slate-panel">
    <div class="title"><h1 tabindex="-1">Slate</h1><p>Change who asks, or the moment, and watch the ranks move.</p>
      </div>
    <${Asker} offer=${offer} />
    <section class="slate" aria-label="The slate">
      ${request === null && html`<${Empty}
        title="Who is asking?">Give a user id, a few words, or a history, and a slate appears here.<//>`}
      ${
        request !== null &&
        html`<${Answer} answer=${answer} what="the slate">
        ${(served) => html`<${Ranked} slate=${served} before=${before} opened=${item?.item_id} onOpen=${setOpened} />
          ${offer.offers(...EXPLAINS) && html`<${Missing} known=${known}
            onPick=${(picked) => (setMissed(picked), setOpened(picked.item_id))} />`}
          <${ServedBy} servedBy=${served.served_by} />`}
      <//>`
      }
    </section>
    ${request !== null && item && html`<${Why} key=${item.item_id} item=${item} slate=${slate} asker=${asker}
      change=${change} offer=${offer} isSheet=${!isWide} onClose=${close}
        onTold=${(told) => (setToast(told), answer.ask())} />`}
    ${request !== null && isMissed && html`<${WhyNot} key=${opened} item=${missed} slate=${slate} asker=${asker}
      change=${change} offer=${offer} isSheet=${!isWide} onClose=${close} onSaid=${answer.ask} />`}
    ${toast && html`<${Toast} onGone=${() => setToast(null)}>${toast}<//>`}
  </div>`;
}

function Ranked({ slate, before, opened, onOpen }) {
  const { items } = slate;
  const scale = scaleOf(items);
  const was = new Map(before?.items.map(({ item_id }, rank) => [item_id, rank]));
  const list = useGlide(items.map(({ item_id }) => item_id));
  if (!items.length)
    return html`<${Empty}
      title="An empty slate">Nothing that may be shown is left: leave out less, or allow what was seen.<//>`;
  return html`
    <div class="slate-head"><${PartsKey} names=${Object.keys(items[0].parts)} /><span>score</span></div>
    <ol class="ranked" ref=${list}>
      ${items.map((item, rank) => {
        const { title, categories } = item.properties;
        const isOpen = item.item_id === opened;
        return html`<li key=${item.item_id} data-key=${item.item_id} class=${isOpen ? "is-open" : ""}>
          <button aria-expanded=${String(isOpen)} onClick=${() => onOpen(item.item_id)}>
            <span class="rank">${rank + 1}</span>
            <${Moved} from=${was.get(item.item_id)} to=${rank} known=${Boolean(before)} />
            <span class="what">
              <span class="item-title">${title ?? item.item_id}</span>
              ${marksOf(item).length > 0 && html`<span class="marks">${marksOf(item).map((mark) => html`<span class="badge">
                ${mark}</span>`)}</span>`}
              <span class="because">${item.reasons[0]?.text ?? (categories ?? []).join(" · ")}</span>
            </span>
            <${PartsLine} parts=${item.parts} scale=${scale} />
            <span class="num">${plain(item.score)}</span>
          </button>
        </li>`;
      })}
    </ol>
  `;
}

// An item that one would have expected, and what kept it out.
function Missing({ known, onPick }) {
  return html`<div class="missing"><${Field} id="missing" label="Why is something not here?">
    <${ItemSearch} id="missing" known=${known} placeholder="a title" onPick=${onPick} /><//></div>`;
}

// Against the slate before this one: how far an item moved, or that it is new.
function Moved({ from, to, known }) {
  if (!known || from === to) return html`<span class="moved" />`;
  if (from === undefined) return html`<span class="moved is-new">new</span>`;
  const by = from - to;
  const told = by > 0 ? `up ${by}` : `down ${-by}`;
  return html`<span class="moved ${by > 0 ? "is-up" : "is-down"}">
    <span aria-hidden="true">${by > 0 ? "↑" : "↓"}${Math.abs(by)}</span><span class="sr">${told}</span></span>`;
}

const RUNGS = {
  fresh: "interests read for this answer",
  cached: "interests from the cache, as new as the history",
  stale: "interests older than the history",
  popular: "nothing known: popular in this context",
};

function ServedBy({ servedBy }) {
  const { rung, bundle, arm, took_ms: took, degraded, warnings, unknown_items: unknown } = servedBy;
  const whole = Object.values(took).reduce((a, b) => a + b, 0);
  return html`<footer class="served">
    <${Degraded} reasons=${degraded} />
    <${Shorter} warnings=${warnings} />
    ${unknown.length > 0 && html`<p>Not in the catalogue, and skipped: ${unknown.map((id) => html`<code>${id}</code> `)}
      </p>`}
    <p class="rung is-${rung}"><b>${rung}</b> ${RUNGS[rung] ?? ""}</p>
    <div class="took" aria-label="Milliseconds of each stage">
      ${Object.entries(took).map(([stage, value]) => html`<span
        style=${{ flexGrow: Math.max(value / (whole || 1), 0.02) }}><i aria-hidden="true" /><small>${stage}
          <br />${ms(value)}</small></span>`)}
    </div>
    <p class="faint">${ms(whole)} in all · bundle <code>${bundle}</code>${arm && html` · arm <code>${arm}</code>`}</p>
  </footer>`;
}

// The value before the one of now, for as long as there was one.
function usePrevious(value) {
  const seen = useRef({ now: null, before: null });
  if (value && value !== seen.current.now) seen.current = { now: value, before: seen.current.now };
  return seen.current.before;
}
