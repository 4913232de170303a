// The shell: what the server offers, where one is, the theme, the key.

import { html, render, useEffect, useRef, useState } from "./vendor/htm-preact/standalone.module.js";
import { call, key, onRefused, readOffer } from "./api.js";
import { Loading, ProblemNote } from "./bits.js";
import { useAnswer, useEvery } from "./hooks.js";
import { Slate } from "./panels/slate.js";
import { Interests } from "./panels/interests.js";
import { SpaceMap } from "./panels/map.js";
import { Catalogue } from "./panels/catalogue.js";
import { Bundles } from "./panels/bundles.js";
import { Placements } from "./panels/placements.js";
import { Experiments } from "./panels/experiments.js";
import { Outcomes } from "./panels/outcomes.js";
import { Live } from "./panels/live.js";

// path: in the address after #/. needs: routes without which the panel has nothing to say.
const PANELS = [
  { path: "slate", name: "Slate", View: Slate, needs: [["POST", "/v1/recommendations"]] },
  { path: "interests", name: "Interests", View: Interests, needs: [["GET", "/v1/users/{user_id}/interests"]] },
  { path: "map", name: "Map", View: SpaceMap, needs: [["GET", "/v1/map"]] },
  { path: "catalogue", name: "Catalogue", View: Catalogue, needs: [["GET", "/v1/items/{item_id}"]] },
  { path: "placements", name: "Placements", View: Placements, needs: [["GET", "/v1/placements"]] },
  {
    path: "experiments",
    name: "Experiments",
    View: Experiments,
    needs: [
      ["GET", "/v1/experiments"],
      ["GET", "/v1/experiments/{name}/results"],
    ],
  },
  { path: "outcomes", name: "Outcomes", View: Outcomes, needs: [["GET", "/v1/metrics/online"]] },
  { path: "bundles", name: "Bundles", View: Bundles, needs: [["GET", "/v1/bundles"]] },
  { path: "live", name: "Live", View: Live, needs: [["GET", "/readyz"]] },
];

function Shell() {
  const offer = useAnswer(readOffer, []);
  const [panel, setPanel] = useState(readPanel);
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    const moved = () => setPanel(readPanel());
    addEventListener("hashchange", moved);
    const stop = onRefused(() => setAsked(true));
    return () => (removeEventListener("hashchange", moved), stop());
  }, []);
  const shown = PANELS.filter(
    ({ needs }) => offer.data && needs.every(([method, path]) => offer.data.offers(method, path)),
  );
  const current = shown.find(({ path }) => path === panel) ?? shown[0];
  return html`
    <a class="skip" href="#content"
      onClick=${(e) => (e.preventDefault(), document.querySelector("#content h1")?.focus())}>Skip to content</a>
    <header class="rail">
      <p class="brand"><svg viewBox="0 0 32 32" aria-hidden="true"><path d="M9 25 20 7" />
        <circle cx="23" cy="23" r="2.8" /></svg>Penchant</p>
      <nav aria-label="Panels">
        ${shown.map(({ path, name }) => html`<a href="#/${path}"
          aria-current=${path === current?.path ? "page" : undefined}>${name}</a>`)}
      </nav>
      <div class="rail-foot">
        <${Pulse} version=${offer.data?.version} />
        <div class="rail-tools">
          <a href="../docs">API</a>
          <button class="link" onClick=${() => setAsked(true)}>Key</button>
          <${Theme} />
        </div>
      </div>
    </header>
    <main id="content">
      ${offer.problem && html`<${ProblemNote} problem=${offer.problem} again=${offer.ask} />`}
      ${offer.busy && !offer.data && html`<${Loading} what="what this server offers" />`}
      ${current && html`<${Panel} key=${current.path} panel=${current} offer=${offer.data} />`}
    </main>
    ${asked && html`<${KeyDialog} onClose=${() => setAsked(false)} />`}
  `;
}

function Panel({ panel, offer }) {
  const { View, name } = panel;
  useEffect(() => {
    document.title = `${name} · Penchant`;
    document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [name]);
  return html`<${View} offer=${offer} />`;
}

// Whether the server can serve, asked every few seconds.
function Pulse({ version }) {
  const [state, setState] = useState({ word: "asking", bundle: "" });
  useEvery(5_000, async () => {
    try {
      const { checks } = await call("GET", "readyz");
      setState({ word: "ready", bundle: checks.bundle });
    } catch (problem) {
      setState({ word: problem.status ? "not ready" : "no answer", bundle: "" });
    }
  });
  return html`<p class="pulse is-${state.word.replace(" ", "-")}"><i aria-hidden="true" />${state.word}
    <small>${state.bundle && `bundle ${state.bundle}`}${version && html`<br />version ${version}`}</small></p>`;
}

function Theme() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? "");
  const isDark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const toggle = () => {
    const next = isDark ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    localStorage.setItem("penchant.theme", next);
    setTheme(next);
    dispatchEvent(new Event("penchant:theme"));
  };
  return html`<button class="link" aria-pressed=${String(isDark)} onClick=${toggle}>${isDark ? "Light" : "Dark"}
    </button>`;
}

// The key stays in this tab: it is gone when the tab is.
function KeyDialog({ onClose }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  const save = (event) => {
    event.preventDefault();
    key.set(new FormData(event.target).get("key").trim());
    location.reload();
  };
  return html`<dialog ref=${dialog} onClose=${onClose} aria-labelledby="key-title">
    <form onSubmit=${save}>
      <h2 id="key-title">API key</h2>
      <p>Servers with a key ask for it with every request. It is kept in this tab only and sent as <code>X-API-Key</code>.</p>
      <label class="sr" for="key">API key</label>
      <input id="key" name="key" type="password" autocomplete="off" defaultValue=${key.get()} />
      <p class="buttons"><button class="primary">Use it</button>
        <button type="button" onClick=${() => dialog.current.close()}>Cancel</button></p>
    </form>
  </dialog>`;
}

const readPanel = () => location.hash.replace(/^#\//, "").split("?")[0] || "slate";

render(html`<${Shell} />`, document.getElementById("console"));
