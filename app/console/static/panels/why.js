// Why an item is where it is: its parts, its reasons, what it owes to each event; and events to answer it with.

import { html } from "../vendor/htm-preact/standalone.module.js";
import { call, segment } from "../api.js";
import { withItem } from "../asker.js";
import { Answer, ProblemNote, plain } from "../bits.js";
import { useAction, useAnswer } from "../hooks.js";
import { PartsSum } from "../parts.js";
import { Aside } from "./aside.js";
import { EXPLAINS, Said, Standing, useExplanation } from "./standing.js";

const TYPES = ["like", "view", "dislike"];

export function Why({ item, slate, asker, change, offer, isSheet, onClose, onTold }) {
  const { title = item.item_id, categories = [], ...properties } = item.properties;
  const explains = offer.offers(...EXPLAINS);
  const explained = useExplanation(slate, item.item_id, explains);
  const rank = slate.items.findIndex(({ item_id }) => item_id === item.item_id) + 1;
  const under = [...categories, item.sources.length && `proposed by ${item.sources.join(", ")}`].filter(Boolean);
  return html`<${Aside} over="Why number ${rank}" title=${title} under=${under.join(" · ")} isSheet=${isSheet}
    onClose=${onClose}>
    <h3>The score is a sum</h3>
    <${PartsSum} parts=${item.parts} score=${item.score} />

    ${item.rules.length > 0 && html`<h3>Besides its score</h3>
      <ul class="reasons">${item.rules.map((rule) => html`<li>${ruleOf(rule, item)}</li>`)}</ul>`}

    <h3>Reasons</h3>
    <ul class="reasons">${item.reasons.map((reason) => html`<li class="is-${reason.kind}">${reason.text}</li>`)}</ul>

    ${explains && html`<${Answer} answer=${explained} what="where it stands in the full ranking">
      ${(told) => html`<h3>In the full ranking</h3><${Said} told=${told} /><${Standing} told=${told} />`}<//>`}

    ${offer.offers("POST", "/v1/events") && html`<${Tell} item=${item} slate=${slate} title=${title}
      asker=${asker} change=${change} offer=${offer} onTold=${onTold} />`}
    ${offer.offers("GET", "/v1/items/{item_id}/similar") && html`<${Similar} item=${item} />`}

    <details>
      <summary>As the API told it</summary>
      <dl class="properties">
        ${Object.entries(properties).map(([name, value]) => html`<dt>${name}</dt><dd>${String(value)}</dd>`)}</dl>
      <pre tabindex="0">${JSON.stringify(item, null, 1)}</pre>
    </details>
  <//>`;
}

// What is shown with an item: its label, and the rules that put it where it is.
export const marksOf = ({ rules, label }) => [label, ...rules.filter((rule) => rule !== "sponsored" || !label)].filter(Boolean);

const RULES = {
  pinned: () => "Pinned: the placement puts it here, whatever it scores.",
  sponsored: ({ label }) => `A place that is paid for${label ? `, and says so: ${label}` : ""}.`,
  explored: ({ propensity }) => `Explored: chance put it here, with a probability of ${plain(propensity, 3)}.`,
};

const ruleOf = (rule, item) => RULES[rule]?.(item) ?? rule.replaceAll("_", " ");

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
  return html`<h3>Close to it</h3>
    <${Answer} answer=${answer} what="what is close to it">${({ items }) =>
      items.length
        ? html`<ul class="plain similar">${items.map(({ item_id, properties }) => html`<li>${properties.title ?? item_id}</li>`)}</ul>`
        : html`<p class="hint">Nothing else may be shown.</p>`}<//>`;
}
