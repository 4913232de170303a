// How the service fares now: what readiness found, and what /metrics counted since this page was opened.

import { html, useEffect, useRef, useState } from "../vendor/htm-preact/standalone.module.js";
import { call } from "../api.js";
import { Empty, ProblemNote, ms, percent } from "../bits.js";
import { Chart } from "../chart.js";
import { useAction, useEvery } from "../hooks.js";
import { growthOf, quantile, readMetrics, sumOf } from "../prometheus.js";

const PERIOD_MS = 2_000;
const KEPT = 150; // five minutes

export function Live({ offer }) {
  const [checks, setChecks] = useState(null);
  const [notReady, setNotReady] = useState(null);
  const [refused, setRefused] = useState(null);
  const [samples, setSamples] = useState([]);
  useEvery(PERIOD_MS, async () => {
    try {
      setChecks((await call("GET", "readyz")).checks);
      setNotReady(null);
    } catch (problem) {
      setChecks(null);
      setNotReady(problem);
    }
    if (!offer.offers("GET", "/metrics")) return;
    try {
      const series = readMetrics(await call("GET", "metrics", undefined, { as: "text" }));
      setSamples((was) => [...was, { at: Date.now() / 1000, series }].slice(-KEPT));
      setRefused(null);
    } catch (problem) {
      setRefused(problem);
    }
  });
  return html`<div class="page is-wide">
    <div class="title"><h1 tabindex="-1">Live</h1><p>What this server says of itself, every two seconds.</p></div>
    ${notReady && html`<${ProblemNote} problem=${notReady} />`}
    ${checks && html`<dl class="facts">
      ${Object.entries(checks).map(([name, found]) => html`<div><dt>${name.replaceAll("_", " ")}</dt>
        <dd class=${/unavailable/.test(found) ? "is-bad" : ""}>${found}</dd></div>`)}</dl>`}
    ${refused && html`<${ProblemNote} problem=${refused} />`}
    ${samples.length < 2 && !refused && html`<${Empty}
      title="Listening">Two samples are needed before there is anything to draw.<//>`}
    ${samples.length >= 2 && html`<${Figures} samples=${samples} />`}
  </div>`;
}

const SERVED = (labels) => labels.route?.startsWith("/v1/");

function Figures({ samples }) {
  const times = samples.slice(1).map(({ at }) => at);
  const pairs = samples.slice(1).map((sample, i) => [samples[i], sample]);
  const perSecond = pairs.map(
    ([before, after]) =>
      growthOf(before.series, after.series, "penchant_requests_total", SERVED) / (after.at - before.at),
  );
  const p50 = pairs.map(([before, after]) =>
    toMs(quantile(0.5, before.series, after.series, "penchant_request_seconds", SERVED)),
  );
  const p95 = pairs.map(([before, after]) =>
    toMs(quantile(0.95, before.series, after.series, "penchant_request_seconds", SERVED)),
  );
  const last = samples.at(-1).series;
  return html`
    <div class="charts">
      <${Chart} title="Requests to /v1, a second" times=${times}
        series=${[{ name: "requests", values: perSecond, stroke: "--accent", fill: true }]} />
      <${Chart} title="Time of a request, ms" times=${times} series=${[
        { name: "median", values: p50, stroke: "--accent" },
        { name: "95th percentile", values: p95, stroke: "--ink-2" },
      ]} />
    </div>
    <div class="columns">
      <${Shares} title="Slates by rung" series=${last.penchant_slates_total} by="rung"
        none="No slate has been asked for yet." />
      <${Stages} series=${last} />
      <${Shares} title="Degraded, by reason" series=${last.penchant_degraded_total} by="reason"
        none="Nothing was missing for any slate." />
      <${Shares} title="Interest cache" series=${last.penchant_interest_cache_total}
        by=${({ tier, outcome }) => `${tier} ${outcome}`} none="Nobody was looked up yet." />
    </div>
    <p class="faint">Counted since the server started: ${sumOf(last, "penchant_events_stored_total").toLocaleString("en")} events stored, ${sumOf(last, "penchant_items_live").toLocaleString("en")} items live.</p>
  `;
}

const toMs = (seconds) => (seconds === null ? null : seconds * 1_000);

function Shares({ title, series = [], by, none }) {
  const nameOf = typeof by === "string" ? (labels) => labels[by] : by;
  const shown = series.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
  const whole = shown.reduce((sum, { value }) => sum + value, 0);
  return html`<section class="shares"><h2>${title}</h2>
    ${whole ? html`<table>
      <tbody>${shown.map(({ labels, value }) => html`<tr><th scope="row">${nameOf(labels).replaceAll("_", " ")}</th><td>
        <span class="meter" aria-hidden="true"><i style=${{ width: percent(value / whole) }} /></span></td>
          <td class="num">${value.toLocaleString("en")}</td></tr>`)}</tbody></table>` : html`<p class="hint">${none}
            </p>`}
  </section>`;
}

// Mean milliseconds of each stage since the start.
function Stages({ series }) {
  const counts = new Map((series.penchant_stage_seconds_count ?? []).map(({ labels, value }) => [labels.stage, value]));
  const means = (series.penchant_stage_seconds_sum ?? []).map(({ labels, value }) => [
    labels.stage,
    (1_000 * value) / (counts.get(labels.stage) || 1),
  ]);
  const most = Math.max(...means.map(([, mean]) => mean), 1e-9);
  return html`<section class="shares"><h2>Mean time of a stage</h2>
    ${means.length ? html`<table>
      <tbody>${means.map(([stage, mean]) => html`<tr><th scope="row">${stage}</th><td>
        <span class="meter" aria-hidden="true"><i style=${{ width: percent(mean / most) }} /></span></td>
          <td class="num">${ms(mean)}</td></tr>`)}</tbody>
            </table>` : html`<p class="hint">No slate has been asked for yet.</p>`}
  </section>`;
}
