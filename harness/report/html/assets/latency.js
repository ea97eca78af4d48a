"use strict";
// How long answers and deliveries took: percentiles over time, and how often what was how long. The first functions
// are pure, from counts in buckets to numbers.

const SHARES = [["p50", 0.5], ["p90", 0.9], ["p99", 0.99]];
const PLOT = { height: 150, left: 52, right: 34, top: 8, bottom: 18 };

// Adds up [bucket, count] pairs of several parts.
function sumCounts(parts) {
  const counts = new Map();
  for (const part of parts) for (const [place, number] of part.counts) counts.set(place, (counts.get(place) ?? 0) + number);
  return [...counts].sort((a, b) => a[0] - b[0]);
}

// The bound that a share of all is not above, or null of nothing; beyond the last bound: Infinity.
function percentile(counts, share, bounds) {
  const total = counts.reduce((sum, [, number]) => sum + number, 0);
  let left = Math.max(1, Math.ceil(total * share));
  for (const [place, number] of counts) {
    left -= number;
    if (left <= 0) return bounds[place] ?? Infinity;
  }
  return null;
}

// The parts of a run that touch a time: their places.
function partsIn(count, end, from, to) {
  const places = Array.from({ length: count }, (_, place) => place);
  return places.filter((place) => ((place + 1) * end) / count > from && (place * end) / count < to);
}

// Powers of ten that a plot reaches over, so that both ends are on it.
function decades(values) {
  const logs = values.filter((value) => Number.isFinite(value)).map(Math.log10);
  if (!logs.length) return [5, 6];
  const low = Math.floor(Math.min(...logs)), high = Math.ceil(Math.max(...logs) + 1e-9);
  return [low, Math.max(high, low + 1)];
}

// Runs of points without a gap: where nothing was waited for, nothing is drawn.
function unbroken(points) {
  const runs = [[]];
  for (const point of points) if (point) runs.at(-1).push(point); else runs.push([]);
  return runs.filter((run) => run.length);
}

function brief(ns) {
  if (!Number.isFinite(ns)) return "over 100 s";
  return ns >= 1e9 ? `${Number((ns / 1e9).toPrecision(2))} s` : `${Number((ns / 1e6).toPrecision(2))} ms`;
}

function drawLatencies(state) {
  const section = document.getElementById("latency");
  section.hidden = !state.data.latencies.length;
  if (!section.hidden) document.getElementById("plots").replaceChildren(...state.data.latencies.map((kind) => onePlot(state, kind)));
}

function onePlot(state, kind) {
  const { data, from, to } = state;
  const places = partsIn(kind.parts.length, data.end_ns, from, to);
  const all = sumCounts(places.map((place) => kind.parts[place]));
  const number = all.reduce((sum, [, each]) => sum + each, 0);
  const told = SHARES.map(([name, share]) => `${name} ≤ ${brief(percentile(all, share, data.bounds))}`);
  const figure = document.createElement("figure");
  add(figure, "figcaption", number ? `${kind.name}: ${told.join(", ")} (${number} in this time)` : `${kind.name}: none in this time`);
  const pair = add(figure, "div", undefined, "pair");
  const room = document.getElementById("plots").clientWidth || 800;
  const narrow = room < 600;
  drawPercentiles(pair, state, kind, places, narrow ? room : Math.floor(room * 0.66));
  drawHistogram(pair, data.bounds, all, narrow ? room : Math.floor(room * 0.33) - 12);
  return figure;
}

function plotIn(parent, width, label) {
  return svg(parent, "svg", { width, height: PLOT.height, viewBox: `0 0 ${width} ${PLOT.height}`, role: "img", "aria-label": label });
}

function drawPercentiles(parent, state, kind, places, width) {
  const { data, from, to } = state;
  const root = plotIn(parent, width, `${kind.name} over time`);
  const bottom = PLOT.height - PLOT.bottom, span = Math.max(1, to - from);
  const x = (ns) => PLOT.left + ((width - PLOT.left - PLOT.right) * (Math.min(to, Math.max(from, ns)) - from)) / span;
  const lines = SHARES.map(([, share]) => places.map((place) => percentile(kind.parts[place].counts, share, data.bounds)));
  const [low, high] = decades(lines.flat().filter((value) => value !== null));
  const y = (ns) => bottom - ((bottom - PLOT.top) * (Math.min(high, Math.log10(ns)) - low)) / (high - low);
  for (const band of data.diagram.bands) {
    if (band.ended_ns < from || band.begun_ns > to) continue;
    const box = { class: "band", x: x(band.begun_ns), y: PLOT.top, width: Math.max(2, x(band.ended_ns) - x(band.begun_ns)), height: bottom - PLOT.top };
    svg(svg(root, "rect", box), "title", {}, band.label);
  }
  for (let power = low; power <= high; power += 1) {
    svg(root, "line", { class: "idle", x1: PLOT.left, x2: width - PLOT.right, y1: y(10 ** power), y2: y(10 ** power) });
    svg(root, "text", { class: "clock", x: PLOT.left - 4, y: y(10 ** power) + 4, "text-anchor": "end" }, brief(10 ** power));
  }
  svg(root, "text", { class: "clock", x: PLOT.left, y: PLOT.height - 4 }, clock(from));
  svg(root, "text", { class: "clock", x: width - PLOT.right, y: PLOT.height - 4, "text-anchor": "end" }, clock(to));
  let above = Infinity; // names of lines that end at one height are written below each other
  for (const [place, values] of [...lines.entries()].reverse()) {
    const middle = (at) => x(((places[at] + 0.5) * data.end_ns) / kind.parts.length);
    const points = values.map((value, at) => (value === null ? null : [middle(at), y(value)]));
    for (const run of unbroken(points)) {
      // What is alone is a short line of its own.
      const [[px, py]] = run;
      const drawn = run.length > 1 ? run : [[px - 1.5, py], [px + 1.5, py]];
      svg(root, "polyline", { class: `share ${SHARES[place][0]}`, points: drawn.map((point) => point.map((each) => each.toFixed(1)).join(",")).join(" ") });
    }
    if (!points.some(Boolean)) continue;
    const wanted = points.findLast(Boolean)[1] + 4;
    above = above === Infinity ? Math.min(wanted, bottom - 22) : Math.max(wanted, above + 12);
    svg(root, "text", { class: "clock", x: width - PLOT.right + 4, y: above }, SHARES[place][0]);
  }
}

function drawHistogram(parent, bounds, counts, width) {
  const root = plotIn(parent, width, "how often it took how long");
  if (!counts.length) return;
  const bottom = PLOT.height - PLOT.bottom, most = Math.max(...counts.map(([, number]) => number));
  const [low, high] = [Math.min(...counts.map(([place]) => place)), Math.max(...counts.map(([place]) => place))];
  const step = (width - PLOT.left - PLOT.right) / (high - low + 1);
  for (const [place, number] of counts) {
    const height = Math.max(1, ((bottom - PLOT.top) * number) / most);
    const bar = svg(root, "rect", { class: "bar", x: PLOT.left + (place - low) * step, y: bottom - height, width: Math.max(1, step - 1), height });
    svg(bar, "title", {}, `${number} times up to ${brief(bounds[place] ?? Infinity)}`);
  }
  svg(root, "text", { class: "clock", x: PLOT.left - 4, y: PLOT.top + 8, "text-anchor": "end" }, `${most} ×`);
  svg(root, "text", { class: "clock", x: PLOT.left, y: PLOT.height - 4 }, low ? brief(bounds[low - 1]) : "0");
  svg(root, "text", { class: "clock", x: PLOT.left + (high - low + 1) * step, y: PLOT.height - 4, "text-anchor": "end" }, brief(bounds[high] ?? Infinity));
}
