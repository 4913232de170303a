// A line over time, by uPlot, in the colours of the theme.

import { html, useEffect, useRef } from "./vendor/htm-preact/standalone.module.js";
import { ink } from "./bits.js";
import uPlot from "./vendor/uplot/uPlot.esm.js";

const HEIGHT_PX = 180;

// Marks of the time axis: as much of the moment as tells them apart.
const CLOCKS = [
  [2 * 86_400, { day: "numeric", month: "short" }],
  [900, { hour: "2-digit", minute: "2-digit" }],
  [0, { hour: "2-digit", minute: "2-digit", second: "2-digit" }],
].map(([spanS, parts]) => [spanS, new Intl.DateTimeFormat("en-GB", parts)]);

function markTimes(_plot, at) {
  if (!at.length) return [];
  const [, clock] = CLOCKS.find(([spanS]) => at.at(-1) - at[0] >= spanS);
  return at.map((second) => clock.format(second * 1_000));
}

// times: Unix seconds. series: [{name, values, stroke, fill}], values null where there was nothing.
export function Chart({ title, times, series }) {
  const place = useRef(null);
  const plot = useRef(null);
  const latest = useRef(null);
  latest.current = { times, series };

  useEffect(() => {
    const build = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(latest.current.series, place.current), dataOf(latest.current), place.current);
    };
    build();
    const resized = new ResizeObserver(() =>
      plot.current.setSize({ width: place.current.clientWidth, height: HEIGHT_PX }),
    );
    resized.observe(place.current);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", build);
    addEventListener("penchant:theme", build);
    return () => (
      resized.disconnect(),
      scheme.removeEventListener("change", build),
      removeEventListener("penchant:theme", build),
      plot.current.destroy()
    );
  }, [series.map(({ name }) => name).join()]);
  useEffect(() => plot.current.setData(dataOf(latest.current)), [times, series]);

  const now = series
    .map(({ name, values }) => `${name} ${format(values.findLast((value) => value !== null))}`)
    .join(", ");
  return html`<figure class="chart">
    <figcaption>${title}
      <span class="chart-now">
        ${series.map((line) => html`<span>
          <i style=${{ background: `var(${line.stroke})` }} />${line.name} <b>
            ${format(line.values.findLast((value) => value !== null))}</b></span>`)}</span></figcaption>
    <div ref=${place} role="img" aria-label="${title}: ${now}" />
  </figure>`;
}

const format = (value) =>
  value === undefined || value === null ? "–" : value >= 100 ? value.toFixed(0) : value.toFixed(1);
const dataOf = ({ times, series }) => [times, ...series.map(({ values }) => values)];

// Between one value and nothing there is no line to draw.
const isAlone = (plot, at) => plot.data[at].filter((value) => value !== null).length === 1;

function options(series, place) {
  const [muted, line] = [ink("--ink-2"), ink("--line")];
  const axis = {
    stroke: muted,
    font: "11px Inter, system-ui, sans-serif",
    ticks: { show: false },
    grid: { stroke: line, width: 1 },
  };
  return {
    width: place.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(high * 1.15, 1)] } },
    axes: [
      {
        ...axis,
        size: 26,
        grid: { show: false },
        space: 90,
        values: markTimes,
      },
      { ...axis, size: 44 },
    ],
    series: [
      {},
      ...series.map(({ name, stroke, fill }) => ({
        label: name,
        stroke: ink(stroke),
        width: 1.75,
        spanGaps: true,
        points: { show: isAlone, size: 6, fill: ink(stroke) },
        fill: fill ? ink("--accent-wash") : undefined,
      })),
    ],
  };
}
