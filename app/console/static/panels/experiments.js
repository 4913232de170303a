// Arms side by side, with intervals that hold at every look: read as often as one likes, ended when it may stop.

import { html, useState } from "../vendor/htm-preact/standalone.module.js";
import { call, segment } from "../api.js";
import { Answer, Empty, Field, ProblemNote, Scroll, Sure, Toast, percent } from "../bits.js";
import { useAction, useAnswer } from "../hooks.js";

const EXAMPLE = JSON.stringify({ arms: [{}, { diversity: 0.3 }], traffic: 0.5, effect: 0.02 }, null, 1);

export function Experiments({ offer }) {
  const answer = useAnswer((signal) => call("GET", "v1/experiments", undefined, { signal }), []);
  const [opened, setOpened] = useState(null);
  const [toast, setToast] = useState(null);
  const done = (name, told) => (setOpened(name), setToast(told), answer.ask());
  return html`<div class="page is-wide">
    <div class="title"><h1 tabindex="-1">Experiments</h1>
      <p>Each user is served by one arm, always the same. The first arm is what the others are compared with.</p></div>
    <${Answer} answer=${answer} what="the experiments">${({ experiments }) => {
      const shown = experiments.find(({ name }) => name === opened);
      return html`<div class="split">
        <div>
          <ul class="list" aria-label="Experiments">
            ${experiments.map(({ name, arms, traffic, running }) => html`<li key=${name}>
              <button aria-pressed=${String(name === opened)} onClick=${() => setOpened(name)}>
                <b>${name}</b><span>${arms.length} arms · ${percent(traffic)} of traffic</span>
                <span class="badge ${running ? "is-on" : "is-off"}">${running ? "running" : "paused"}</span>
              </button></li>`)}
          </ul>
          ${!experiments.length && html`<${Empty} title="No experiments">Everybody is served alike.<//>`}
          ${offer.offers("POST", "/v1/experiments") && html`<p class="buttons list-foot">
            <button onClick=${() => setOpened("")}>New experiment</button></p>`}
        </div>
        ${opened === "" && html`<${Start} onDone=${done} />`}
        ${shown && html`<${Experiment} key=${shown.name} experiment=${shown} onDone=${done} offer=${offer} />`}
        ${opened === null && experiments.length > 0 && html`<${Empty} title="No experiment is open">Pick one.<//>`}
      </div>`;
    }}<//>
    ${toast && html`<${Toast} onGone=${() => setToast(null)}>${toast}<//>`}
  </div>`;
}

function Experiment({ experiment, onDone, offer }) {
  const { name, about, arms } = experiment;
  const path = `v1/experiments/${segment(name)}`;
  const results = useAnswer((signal) => call("GET", `${path}/results`, undefined, { signal }), name);
  const end = useAction(async () => {
    await call("DELETE", path);
    onDone(null, html`<b>${name}</b> is ended. Its slates keep the mark of their arm.`);
  });
  return html`<section aria-label="Experiment ${name}">
    <h2>${name}</h2>
    ${about && html`<p class="faint">${about}</p>`}
    <${Answer} answer=${results} what="the results">${(told) => html`
      <p class="verdict ${told.may_stop ? "is-done" : ""}"><b>${told.may_stop ? "May stop" : "Goes on"}</b> ${told.why}
        </p>
      ${!told.balanced && html`<p class="degraded">
        <b>Unbalanced</b> units did not fall to the arms by their shares.</p>`}
      <${Arms} arms=${told.arms} about=${arms} />
      <details><summary>What stopping goes by</summary>
        <ul class="plain">${told.stop_rules.map((rule) => html`<li>${rule}</li>`)}</ul></details>
    `}<//>
    ${end.problem && html`<${ProblemNote} problem=${end.problem} />`}
    ${offer.offers("DELETE", "/v1/experiments/{name}") &&
    html`<p class="buttons list-foot">
      <${Sure} action=${end} ask="End this experiment" yes="End it for good" no="Let it run" />
    </p>`}
  </section>`;
}

// Differences to the first arm on one scale, zero in the middle.
function Arms({ arms, about }) {
  const reach = Math.max(0.01, ...arms.flatMap(({ interval }) => (interval ? [Math.abs(interval.low), Math.abs(interval.high)] : [])));
  const place = (value) => `${50 + (50 * value) / reach}%`;
  return html`<${Scroll} label="Arms"><table class="wide-table arms">
    <thead><tr><th scope="col">arm</th><th scope="col" class="num">units</th><th scope="col" class="num">rate</th>
      <th scope="col">difference to a</th><th scope="col">verdict</th></tr></thead>
    <tbody>
      ${arms.map((arm, at) => html`<tr>
        <th scope="row">${arm.name}<small>${changesOf(about[at])}</small></th>
        <td class="num">${arm.units.toLocaleString("en")}</td>
        <td class="num">${(100 * arm.rate).toFixed(1)}%</td>
        <td>${arm.interval &&
        html`<span class="interval" role="img"
          aria-label=${`${points(arm.interval.low)} to ${points(arm.interval.high)}`}>
          <b style=${{ left: "50%" }} />
          <i style=${{ left: place(arm.interval.low), right: `calc(100% - ${place(arm.interval.high)})` }} />
          <u style=${{ left: place(arm.difference) }} />
        </span><small class="num">${points(arm.interval.low)} to ${points(arm.interval.high)}</small>`}</td>
        <td class="is-${arm.verdict}">${arm.verdict}</td>
      </tr>`)}
    </tbody>
  </table><//>`;
}

const points = (difference) => `${difference < 0 ? "−" : "+"}${Math.abs(100 * difference).toFixed(1)}`;

function changesOf({ name: _name, share: _share, ...changes } = {}) {
  const told = Object.entries(changes).filter(([, value]) => value !== null);
  return told.length ? told.map(([what, value]) => `${what} ${value}`).join(", ") : "as it is";
}

function Start({ onDone }) {
  const [name, setName] = useState("");
  const [told, setTold] = useState(EXAMPLE);
  const start = useAction(async () => {
    let body;
    try {
      body = JSON.parse(told);
    } catch (failure) {
      throw new Error(`The experiment is no JSON object: ${failure.message}`);
    }
    await call("POST", "v1/experiments", { name: name.trim(), ...body });
    onDone(name.trim(), html`<b>${name.trim()}</b> has begun.`);
  });
  return html`<form aria-label="New experiment" onSubmit=${(e) => (e.preventDefault(), start.run())}>
    <h2>A new experiment</h2>
    <${Field} id="experiment-name" label="Name" hint="lower-case letters, digits, _ and -">
      <input id="experiment-name" required pattern="[a-z0-9][a-z0-9_\\-]*" value=${name}
        onInput=${(e) => setName(e.target.value)} /><//>
    <${Field} id="experiment-told" label="What is compared"
      hint="as in POST /v1/experiments; the first arm is the present way">
      <textarea id="experiment-told" class="code" rows="12" spellcheck="false" value=${told}
        onInput=${(e) => setTold(e.target.value)} /><//>
    ${start.problem && html`<${ProblemNote} problem=${start.problem} />`}
    <p class="buttons list-foot"><button class="primary" disabled=${start.busy}>Start it</button></p>
  </form>`;
}
