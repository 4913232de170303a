// What users made of their slates: rates over time, and side by side for each placement, arm or bundle.

import { html, useState } from "../vendor/htm-preact/standalone.module.js";
import { call } from "../api.js";
import { Answer, Choice, Empty, Scroll, many, ms } from "../bits.js";
import { Chart } from "../chart.js";
import { useAnswer } from "../hooks.js";

const HOUR_S = 3_600;
const WINDOWS = [
  [HOUR_S, "Hour"],
  [24 * HOUR_S, "Day"],
  [7 * 24 * HOUR_S, "Week"],
  [30 * 24 * HOUR_S, "Month"],
];
const GROUPS = [
  ["", "Together"],
  ["placement", "By placement"],
  ["arm", "By arm"],
  ["bundle", "By bundle"],
];
const BUCKETS = 48;
const STROKES = ["--accent", "--ink", "--dot", "--part-id", "--ink-2", "--line-2"];

export function Outcomes() {
  const [windowS, setWindowS] = useState(24 * HOUR_S);
  const [by, setBy] = useState("");
  const ask = (buckets) => (signal) =>
    call("GET", `v1/metrics/online?${asQuery({ window_s: windowS, buckets, by })}`, undefined, { signal });
  const whole = useAnswer(ask(1), [windowS, by]);
  const overTime = useAnswer(ask(BUCKETS), [windowS, by]);
  return html`<div class="page is-wide">
    <div class="title"><h1 tabindex="-1">Outcomes</h1>
      <p>What users made of what they were served. A click counts for the slate that its event names.</p></div>
    <div class="map-tools">
      <${Choice} name="window" label="Window" value=${windowS} options=${WINDOWS} onPick=${setWindowS} />
      <${Choice} name="by" label="Groups" value=${by} options=${GROUPS} onPick=${setBy} />
    </div>
    <${Answer} answer=${whole} what="the outcomes">${({ groups }) =>
      groups.length
        ? html`<${Table} groups=${groups} by=${by} />`
        : html`<${Empty}
          title="No slates in this window">Ask for some in the first panel, and like what they show.<//>`}
    <//>
    ${!whole.problem && html`<${Answer} answer=${overTime} what="their course">
      ${(told) => told.groups.length > 0 && html`<${Courses} told=${told} by=${by} />`}<//>`}
  </div>`;
}

const asQuery = ({ by, ...others }) => new URLSearchParams(by ? { ...others, by } : others);
const nameOf = (group, by) => (by ? (group[by] ?? "none") : "all slates");
const share = (rate) => (rate == null ? "–" : `${(100 * rate).toFixed(1)}%`);

function Table({ groups, by }) {
  return html`<${Scroll} label="Outcomes"><table class="wide-table">
    <thead><tr>
      <th scope="col">${by || "of"}</th>
      ${["slates", "users", "click rate", "of items", "of shown", "conversion", "coverage", "time, median", "95th"].map(
        (name) => html`<th scope="col" class="num">${name}</th>`,
      )}
    </tr></thead>
    <tbody>
      ${groups.map((group) => html`<tr>
        <th scope="row">${nameOf(group, by)}</th>
        <td class="num">${group.slates.toLocaleString("en")}</td>
        <td class="num">${group.users.toLocaleString("en")}</td>
        ${["click_rate", "item_click_rate", "shown_click_rate", "conversion_rate", "coverage"].map(
          (rate) => html`<td class="num">${share(group[rate])}</td>`,
        )}
        ${["p50", "p95"].map((at) => html`<td class="num">${group.took_ms ? ms(group.took_ms[at]) : "–"}</td>`)}
      </tr>`)}
    </tbody>
  </table><//>`;
}

// The groups over time, the largest first; as many as there are colours.
function Courses({ told, by }) {
  const begins = Date.parse(told.since) / 1000;
  const step = (Date.parse(told.until) / 1000 - begins) / BUCKETS;
  const times = Array.from({ length: BUCKETS }, (_, at) => begins + at * step);
  const names = [...new Set(told.groups.map((group) => nameOf(group, by)))].slice(0, STROKES.length);
  const course = (pick, none) =>
    names.map((name, at) => {
      const values = new Array(BUCKETS).fill(none);
      for (const group of told.groups) {
        const place = Math.round((Date.parse(group.at) / 1000 - begins) / step);
        if (nameOf(group, by) === name && place >= 0 && place < BUCKETS) values[place] = pick(group);
      }
      return { name, values, stroke: STROKES[at] };
    });
  return html`<div class="charts">
    <${Chart} title="Click rate, %" times=${times} series=${course(({ click_rate: rate }) => 100 * rate, null)} />
    <${Chart} title="Slates" times=${times} series=${course(({ slates }) => slates, 0)} />
  </div>
  <p class="faint">${many(told.groups.reduce((sum, { slates }) => sum + slates, 0), "slate")} in ${BUCKETS} parts.</p>`;
}
