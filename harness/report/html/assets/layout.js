"use strict";
// Where things stand in the diagram: pure functions, from the page's data to numbers.

const ROW = 20, GAP = 46, TOP = 34, CLOCK = 62;

// The height of each moment. Every distinct moment has a row of its own, in order, and a longer time gets a little
// more room, so that nothing is drawn over anything; what is far longer than the rest is cut down and named.
function placeTimes(times, idle = 250e6) {
  const moments = [...new Set(times)].sort((a, b) => a - b);
  const ys = [], gaps = [];
  let y = TOP + ROW;
  moments.forEach((moment, place) => {
    if (place) {
      const past = moment - moments[place - 1];
      if (past >= idle) {
        gaps.push({ y: y + GAP / 2, ns: past });
        y += GAP;
      } else {
        y += ROW + Math.min(ROW, (past / 50e6) * ROW);
      }
    }
    ys.push(y);
  });
  return { moments, ys, gaps, height: y + ROW };
}

// The height of any moment, between its neighbours in proportion.
function heightOf(placed, moment) {
  const { moments, ys } = placed;
  if (!moments.length) return TOP;
  if (moment <= moments[0]) return moment === moments[0] ? ys[0] : TOP;
  let low = 0, high = moments.length - 1;
  if (moment >= moments[high]) return moment === moments[high] ? ys[high] : placed.height;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (moments[middle] <= moment) low = middle; else high = middle;
  }
  return ys[low] + ((ys[high] - ys[low]) * (moment - moments[low])) / (moments[high] - moments[low]);
}

// The lanes from left to right: half of the clients, the server, the others.
function placeLanes(clients, server, width) {
  const half = Math.ceil(clients.length / 2);
  const names = [...clients.slice(0, half), server, ...clients.slice(half)];
  // Half a lane is left free at the right: what happens to the last one is named there.
  const pitch = Math.max(84, Math.min(210, Math.floor((width - CLOCK - 8) / (names.length + 0.5))));
  const xs = new Map(names.map((name, place) => [name, CLOCK + pitch * place + Math.floor(pitch / 2)]));
  return { names, xs, pitch, width: Math.max(Math.floor(width), CLOCK + Math.ceil(pitch * (names.length + 0.5)) + 8) };
}

// What is drawn of one diagram: arrows and marks between shown lanes that touch the time chosen, at most so many,
// from the begin of it. Proof is never left out in favour of others.
function choose(diagram, shown, from, to, limit, proof) {
  const arrows = diagram.arrows.filter((arrow) =>
    shown.has(arrow.source) && shown.has(arrow.target) && arrow.ended_ns >= from && arrow.begun_ns <= to);
  const marks = diagram.marks.filter((mark) => shown.has(mark.lane) && mark.time_ns >= from && mark.time_ns <= to);
  const all = [
    ...arrows.map((arrow) => ({ arrow, time: arrow.ended_ns, first: proof.has(arrow.op) })),
    ...marks.map((mark) => ({ mark, time: mark.time_ns, first: proof.has(mark.op) || mark.kind === "never" })),
  ].sort((a, b) => a.time - b.time);
  let room = limit - all.filter((item) => item.first).length;
  const kept = all.filter((item) => item.first || room-- > 0);
  return {
    arrows: kept.filter((item) => item.arrow).map((item) => item.arrow),
    marks: kept.filter((item) => item.mark).map((item) => item.mark),
    left: all.length - kept.length,
  };
}

// Moments that need a row: the ends of arrows that lie in the time chosen, every mark, and the begin of every fault.
function momentsOf(chosen, from, to, bands = []) {
  const times = [...chosen.marks.map((mark) => mark.time_ns), ...bands.map((band) => band.begun_ns)];
  for (const arrow of chosen.arrows) times.push(arrow.begun_ns, arrow.ended_ns);
  return times.filter((time) => time >= from && time <= to);
}

// Marks that stand in one place as one: the gravest gives the sign, and what never came is told in one line.
function together(marks) {
  const places = new Map();
  for (const mark of marks) {
    const place = JSON.stringify([mark.lane, mark.time_ns, mark.kind === "fence"]);
    places.set(place, [...(places.get(place) ?? []), mark]);
  }
  const rank = (mark) => ["kept", "broken", "unknown", "refused", "never"].indexOf(mark.kind);
  return [...places.values()].map((all) => {
    const gravest = all.reduce((a, b) => (rank(b) > rank(a) ? b : a));
    const labels = all.filter((mark) => mark.kind !== "kept" && mark.kind !== "broken").map((mark) => mark.label);
    const said = all.map((mark) => mark.label);
    return { ...gravest, told: inOneLine(labels), label: inOneLine(said) };
  });
}

// Labels that begin alike, `never got a` and `never got b`, as one: `never got a, b`.
function inOneLine(labels) {
  const never = "never got ";
  const missed = labels.filter((label) => label.startsWith(never)).map((label) => label.slice(never.length));
  const others = labels.filter((label) => !label.startsWith(never));
  return [...new Set([...(missed.length ? [never + [...new Set(missed)].join(", ")] : []), ...others])].join("; ");
}

// How far to the right a mark may be told: to the next lane on which something is at the same moment. Of the last lane,
// how far to the left, as a negative number.
function roomBeside(chosen, lanes) {
  const busy = new Map();
  const note = (time, lane) => busy.set(time, [...(busy.get(time) ?? []), lanes.xs.get(lane)]);
  for (const mark of chosen.marks) note(mark.time_ns, mark.lane);
  for (const arrow of chosen.arrows) { note(arrow.begun_ns, arrow.source); note(arrow.ended_ns, arrow.target); }
  return (mark) => {
    const x = lanes.xs.get(mark.lane);
    const beside = busy.get(mark.time_ns);
    // The last lane has little to its right: what happens to it is named on its inner side, unless the name of another
    // mark may stand there.
    const alone = chosen.marks.every((other) => other.time_ns !== mark.time_ns || other.lane === mark.lane);
    if (alone && x >= Math.max(...lanes.xs.values())) return -(x - Math.max(CLOCK, x - 3 * lanes.pitch, ...beside.filter((other) => other < x)));
    return Math.min(lanes.width, 3 * lanes.pitch + x, ...beside.filter((other) => other > x)) - x;
  };
}

// Names in few words: user-1, user-2, user-3 and bob are user-1..3, bob.
function inRanges(names) {
  const told = [];
  for (const name of names) {
    const [, series, number] = name.match(/^(.*-)(\d+)$/) ?? [, name, null];
    const last = told.at(-1);
    if (last && number !== null && last.series === series && Number(number) === last.to + 1) last.to += 1;
    else told.push({ name, series, from: Number(number), to: Number(number) });
  }
  return told.map(({ name, from, to }) => (to > from + 1 ? `${name}..${to}` : to > from ? `${name}, ${name.replace(/\d+$/, to)}` : name)).join(", ");
}

function several(number, noun) {
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`;
}

function clock(ns) {
  return `${(ns / 1e9).toFixed(3)} s`;
}

function long(ns) {
  const seconds = ns / 1e9;
  if (seconds < 0.1) return `${(ns / 1e6).toFixed(ns < 10e6 ? 1 : 0)} ms`;
  if (seconds < 120) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

// Cuts a text to a width; `widthOf` knows how wide a text is.
function cutTo(text, pixels, widthOf) {
  if (widthOf(text) <= pixels) return text;
  const letters = [...text];
  let low = 2, high = letters.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (widthOf(`${letters.slice(0, middle).join("")}…`) <= pixels) low = middle; else high = middle;
  }
  return `${letters.slice(0, low).join("")}…`;
}
