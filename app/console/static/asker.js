// Who asks, in which moment, for what: one state for the whole console, and the request it stands for.

import { html, useState } from "./vendor/htm-preact/standalone.module.js";
import { call } from "./api.js";
import { Chip, Choice, Field, ProblemNote, Switch } from "./bits.js";
import { useAnswer, useKept, useMedia } from "./hooks.js";
import { ItemSearch, useItems } from "./items.js";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const PARTS_OF_DAY = ["night", "morning", "day", "evening"];

const NOBODY_YET = {
  who: "user",
  userId: "1",
  words: "",
  history: [],
  hour: null,
  day: null,
  features: [],
  k: 10,
  seen: "never",
  exclude: [],
  explain: false,
  filter: "",
  steer: "",
  steerWeight: 0.5,
  placement: "",
  knobs: {},
};

const KNOBS = ["diversity", "novelty", "exploration"];

export function useAsker() {
  const [asker, setAsker] = useKept("asker", NOBODY_YET);
  return [asker, (change) => setAsker((was) => ({ ...was, ...change }))];
}

// The body of POST /v1/recommendations; null while it is not said who asks.
export function toRequest(asker) {
  const { who, userId, words, history, k, seen, exclude, explain, filter, steer, steerWeight, placement, knobs } = {
    ...NOBODY_YET,
    ...asker,
  };
  const request = { k, seen };
  if (who === "user") {
    if (!userId.trim()) return null;
    request.user_id = userId.trim();
  }
  if (who === "words" && !words.trim()) return null;
  if (who === "history" && !history.length) return null;
  if (who !== "nobody" && words.trim()) request.words = words.trim();
  if (who === "history") request.history = history.map(({ item_id, type }) => ({ item_id, type }));
  if (exclude.length) request.exclude = exclude.map(({ item_id }) => item_id);
  if (explain) request.explain = true;
  if (filter.trim()) request.filter = filter.trim();
  if (steer.trim() && who !== "nobody") Object.assign(request, { steer: steer.trim(), steer_weight: steerWeight });
  if (placement) request.placement = placement;
  Object.assign(request, knobs);
  const context = toContext(asker);
  if (Object.keys(context).length) request.context = context;
  return request;
}

function toContext({ hour, day, features }) {
  const context = Object.fromEntries(features.map(({ name, value }) => [name, value]));
  if (hour !== null || day !== null) context.at = momentOf(hour, day).toISOString();
  return context;
}

// From 0, a Monday, in UTC.
export const dayOf = (moment) => (moment.getUTCDay() + 6) % 7;

// The last moment, in UTC, that has this weekday and this hour.
function momentOf(hour, day) {
  const moment = new Date();
  if (hour !== null) moment.setUTCHours(hour, 0, 0, 0);
  if (day !== null) moment.setUTCDate(moment.getUTCDate() - ((moment.getUTCDay() + 6 - day) % 7));
  if (moment > new Date()) moment.setUTCDate(moment.getUTCDate() - (day === null ? 1 : 7));
  return moment;
}

export function Asker({ offer }) {
  const [asker, change] = useAsker();
  const known = useItems(offer);
  const { who } = asker;
  const fields = offer.fieldsOf("POST", "/v1/recommendations");
  return html`<div class="asker" role="group" aria-label="The request">
    <section>
      <h2>Who asks</h2>
      <${Choice}
        name="who"
        label="Who asks"
        value=${who}
        onPick=${(picked) => change({ who: picked })}
        options=${[
          ["user", "User"],
          ["words", "Words"],
          ["history", "History"],
          ["nobody", "Nobody"],
        ]}
      />
      ${
        who === "user" &&
        html`<${Field} id="user" label="User id">
        <input id="user" value=${asker.userId} autocomplete="off" spellcheck="false"
          onInput=${(e) => change({ userId: e.target.value })} />
      <//>`
      }
      ${who === "history" && html`<${HistoryPicker} known=${known} asker=${asker} change=${change} />`}
      ${
        who !== "nobody" &&
        html`<${Field} id="words" label=${who === "words" ? "What they want" : "What they say they want"} >
        <textarea id="words" rows="2" maxlength="1000"
          placeholder=${who === "words" ? "slow-burn science fiction, no gore" : "optional"} value=${asker.words}
            onInput=${(e) => change({ words: e.target.value })} />
      <//>`
      }
      ${
        fields.steer &&
        who !== "nobody" &&
        html`<${Field} id="steer" label="Steer it, this once">
          <input id="steer" maxlength="1000" placeholder="something light, less crime" value=${asker.steer ?? ""}
            onInput=${(e) => change({ steer: e.target.value })} /><//>`
      }
      ${
        fields.steer &&
        who !== "nobody" &&
        asker.steer?.trim() &&
        html`<${Field} id="steer-weight"
          label=${html`How much of it <output for="steer-weight">${(asker.steerWeight ?? 0.5).toFixed(2)}</output>`}>
          <input id="steer-weight" type="range" min="0" max="1" step="0.05" value=${asker.steerWeight ?? 0.5}
            onInput=${(e) => change({ steerWeight: Number(e.target.value) })} /><//>`
      }
      ${who === "nobody" && html`<p class="hint">Nothing is known: the slate is what is popular in this context.</p>`}
    </section>
    <${Moment} asker=${asker} change=${change} />
    <${Fold} title="The slate">
      <${Field} id="k" label=${html`Length <output for="k">${asker.k}</output>`}>
        <input id="k" type="range" min="3" max="50" value=${asker.k}
          onInput=${(e) => change({ k: Number(e.target.value) })} />
      <//>
      ${fields.placement && offer.offers("GET", "/v1/placements") && html`<${PlacementPicker} asker=${asker}
        change=${change} />`}
      ${
        fields.filter &&
        html`<${Field} id="filter" label="Only where">
          <input id="filter" class="code" spellcheck="false" placeholder="year >= 1990" value=${asker.filter}
            onInput=${(e) => change({ filter: e.target.value })} /><//>`
      }
      ${KNOBS.filter((knob) => fields[knob]).map((knob) => html`<${Knob} knob=${knob} asker=${asker}
        change=${change} />`)}
      <${Switch} label="Show again what was seen" value=${asker.seen === "always"}
        onSet=${(on) => change({ seen: on ? "always" : "never" })} />
      <${Switch} label="Measure evidence" hint="leaves out one event at a time; slower" value=${asker.explain}
        onSet=${(explain) => change({ explain })} />
      <${Field} id="exclude" label="Leave out">
        <${ItemSearch} id="exclude" known=${known} placeholder="a title"
          onPick=${(item) => change({ exclude: withItem(asker.exclude, item) })} />
        ${
          asker.exclude.length > 0 &&
          html`<ul class="chips">
          ${asker.exclude.map((item) => html`<${Chip} name=${item.title}
            onRemove=${() => change({ exclude: asker.exclude.filter((i) => i !== item) })}>${item.title}<//>`)}
        </ul>`
        }
      <//>
    <//>
  </div>`;
}

function PlacementPicker({ asker, change }) {
  const answer = useAnswer((signal) => call("GET", "v1/placements", undefined, { signal }), []);
  if (answer.problem) return html`<${ProblemNote} problem=${answer.problem} again=${answer.ask} />`;
  const names = answer.data?.placements.map(({ name }) => name) ?? [];
  if (asker.placement && !names.includes(asker.placement)) names.push(asker.placement); // deleted: to be let go of
  if (!names.length) return null;
  return html`<${Field} id="placement" label="Placement">
    <select id="placement" onChange=${(e) => change({ placement: e.target.value })}>
      <option value="" selected=${!asker.placement}>none</option>
      ${names.map((name) => html`<option value=${name} selected=${name === asker.placement}>${name}</option>`)}
    </select>
  <//>`;
}

// Not told in the request until it is moved: the server's own default, or the placement's, counts.
function Knob({ knob, asker, change }) {
  const { [knob]: value, ...others } = asker.knobs ?? {};
  const label = html`<span>${knob[0].toUpperCase() + knob.slice(1)}
    </span>${value === undefined ? html`<span class="faint">as set</span>` : html`<button type="button" class="link"
      onClick=${() => change({ knobs: others })}>${value.toFixed(2)} ×</button>`}`;
  return html`<${Field} id=${knob} label=${label}>
    <input id=${knob} aria-label=${knob} type="range" min="0" max="1" step="0.05" value=${value ?? 0}
      onInput=${(e) => change({ knobs: { ...others, [knob]: Number(e.target.value) } })} /><//>`;
}

export const withItem = (items, { item_id, title }) => [
  ...items.filter((i) => i.item_id !== item_id),
  { item_id, title },
];

function HistoryPicker({ known, asker, change }) {
  const { history } = asker;
  const set = (place, type) =>
    change({ history: history.map((event, at) => (at === place ? { ...event, type } : event)) });
  const add = ({ item_id, title }) => change({ history: [...history, { item_id, title, type: "like" }] });
  return html`<${Field} id="history" label="What they did, oldest first">
    <${ItemSearch} id="history" known=${known} placeholder="find a title" onPick=${add} />
    <ol class="history">
      ${history.map(
        (event, place) => html`<li>
          <span>${event.title}</span>
          <select aria-label="What was done with ${event.title}" value=${event.type}
            onChange=${(e) => set(place, e.target.value)}>
            ${["like", "view", "dislike"].map((type) => html`<option value=${type} selected=${type === event.type}>
              ${type}</option>`)}
          </select>
          <button class="remove" aria-label="Remove ${event.title}"
            onClick=${() => change({ history: history.filter((_, at) => at !== place) })}>×</button>
        </li>`,
      )}
    </ol>
  <//>`;
}

function Moment({ asker, change }) {
  const { hour, day, features } = asker;
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const now = new Date();
  const shownHour = hour ?? now.getUTCHours();
  const shownDay = day ?? dayOf(now);
  const isNow = hour === null && day === null;
  const add = () => {
    if (!name.trim() || !value.trim()) return;
    change({
      features: [...features.filter((f) => f.name !== name.trim()), { name: name.trim(), value: value.trim() }],
    });
    setName("");
    setValue("");
  };
  const onEnter = (event) => event.key === "Enter" && (event.preventDefault(), add());
  return html`<${Fold} title="In which moment"
    beside=${isNow ? html`<span class="faint">now</span>` : html`<button type="button" class="link"
      onClick=${() => change({ hour: null, day: null })}>back to now</button>`}>
    <${Field} id="hour"
      label=${html`Hour, UTC <output for="hour">
        ${String(shownHour).padStart(2, "0")}:00 · ${PARTS_OF_DAY[Math.floor(shownHour / 6)]}</output>`}>
      <input id="hour" type="range" min="0" max="23" value=${shownHour}
        onInput=${(e) => change({ hour: Number(e.target.value), day: shownDay })} />
    <//>
    <${Choice} name="day" label="Weekday" value=${shownDay} options=${DAYS.map((text, at) => [at, text])}
      onPick=${(picked) => change({ day: picked, hour: shownHour })} />
    <div class="field">
      <span class="label" id="features-label">Features</span>
      <div class="feature" role="group" aria-labelledby="features-label">
        <input aria-label="Feature name" placeholder="device" value=${name} onInput=${(e) => setName(e.target.value)}
          onKeyDown=${onEnter} />
        <input aria-label="Feature value" placeholder="tv" value=${value} onInput=${(e) => setValue(e.target.value)}
          onKeyDown=${onEnter} />
        <button type="button" onClick=${add}>Add</button>
      </div>
      ${
        features.length > 0 &&
        html`<ul class="chips">
        ${features.map((f) => html`<${Chip} name="feature ${f.name}"
          onRemove=${() => change({ features: features.filter((g) => g !== f) })}>${f.name}: ${f.value}<//>`)}
      </ul>`
      }
    </div>
  <//>`;
}

// Open where there is room; on a phone folded, so that the slate is not a long way down.
function Fold({ title, beside, children }) {
  const isRoomy = useMedia("(min-width: 761px)");
  return html`<details class="fold" open=${isRoomy}><summary><h2>${title}</h2></summary><div class="beside">${beside}
    </div>${children}</details>`;
}
