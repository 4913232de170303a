// What is understood of a user, as phrases with the events they rest on; edited where the server lets one.

import { html, useState } from "../vendor/htm-preact/standalone.module.js";
import { call, segment } from "../api.js";
import { useAsker } from "../asker.js";
import { Answer, Empty, Field, ProblemNote, many, percent, plain } from "../bits.js";
import { useAction, useAnswer } from "../hooks.js";

const PATH = "/v1/users/{user_id}/interests";
const SAID = { more: "more of", less: "less of", never: "never" };

export function Interests({ offer }) {
  const [asker, change] = useAsker();
  const userId = asker.userId.trim();
  const url = `v1/users/${segment(userId)}/interests`;
  const answer = useAnswer((signal) => call("GET", url, undefined, { signal }), userId, {
    waitMs: 160,
    when: userId !== "",
  });
  const edit = useAction(async (...operations) => {
    await call("PATCH", url, { operations });
    answer.ask();
  });
  const say = offer.offers("PATCH", PATH) ? edit : null;
  return html`<div class="page">
    <div class="title"><h1 tabindex="-1">Interests</h1>
      <p>What is understood of a user, and which events say so.${say && " What is said of a phrase here counts from the next slate on."}</p></div>
    <${Field} id="user" label="User id">
      <input id="user" class="short" value=${asker.userId} autocomplete="off" spellcheck="false"
        onInput=${(e) => change({ userId: e.target.value })} /><//>
    ${say && userId && html`<${OwnPhrase} say=${say} />`}
    ${edit.problem && html`<${ProblemNote} problem=${edit.problem} />`}
    ${!userId && html`<${Empty} title="Whose interests?">Give a user id.<//>`}
    ${
      userId &&
      html`<${Answer} answer=${answer} what="the interests">${(shown) => html`
      ${shown.edits?.length > 0 && html`<${Edits} edits=${shown.edits} say=${say} />`}
      <${Phrases} interests=${shown.interests} edits=${shown.edits ?? []} say=${say} />
    `}<//>`
    }
  </div>`;
}

function OwnPhrase({ say }) {
  const [phrase, setPhrase] = useState("");
  const tell = (op) => say.run({ op, phrase: phrase.trim() }).then(() => setPhrase(""));
  return html`<div class="field own-phrase">
    <label for="phrase">A phrase of their own</label>
    <div class="row">
      <input id="phrase" maxlength="200" placeholder="heist with a twist" value=${phrase}
        onInput=${(e) => setPhrase(e.target.value)}
          onKeyDown=${(e) => e.key === "Enter" && phrase.trim() && tell("more")} />
      ${Object.keys(SAID).map((op) => html`<button disabled=${!phrase.trim() || say.busy} onClick=${() => tell(op)}>
        ${op}</button>`)}
    </div>
  </div>`;
}

// What the user said, and can take back.
function Edits({ edits, say }) {
  return html`<section class="edits" aria-label="What they said">
    <ul class="chips">
      ${edits.map(
        ({ op, phrase, items_removed: removed }) => html`<li class="chip is-${op}">
          <span><b>${SAID[op]}</b> ${phrase}${removed !== null && html` <small>${many(removed, "item")} out</small>`}
            </span>
          ${say && html`<button aria-label="Take back what was said of ${phrase}"
            onClick=${() => say.run({ op: "reset", phrase })}>×</button>`}
        </li>`,
      )}
    </ul>
    ${say && html`<button class="quiet" onClick=${() => say.run({ op: "reset" })}>Take everything back</button>`}
  </section>`;
}

function Phrases({ interests, edits, say }) {
  if (!interests.length)
    return html`<${Empty} title="Nothing to read yet">None of this user's items are known to the bundle.${edits.length > 0 && " What they said counts all the same."}<//>`;
  return html`<ol class="interests">
    ${interests.map(
      (interest) => html`<li key=${interest.label} class=${interest.polarity === "negative" ? "is-negative" : ""}>
        <div class="interest-head"><h2>${interest.label}</h2><span class="num">${percent(interest.weight)}</span></div>
        <span class="meter" aria-hidden="true"><i style=${{ width: percent(interest.weight) }} /></span>
        <p class="faint">${told(interest).join(" · ")}</p>
        ${
          interest.evidence.length > 0 &&
          html`<table class="evidence">
          <caption class="sr">Events that ${interest.label} rests on</caption>
          <tbody>${interest.evidence.map((event) => html`<tr><th scope="row">${event.title || event.item_id}</th>
            <td class="num">${plain(event.effect, 3)}</td></tr>`)}</tbody>
        </table>`
        }
        ${
          say &&
          html`<p class="buttons" role="group" aria-label="Say of ${interest.label}">
          ${Object.keys(SAID).map((op) => html`<button aria-pressed=${String(interest.edit === op)} disabled=${say.busy}
            onClick=${() => say.run({ op: interest.edit === op ? "reset" : op, phrase: interest.label })}>${op}
              </button>`)}
        </p>`
        }
      </li>`,
    )}
  </ol>
  <p class="hint">The share is of the user's recent events. Beside an event: how far the interest falls when it is left out.</p>`;
}

function told({ phrases, polarity, confidence, last_seen_at: seen }) {
  return [
    polarity === "negative" && "unwanted",
    ...phrases.slice(1),
    typeof confidence === "number" && `${percent(confidence)} sure`,
    seen && `last ${new Date(seen).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" })}`,
  ].filter(Boolean);
}
