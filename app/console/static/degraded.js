// What an answer had to do without, and why it is shorter than it was asked to be, in sentences.

import { html } from "./vendor/htm-preact/standalone.module.js";

const LOST = {
  deadline: "The time for this answer ran out: stages after that were left out.",
  encoder_overloaded: "The encoder had no time to read the history.",
  interest_cache_unavailable: "The interest cache is away: slower, nothing lost.",
  words_unread: "The words were not read in time.",
  steer_unread: "The sentence that steers was not read in time.",
  edits_unread: "Not all that the user said of phrases was read in time.",
  items_unread: "Items told with the request were not read in time.",
  evidence_not_measured: "There was no time to measure the evidence.",
};

const SHORT = {
  few_eligible: "Shorter than asked for: no more items may be shown.",
  capped: "Shorter than asked for: the placement's caps let no more in.",
  few_relevant: "Shorter than asked for: no more items are relevant enough.",
};

// reasons: of `degraded`.
export function Degraded({ reasons }) {
  if (!reasons?.length) return null;
  return html`<div class="degraded" role="status"><b>Degraded</b>${reasons.map((reason) => html`<p>${lost(reason)}</p>`)}
    </div>`;
}

// warnings: of `served_by.warnings`.
export function Shorter({ warnings }) {
  return (warnings ?? []).map((warning) => html`<p class="shorter" role="status">
    ${SHORT[warning] ?? warning.replaceAll("_", " ")}</p>`);
}

function lost(reason) {
  const [, source] = /^source_(.+)_failed$/.exec(reason) ?? [];
  if (source) return `The source ${source.replaceAll("_", " ")} failed: the others proposed.`;
  return LOST[reason] ?? reason.replaceAll("_", " ");
}
