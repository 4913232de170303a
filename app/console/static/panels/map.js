// The space on a sheet of paper: items as points, interests as rings with lines to what they ask for most.

import { html, useEffect, useMemo, useRef, useState } from "../vendor/htm-preact/standalone.module.js";
import { call, query } from "../api.js";
import { useAsker } from "../asker.js";
import { Answer, Choice, Field, ink, many, percent } from "../bits.js";
import { Degraded } from "../degraded.js";
import { useAnswer } from "../hooks.js";

const ZOOM = 1.25;
const REACH_PX = 14; // how near the pointer has to be

export function SpaceMap({ offer }) {
  const [asker, change] = useAsker();
  const who = asker.who === "words" ? "words" : "user";
  const told = who === "words" ? { words: asker.words.trim() } : { user_id: asker.userId.trim() };
  const answer = useAnswer(
    (signal) => call("GET", `v1/map${query({ ...told, limit: 3000 })}`, undefined, { signal }),
    told,
    { waitMs: 300 },
  );
  return html`<div class="page is-wide">
    <div class="title"><h1 tabindex="-1">Map</h1>
      <p>Items, words and interests are points of one space. These are the two directions in which the catalogue varies most.</p></div>
    <div class="map-tools">
      <${Choice} name="map-who" label="Whose interests" value=${who} onPick=${(picked) => change({ who: picked })}
        options=${[
        ["user", "User"],
        ["words", "Words"],
      ]} />
      ${
        who === "user"
          ? html`<input aria-label="User id" class="short" value=${asker.userId}
            onInput=${(e) => change({ userId: e.target.value })} />`
          : html`<input aria-label="Words" value=${asker.words} placeholder="slow-burn science fiction"
            onInput=${(e) => change({ words: e.target.value })} />`
      }
    </div>
    <${Answer} answer=${answer} what="the map">
      ${(map) => html`<${Degraded} reasons=${map.degraded} /><${Sheet} map=${map} />`}<//>
  </div>`;
}

function Sheet({ map }) {
  const [category, setCategory] = useState("");
  const [hovered, setHovered] = useState(null);
  const [only, setOnly] = useState(null); // the interest whose lines alone are drawn
  const categories = useMemo(() => countCategories(map.items), [map]);
  const titles = useMemo(() => new Map(map.items.map((item) => [item.item_id, item.title])), [map]);
  return html`<div class="map">
    <div class="map-sheet">
      <${Canvas} map=${map} category=${category} only=${only} hovered=${hovered} onHover=${setHovered} />
      <p class="map-foot faint">
        ${many(map.items.length, "item")} of ${map.n_items.toLocaleString("en")} · ${percent(map.share[0] + map.share[1])} of the space is seen here (${percent(map.share[0])} across, ${percent(map.share[1])} up) · drag, scroll, arrow keys, + and −</p>
    </div>
    <aside class="map-side">
      <h2>Interests</h2>
      ${map.interests.length === 0 && html`<p class="hint">Nobody is on the map: nothing is known of who asks.</p>`}
      <ol class="map-interests">
        ${map.interests.map(
          (interest, at) =>
            html`<li onMouseEnter=${() => setOnly(at)} onMouseLeave=${() => setOnly(null)}><i>${at + 1}</i>
              <b>${interest.label}</b><p class="faint">asks most for ${interest.nearest
              .map((id) => titles.get(id))
              .slice(0, 3)
              .join(", ")}</p></li>`,
        )}
      </ol>
      <h2>Categories</h2>
      <ul class="plain categories">
        ${categories.map(
          ([name, count]) =>
            html`<li>
              <button class="link" aria-pressed=${String(category === name)}
                onClick=${() => setCategory(category === name ? "" : name)}>${name}<span class="faint">${count}</span>
                  </button></li>`,
        )}
      </ul>
    </aside>
  </div>`;
}

function Canvas({ map, category, only, hovered, onHover }) {
  const canvas = useRef(null);
  const view = useRef(null); // {x, y, scale}: what lies in the middle, and pixels a unit
  const draw = () =>
    canvas.current &&
    paint(canvas.current, (view.current ??= fit(map, canvas.current)), map, { category, only, hovered });

  useEffect(() => {
    view.current = null;
  }, [map.bundle]);
  useEffect(draw);
  useEffect(() => {
    const resized = new ResizeObserver(draw);
    resized.observe(canvas.current);
    addEventListener("penchant:theme", draw);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    return () => (
      resized.disconnect(),
      removeEventListener("penchant:theme", draw),
      scheme.removeEventListener("change", draw)
    );
  });

  const zoom = (factor, at) => {
    const { x, y, scale } = view.current;
    const point = at ? toSpace(canvas.current, view.current, at) : { x, y };
    view.current = { x: point.x + (x - point.x) / factor, y: point.y + (y - point.y) / factor, scale: scale * factor };
    draw();
  };
  const pan = (dx, dy) => {
    view.current = {
      ...view.current,
      x: view.current.x - dx / view.current.scale,
      y: view.current.y + dy / view.current.scale,
    };
    draw();
  };
  const pointers = useRef(new Map()); // one pans, two pinch
  const onPointerMove = (event) => {
    const at = { x: event.offsetX, y: event.offsetY };
    const was = pointers.current.get(event.pointerId);
    if (!was) return onHover(nearest(canvas.current, view.current, map.items, at));
    if (pointers.current.size === 2) {
      const [other] = [...pointers.current].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      zoom(apart(at, other) / (apart(was, other) || 1), { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
    } else pan(at.x - was.x, at.y - was.y);
    pointers.current.set(event.pointerId, at);
  };
  const onKeyDown = (event) => {
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (step) pan(...step);
    else if (event.key === "+" || event.key === "=") zoom(ZOOM);
    else if (event.key === "-") zoom(1 / ZOOM);
    else if (event.key === "0") ((view.current = null), draw());
    else return;
    event.preventDefault();
  };
  useEffect(() => {
    const wheel = (event) => (
      event.preventDefault(),
      zoom(Math.exp(-event.deltaY / 400), { x: event.offsetX, y: event.offsetY })
    );
    canvas.current.addEventListener("wheel", wheel, { passive: false });
    return () => canvas.current?.removeEventListener("wheel", wheel);
  });
  const item = hovered === null ? null : map.items[hovered];
  const at = item && view.current && toPixels(canvas.current, view.current, item);
  return html`<div class="map-canvas">
    <canvas
      ref=${canvas}
      tabindex="0"
      role="img"
      aria-label="Map of ${map.items.length} items and ${map.interests.length} interests; the interests are listed beside it"
      onPointerDown=${(e) => (e.target.setPointerCapture(e.pointerId), pointers.current.set(e.pointerId, { x: e.offsetX, y: e.offsetY }))}
      onPointerUp=${(e) => pointers.current.delete(e.pointerId)}
      onPointerCancel=${(e) => pointers.current.delete(e.pointerId)}
      onPointerLeave=${() => onHover(null)}
      onPointerMove=${onPointerMove}
      onKeyDown=${onKeyDown}
    />
    ${item && html`<p class="map-tip ${at.x > canvas.current.clientWidth - 240 ? "is-left" : ""}"
      style=${{ left: `${at.x}px`, top: `${at.y}px` }}><b>${item.title}</b><br />${item.categories.join(" · ")}</p>`}
    <p class="map-zoom"><button aria-label="Closer" onClick=${() => zoom(ZOOM)}>+</button>
      <button aria-label="Farther" onClick=${() => zoom(1 / ZOOM)}>−</button>
        <button aria-label="All of it" onClick=${() => ((view.current = null), draw())}>⤢</button></p>
  </div>`;
}

const apart = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

// The view that holds every item and interest.
function fit({ items, interests }, canvas) {
  const points = [...items, ...interests];
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const [left, right, low, high] = [
    xs.reduce((a, b) => Math.min(a, b), Infinity),
    xs.reduce((a, b) => Math.max(a, b), -Infinity),
    ys.reduce((a, b) => Math.min(a, b), Infinity),
    ys.reduce((a, b) => Math.max(a, b), -Infinity),
  ];
  if (!points.length) return { x: 0, y: 0, scale: 100 };
  const scale = 0.88 * Math.min(canvas.clientWidth / (right - left || 1), canvas.clientHeight / (high - low || 1));
  return { x: (left + right) / 2, y: (low + high) / 2, scale };
}

const toPixels = (canvas, view, { x, y }) => ({
  x: canvas.clientWidth / 2 + (x - view.x) * view.scale,
  y: canvas.clientHeight / 2 - (y - view.y) * view.scale,
});

const toSpace = (canvas, view, { x, y }) => ({
  x: view.x + (x - canvas.clientWidth / 2) / view.scale,
  y: view.y - (y - canvas.clientHeight / 2) / view.scale,
});

function nearest(canvas, view, items, at) {
  let best = null;
  let reach = REACH_PX;
  items.forEach((item, place) => {
    const away = apart(toPixels(canvas, view, item), at);
    if (away < reach) [best, reach] = [place, away];
  });
  return best;
}

function paint(canvas, view, { items, interests }, { category, only, hovered }) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const [dot, faint, accent, text, paper] = ["--dot", "--line", "--accent", "--ink", "--paper"].map(ink);
  const places = items.map((item) => toPixels(canvas, view, item));
  const radius = Math.min(5, 1.6 + view.scale / 400 + 30 / Math.sqrt(items.length + 100));

  const origin = toPixels(canvas, view, { x: 0, y: 0 });
  pen.strokeStyle = faint;
  pen.beginPath();
  (pen.moveTo(0, origin.y), pen.lineTo(width, origin.y), pen.moveTo(origin.x, 0), pen.lineTo(origin.x, height));
  pen.stroke();

  places.forEach(({ x, y }, at) => {
    const isPicked = category && items[at].categories.includes(category);
    pen.globalAlpha = category && !isPicked ? 0.35 : 1;
    pen.fillStyle = isPicked ? accent : dot;
    pen.beginPath();
    pen.arc(x, y, at === hovered ? radius + 2 : radius, 0, 7);
    pen.fill();
  });
  pen.globalAlpha = 1;
  if (items.length <= 80) nameItems(pen, items, places, text, width);

  const row = new Map(items.map(({ item_id }, at) => [item_id, at]));
  interests.forEach((interest, at) => {
    const { x, y } = toPixels(canvas, view, interest);
    pen.strokeStyle = accent;
    pen.lineWidth = 1;
    pen.globalAlpha = only === at ? 0.9 : 0.4;
    for (const id of only === null || only === at ? interest.nearest : []) {
      const place = places[row.get(id)];
      if (!place) continue;
      pen.beginPath();
      (pen.moveTo(x, y), pen.lineTo(place.x, place.y));
      pen.stroke();
    }
    pen.globalAlpha = 1;
    pen.fillStyle = accent;
    pen.beginPath();
    pen.arc(x, y, 10, 0, 7);
    pen.fill();
    pen.fillStyle = paper;
    pen.font = "600 12px Inter, system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(String(at + 1), x, y + 0.5);
  });
}

// Titles beside the points, where there is room for them: each only if it covers none that is there already.
function nameItems(pen, items, places, colour, width) {
  pen.font = "11px Inter, system-ui, sans-serif";
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillStyle = colour;
  pen.globalAlpha = 0.75;
  const taken = [];
  items.forEach(({ title }, at) => {
    const { x, y } = places[at];
    const wide = pen.measureText(title).width;
    const left = x + 9 + wide > width ? x - 9 - wide : x + 7;
    const box = { left, right: left + wide + 2, top: y - 7, low: y + 7 };
    if (
      taken.some(
        (other) => box.left < other.right && box.right > other.left && box.top < other.low && box.low > other.top,
      )
    )
      return;
    taken.push(box);
    pen.fillText(title, box.left, y);
  });
  pen.globalAlpha = 1;
}

function countCategories(items) {
  const counts = new Map();
  for (const { categories } of items) for (const name of categories) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 24);
}
