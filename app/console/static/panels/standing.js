// Where an item stands in the full ranking behind a slate, and what it owes to each event: worked out by the server.

import { html } from "../vendor/htm-preact/standalone.module.js";
import { call, segment } from "../api.js";
import { many, plain } from "../bits.js";
import { useAnswer } from "../hooks.js";

export const EXPLAINS = ["GET", "/v1/slates/{slate_id}/items/{item_id}/explanation"];

// A moment later than the slate itself: some ten histories are encoded for it, and a slider may still be moving.
export function useExplanation(slate, itemId, when) {
  const url = `v1/slates/${segment(slate.slate_id)}/items/${segment(itemId)}/explanation`;
  return useAnswer((signal) => call("GET", url, undefined, { signal }), [slate.slate_id, itemId], { waitMs: 400, when });
}

// The verdict in a sentence.
export function Said({ told }) {
  const { text, n_eligible: among, reproduced } = told;
  return html`<p class="told">${text}, of ${many(among, "item")} that may appear.</p>
    ${
      !reproduced &&
      html`<p class="hint" role="note">Something has changed since that slate: this is worked out as things are now.</p>`
    }`;
}

export function Standing({ told }) {
  const { phrases, context, evidence, rank } = told;
  return html`
    <p class="told">${context.text}.</p>
    ${phrases.length > 0 && html`<p class="told">What it shares with the interest that speaks for it: ${phrases.join(" · ")}
      </p>`}
    <h3>Without an event</h3>
    ${evidence.length ? html`<${WithoutEach} evidence=${evidence} rank=${rank} />` : html`<p class="hint">
      No event of the history changes its rank.</p>`}
  `;
}

function WithoutEach({ evidence, rank }) {
  return html`<table class="without">
    <thead><tr><th scope="col">had they not met</th><th scope="col" class="num">rank</th>
      <th scope="col" class="num">score</th></tr></thead>
    <tbody>
      ${evidence.map(
        (without) => html`<tr>
        <th scope="row">${without.title}</th>
        <td class="num">${rank} → <b>${without.rank}</b></td>
        <td class="num">${plain(without.score)}</td>
      </tr>`,
      )}
    </tbody>
  </table>`;
}
