// A score is the sum of its parts: shown so that one sees it.

import { html } from "./vendor/htm-preact/standalone.module.js";
import { plain, signed } from "./bits.js";

const TOLD = {
  text: "what its text says",
  id: "what behaviour says",
  context: "this moment",
  prior: "popularity at this hour",
  trend: "liked more lately",
  rules: "your rules",
};

// In one line: parts above zero to the right of the line, parts below zero to its left. scale: {low, high} of the slate.
export function PartsLine({ parts, scale }) {
  const { low, high } = scale;
  const width = high - low || 1;
  const bars = [];
  let right = 0;
  let left = 0;
  for (const [name, value] of Object.entries(parts)) {
    if (!value) continue;
    const from = value > 0 ? right : left + value;
    if (value > 0) right += value;
    else left += value;
    bars.push(
      html`<i class="part-${name}"
        style=${{ left: `${((from - low) / width) * 100}%`, width: `${(Math.abs(value) / width) * 100}%` }} />`,
    );
  }
  return html`<span class="parts-line" aria-hidden="true">${bars}<b style=${{ left: `${(-low / width) * 100}%` }} />
    </span>`;
}

// The extent that holds every item's parts: one scale for the whole slate.
export function scaleOf(items) {
  let low = 0;
  let high = 0;
  for (const { parts } of items) {
    const values = Object.values(parts);
    high = Math.max(
      high,
      values.filter((v) => v > 0).reduce((a, b) => a + b, 0),
    );
    low = Math.min(
      low,
      values.filter((v) => v < 0).reduce((a, b) => a + b, 0),
    );
  }
  return { low, high };
}

// One part a row, each beginning where the last one ended; the last row is the score.
export function PartsSum({ parts, score }) {
  const entries = Object.entries(parts);
  const ends = [];
  entries.reduce((sum, [, value]) => (ends.push(sum + value), sum + value), 0);
  const low = Math.min(0, ...ends);
  const high = Math.max(0, ...ends);
  const width = high - low || 1;
  const place = (from, to) => ({
    left: `${((Math.min(from, to) - low) / width) * 100}%`,
    width: `${(Math.abs(to - from) / width) * 100}%`,
  });
  const zero = html`<b style=${{ left: `${(-low / width) * 100}%` }} />`;
  return html`<table class="parts-sum">
    <caption class="sr">The parts of the score, and their sum</caption>
    <tbody>
      ${entries.map(([name, value], row) => {
        const from = row ? ends[row - 1] : 0;
        return html`<tr class=${value ? "" : "is-zero"}>
          <th scope="row">${name}<small>${TOLD[name] ?? ""}</small></th>
          <td class="parts-track" aria-hidden="true"><span>${zero}
            <i class="part-${name}" style=${place(from, ends[row])} /></span></td>
          <td class="num">${value ? signed(value) : "0"}</td>
        </tr>`;
      })}
    </tbody>
    <tfoot>
      <tr>
        <th scope="row">score<small>the sum</small></th>
        <td class="parts-track" aria-hidden="true"><span>${zero}<i class="part-total" style=${place(0, score)} /></span>
          </td>
        <td class="num"><b>${plain(score)}</b></td>
      </tr>
    </tfoot>
  </table>`;
}

export function PartsKey({ names }) {
  return html`<ul class="parts-key" aria-label="Parts of a score">
    ${names.map((name) => html`<li><i class="part-${name}" />${name}</li>`)}</ul>`;
}
