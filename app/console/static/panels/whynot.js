// Why an item is not in the slate, and what would bring it in: each way was tried by the server and can be taken here.

import { html } from "../vendor/htm-preact/standalone.module.js";
import { call, segment } from "../api.js";
import { dayOf } from "../asker.js";
import { Answer, ProblemNote, plain } from "../bits.js";
import { useAction } from "../hooks.js";
import { PartsSum } from "../parts.js";
import { Aside } from "./aside.js";
import { Said, Standing, useExplanation } from "./standing.js";

export function WhyNot({ item, slate, asker, change, offer, isSheet, onClose, onSaid }) {
  const answer = useExplanation(slate, item.item_id, true);
  return html`<${Aside} over="Why it is not here" title=${item.title} isSheet=${isSheet} onClose=${onClose}>
    <${Answer} answer=${answer} what="why it is not in the slate">${(told) => html`
      <${Said} told=${told} />
      <${Remedies} told=${told} asker=${asker} change=${change} offer=${offer} onSaid=${onSaid} />
      <h3>In the full ranking</h3>
      <${Standing} told=${told} />
      <h3>The score it would have</h3>
      <${PartsSum} parts=${told.parts} score=${told.score} />
      ${told.gap !== null && html`<p class="hint">
        ${plain(Math.abs(told.gap))} ${told.gap < 0 ? "below" : "above"} the last place of the slate.</p>`}
    `}<//>
  <//>`;
}

function Remedies({ told, asker, change, offer, onSaid }) {
  const takeBack = useAction(async (phrase) => {
    const operations = [{ op: "reset", phrase }];
    await call("PATCH", `v1/users/${segment(asker.userId.trim())}/interests`, { operations });
    onSaid();
  });
  if (told.verdict === "shown") return null;
  const actions = told.remedies.map((remedy) => [remedy, actionOf(remedy, { asker, change, offer, takeBack })]);
  return html`<h3>What would bring it in</h3>
    ${
      actions.length
        ? html`<ul class="remedies">${actions.map(
            ([{ text, enters }, action]) => html`<li class=${enters ? "enters" : ""}>
          <span>${text}<small>${enters ? "in this slate" : "nearer, not in this slate"}</small></span>
          ${action && html`<button disabled=${takeBack.busy} onClick=${action} aria-label="Try it: ${text}">Try it</button>`}
        </li>`,
          )}</ul>`
        : html`<p class="hint">Nothing that was tried lifts it: no event less, no phrase, no other moment.</p>`
    }
    ${takeBack.problem && html`<${ProblemNote} problem=${takeBack.problem} />`}`;
}

// How the page does what a remedy says; null for what it cannot, such as undoing an event that is stored.
function actionOf({ kind, change: to }, { asker, change, offer, takeBack }) {
  if (kind === "phrase") return () => change({ steer: to.steer, steerWeight: to.steer_weight });
  if (kind === "exclude") return () => change({ exclude: asker.exclude.filter((i) => i.item_id !== to.exclude) });
  if (kind === "seen") return () => change({ seen: to.seen });
  if (kind === "filter" && asker.filter.trim()) return () => change({ filter: "" });
  if (kind === "event" && asker.history.some((event) => event.item_id === to.item_id))
    return () => change({ history: asker.history.filter((event) => event.item_id !== to.item_id) });
  if (kind === "edit" && asker.who === "user" && offer.offers("PATCH", "/v1/users/{user_id}/interests"))
    return () => takeBack.run(to.phrase);
  if (kind !== "context") return null;
  if (to.at) return () => change({ hour: new Date(to.at).getUTCHours(), day: dayOf(new Date(to.at)) });
  const told = Object.entries(to).map(([name, value]) => ({ name, value }));
  return () => change({ features: [...asker.features.filter(({ name }) => !(name in to)), ...told] });
}
