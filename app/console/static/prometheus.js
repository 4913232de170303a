// Prometheus' text format, as far as a page that draws it needs.

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

// Name of the series -> [{labels, value}].
export function readMetrics(text) {
  const series = {};
  for (const line of text.split("\n")) {
    const found = line.startsWith("#") ? null : LINE.exec(line);
    if (!found) continue;
    const labels = Object.fromEntries([...(found[2] ?? "").matchAll(LABEL)].map(([, name, value]) => [name, value]));
    (series[found[1]] ??= []).push({ labels, value: Number(found[3]) });
  }
  return series;
}

export const sumOf = (series, name, wanted = () => true) =>
  (series[name] ?? []).filter(({ labels }) => wanted(labels)).reduce((sum, { value }) => sum + value, 0);

// A counter that fell was started again: what it shows is what it grew by.
export function growthOf(before, after, name, wanted) {
  const [was, is] = [sumOf(before, name, wanted), sumOf(after, name, wanted)];
  return is >= was ? is - was : is;
}

// Of the observations between two samples of a histogram, interpolated within a bucket; null where there were none.
export function quantile(q, before, after, name, wanted) {
  const bounds = [
    ...new Set((after[`${name}_bucket`] ?? []).filter(({ labels }) => wanted(labels)).map(({ labels }) => labels.le)),
  ]
    .map((le) => ({ le, bound: le === "+Inf" ? Infinity : Number(le) }))
    .sort((a, b) => a.bound - b.bound)
    .map(({ le, bound }) => ({
      bound,
      n: growthOf(before, after, `${name}_bucket`, (labels) => wanted(labels) && labels.le === le),
    }));
  const whole = bounds.at(-1)?.n ?? 0;
  if (!whole) return null;
  const at = bounds.findIndex(({ n }) => n >= q * whole);
  const [low, below] = at ? [bounds[at - 1].bound, bounds[at - 1].n] : [0, 0];
  if (bounds[at].bound === Infinity) return low;
  return low + ((bounds[at].bound - low) * (q * whole - below)) / (bounds[at].n - below);
}
