// What was trained and what answers: read a bundle's card, verify it, let it answer, go back.

import { html, useState } from "../vendor/htm-preact/standalone.module.js";
import { call } from "../api.js";
import { Answer, Empty, ProblemNote, Toast } from "../bits.js";
import { useAction, useAnswer } from "../hooks.js";

export function Bundles({ offer }) {
  const answer = useAnswer((signal) => call("GET", "v1/bundles", undefined, { signal }), []);
  const [opened, setOpened] = useState(null);
  const [toast, setToast] = useState(null);
  const done = (told) => (setToast(told), answer.ask());
  return html`<div class="page is-wide">
    <div class="title"><h1 tabindex="-1">Bundles</h1>
      <p>Everything trained and built together, under one version. A change is made under load: the new one is opened, verified and warmed beside the old one.</p></div>
    <${Answer} answer=${answer} what="the bundles">${({ bundles }) => {
      const shown =
        bundles.find(({ version }) => version === opened) ?? bundles.find(({ active }) => active) ?? bundles[0];
      if (!shown)
        return html`<${Empty} title="No bundles">None lies beside the one that the server was started with.<//>`;
      return html`<div class="split">
        <ul class="list" aria-label="Bundles">
          ${bundles.map(
            (
              bundle,
            ) => html`<li key=${bundle.version}>
              <button aria-pressed=${String(bundle === shown)} onClick=${() => setOpened(bundle.version)}>
              <code>${bundle.version}</code><span>${bundle.dataset} · ${bundle.recipe} · ${bundle.protocol}
                </span>${state(bundle)}
            </button></li>`,
          )}
        </ul>
        <${Bundle} key=${shown.version} bundle=${shown} count=${bundles.length} offer=${offer} onDone=${done} />
      </div>`;
    }}<//>
    ${toast && html`<${Toast} onGone=${() => setToast(null)}>${toast}<//>`}
  </div>`;
}

function state({ active, serving }) {
  if (active && serving) return html`<span class="badge is-on">answers</span>`;
  if (active) return html`<span class="badge">about to answer</span>`;
  return serving
    ? html`<span class="badge">still answers here</span>`
    : html`<span class="badge is-off">at rest</span>`;
}

function Bundle({ bundle, count, offer, onDone }) {
  const { version } = bundle;
  const details = useAnswer((signal) => call("GET", `v1/bundles/${version}`, undefined, { signal }), version, {
    when: offer.offers("GET", "/v1/bundles/{version}"),
  });
  const [sure, setSure] = useState(null);
  const act = useAction(async (verb) => {
    setSure(null);
    const done = await call("POST", verb === "rollback" ? "v1/bundles:rollback" : `v1/bundles/${version}:${verb}`);
    onDone(TOLD[verb](done));
  });
  const verbs = [
    ["verify", "Verify", `/v1/bundles/{version}:verify`, true],
    ["activate", "Let it answer", `/v1/bundles/{version}:activate`, !bundle.active],
    ["rollback", "Go back to the one before", `/v1/bundles:rollback`, bundle.active && count > 1],
  ].filter(([, , path, fits]) => fits && offer.offers("POST", path));
  return html`<section class="bundle" aria-label="Bundle ${version}">
    <h2><code>${version}</code></h2>
    <dl class="facts is-small">
      ${[
        ["data set", bundle.dataset],
        ["recipe", bundle.recipe],
        ["held out", bundle.protocol],
        ["items", bundle.n_items],
        ["interests a user", bundle.interests],
        ["last events read", bundle.history_events],
        ["item encoder", bundle.text_model],
        ["user encoder", bundle.user_model],
      ].map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>
    <p class="buttons">
      ${
        sure
          ? html`<button class="primary" disabled=${act.busy}
            onClick=${() => act.run(sure)}>Yes, change what everybody gets</button>
              <button onClick=${() => setSure(null)}>Leave it</button>`
          : verbs.map(
              ([verb, text]) =>
                html`<button disabled=${act.busy} onClick=${() => (verb === "verify" ? act.run(verb) : setSure(verb))}>
                  ${text}</button>`,
            )
      }
      ${act.busy && html`<span class="hint" role="status">This takes seconds: every byte is read.</span>`}
    </p>
    ${act.problem && html`<${ProblemNote} problem=${act.problem} />`}
    <${Answer} answer=${details} what="the bundle">${({ card, metrics }) => html`
      ${card && html`<h3>Its card</h3><pre class="card" tabindex="0">${card}</pre>`}
      ${metrics && html`<details><summary>Its evaluation</summary>
        <pre class="card" tabindex="0">${JSON.stringify(metrics, null, 1)}</pre></details>`}
    `}<//>
  </section>`;
}

const TOLD = {
  verify: ({ version, files, took_s }) =>
    html`<b>${version}</b> is whole: ${files} files and every golden query, in ${took_s} s.`,
  activate: ({ version, before, warmed_users, took_s }) =>
    html`<b>${version}</b> answers, ${before} no longer: ${warmed_users} users warmed, ${took_s} s.`,
  rollback: ({ version, before, took_s }) => html`Back to <b>${version}</b> from ${before}, in ${took_s} s.`,
};
