// Why an item is where it is: its parts, its reasons, what it owes to each event; and events to answer it with.

import { html, useEffect, useRef, useState } from "../vendor/htm-preact/standalone.module.js";
import { call, segment } from "../api.js";
import { toRequest, withItem } from "../asker.js";
import { Loading, ProblemNote, plain } from "../bits.js";
import { useAction, useAnswer } from "../hooks.js";
import { PartsSum } from "../parts.js";

const TYPES = ["like", "view", "dislike"];

export function Why({ item, slate, asker, change, offer, isSheet, onClose, onTold }) {
  const { title = item.item_id, categories = [], ...properties } = item.properties;
  const heading = useRef(null);
  useEffect(() => {
    if (!isSheet) return;
    heading.current.focus();
    const onKey = (event) => event.key === "Escape" && onClose();
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [isSheet]);
  const rank = slate.items.findIndex(({ item_id }) => item_id === item.item_id) + 1;
  return html`<aside class="why ${isSheet ? "is-sheet" : ""}" aria-labelledby="why-title">
    ${isSheet && html`<button class="close" onClick=${onClose}>Close</button>`}
    <p class="faint">Why number ${rank}</p>
    <h2 id="why-title" tabindex="-1" ref=${heading}>${title}</h2>
    <p class="faint">
      ${[...categories, item.sources.length && `proposed by ${item.sources.join(", ")}`].filter(Boolean).join(" · ")}
        </p>

    <h3>The score is a sum</h3>
    <${PartsSum} parts=${item.parts} score=${item.score} />

    <h3>Reasons</h3>
    <ul class="reasons">${item.reasons.map((reason) => html`<li class="is-${reason.kind}">${reason.text}</li>`)}</ul>

    <${Without} item=${item} slate=${slate} asker=${asker} change=${change} />

    ${offer.offers("POST", "/v1/events") && html`<${Tell} item=${item} slate=${slate} title=${title}
      asker=${asker} change=${change} offer=${offer} onTold=${onTold} />`}
    ${offer.offers("GET", "/v1/items/{item_id}/similar") && html`<${Similar} item=${item} />`}

    <details>
      <summary>As the API told it</summary>
      <dl class="properties">
        ${Object.entries(properties).map(([name, value]) => html`<dt>${name}</dt><dd>${String(value)}</dd>`)}</dl>
      <pre tabindex="0">${JSON.stringify(item, null, 1)}</pre>
    </details>
  </aside>`;
}

// Ranks and scores without each event. A history told in the request is simply asked about without it; what a stored
// event did is measured by the server, and comes with the slate's reasons.
function Without({ item, slate, asker, change }) {
  const isTold = asker.who === "history" && asker.history.length > 1;
  const answer = useAnswer((signal) => askWithoutEach(item, asker, signal), [slate.slate_id], { when: isTold });
  const measured = item.reasons.filter(({ kind }) => kind === "event");
  if (!isTold && asker.who !== "user" && asker.who !== "history") return null;
  if (!isTold) {
    if (measured.length) return null; // told among the reasons
    return html`<h3>Without an event</h3>
      ${asker.explain ? html`<p class="hint">No event of the history raises this item.</p>` : html`<p>
        <button onClick=${() => change({ explain: true })}>Measure what each event did</button></p>`}`;
  }
  const now = rankOf(slate, item);
  return html`<h3>Without an event</h3>
    ${answer.problem && html`<${ProblemNote} problem=${answer.problem} again=${answer.ask} />`}
    ${answer.busy && !answer.data && html`<${Loading} what="the slates without each event" />`}
    ${
      answer.data &&
      html`<table class="without">
      <thead><tr><th scope="col">had they not met</th><th scope="col" class="num">rank</th>
        <th scope="col" class="num">score</th></tr></thead>
      <tbody>
        ${answer.data.map(
          ({ event, rank, score }) => html`<tr>
          <th scope="row">${event.title}</th>
          <td class="num">
            ${rank === null ? html`<span class="faint">past ${asker.k}</span>` : html`${now} → <b>${rank}</b>`}</td>
          <td class="num">${score === null ? "" : plain(score)}</td>
        </tr>`,
        )}
      </tbody>
    </table>`
    }`;
}

const rankOf = (slate, { item_id }) => {
  const place = slate.items.findIndex((other) => other.item_id === item_id);
  return place < 0 ? null : place + 1;
};

async function askWithoutEach(item, asker, signal) {
  return Promise.all(
    asker.history.map(async (event, left) => {
      const request = toRequest({
        ...asker,
        explain: false,
        history: asker.history.filter((_, place) => place !== left),
      });
      request.exclude = [...(request.exclude ?? []), event.item_id]; // it was met all the same: it must not come back
      const slate = await call("POST", "v1/recommendations", request, { signal });
      return {
        event,
        rank: rankOf(slate, item),
        score: slate.items.find(({ item_id }) => item_id === item.item_id)?.score ?? null,
      };
    }),
  );
}

// Answer the slate with an event, and see the next one change.
function Tell({ item, slate, title, asker, change, offer, onTold }) {
  const tell = useAction(async (type) => {
    const event = {
      event_id: `console-${crypto.getRandomValues(new Uint32Array(4)).join("-")}`,
      user_id: asker.userId.trim(),
      item_id: item.item_id,
      type,
      ...(offer.has("EventIn", "slate_id") && { slate_id: slate.slate_id }),
    };
    await call("POST", "v1/events", { events: [event] });
    onTold(html`Stored: <b>${asker.userId}</b> did <b>${type}</b> on ${title}. This is the slate after it.`);
  });
  const pretend = (type) => change({ history: [...asker.history, { item_id: item.item_id, title, type }] });
  const isUser = asker.who === "user";
  return html`<h3>${isUser ? "What did they do?" : "What if they"}</h3>
    <p class="buttons">
      ${isUser && TYPES.map((type) => html`<button disabled=${tell.busy} onClick=${() => tell.run(type)}>${type}
        </button>`)}
      ${asker.who === "history" && TYPES.map((type) => html`<button onClick=${() => pretend(type)}>${type}</button>`)}
      ${!isUser && asker.who !== "history" && html`<button
        onClick=${() => change({ who: "history", history: [{ item_id: item.item_id, title, type: "like" }] })}>liked it</button>`}
      <button class="quiet"
        onClick=${() => change({ exclude: withItem(asker.exclude, { item_id: item.item_id, title }) })}>leave out</button>
    </p>
    <p class="hint">
      ${isUser ? "An event is stored for good; the next slate reflects it." : "Told with the request alone, never stored."}</p>
    ${tell.problem && html`<${ProblemNote} problem=${tell.problem} />`}`;
}

function Similar({ item }) {
  const answer = useAnswer(
    (signal) => call("GET", `v1/items/${segment(item.item_id)}/similar?k=5`, undefined, { signal }),
    [item.item_id],
  );
  if (!answer.data?.items?.length) return null;
  return html`<h3>Close to it</h3>
    <ul class="plain">
      ${answer.data.items.map((other) => html`<li>${other.properties?.title ?? other.title ?? other.item_id}</li>`)}
        </ul>`;
}
