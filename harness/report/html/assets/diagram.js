"use strict";
// Draws the diagram as SVG. Every text is set as text: what strangers wrote is never read as markup.

const SVG = "http://www.w3.org/2000/svg";
const DRAWN = 700;

const pen = document.createElement("canvas").getContext("2d");
// Cuts a text to what fits, in the font that `svg text` has in page.css.
function fit(text, pixels, font = "11px") {
  pen.font = `${font} system-ui, sans-serif`;
  return cutTo(text, pixels, (part) => pen.measureText(part).width);
}

function svg(parent, tag, attributes = {}, text = undefined) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

function drawDiagram(state) {
  const canvas = document.getElementById("canvas");
  const shown = new Set([SERVER, ...state.lanes]);
  const chosen = choose(state.data.diagram, shown, state.from, state.to, DRAWN, state.proof);
  const lanes = placeLanes(state.lanes, SERVER, canvas.clientWidth);
  const bands = state.data.diagram.bands.filter((band) => band.targets.some((target) => shown.has(target)));
  const placed = placeTimes(momentsOf(chosen, state.from, state.to, bands));
  const root = document.createElementNS(SVG, "svg");
  root.setAttribute("width", lanes.width);
  root.setAttribute("height", placed.height);
  root.setAttribute("viewBox", `0 0 ${lanes.width} ${placed.height}`);
  root.setAttribute("role", "img");
  root.setAttribute("aria-label", "sequence diagram; the log below says the same in words");
  // Words are written over all lines, whatever they belong to.
  const words = document.createElementNS(SVG, "g");
  drawBands(root, words, state, lanes, placed);
  drawLives(root, state, lanes, placed);
  for (const gap of placed.gaps) {
    svg(root, "line", { class: "idle", x1: CLOCK + 8, x2: lanes.width, y1: gap.y, y2: gap.y });
    svg(words, "text", { class: "gap halo", x: 2, y: gap.y + 3 }, `⋮ ${long(gap.ns)}`);
  }
  placed.moments.forEach((moment, place) => svg(root, "text", { class: "clock", x: 2, y: placed.ys[place] + 4 }, clock(moment)));
  for (const arrow of chosen.arrows) drawArrow(root, words, state, lanes, placed, arrow);
  const room = roomBeside(chosen, lanes);
  const told = new Set(chosen.marks.filter((mark) => mark.kind !== "fence").map((mark) => mark.time_ns));
  for (const mark of together(chosen.marks)) drawMark(root, words, lanes, placed, mark, room(mark), !told.has(mark.time_ns));
  root.append(words);
  drawHead(root, lanes, canvas);
  canvas.replaceChildren(root);
  const cut = document.getElementById("cut");
  cut.hidden = !chosen.left;
  cut.textContent = `${chosen.left} more in this time are not drawn. Choose a shorter time, or fewer lanes.`;
}

function drawHead(root, lanes, canvas) {
  const head = svg(root, "g");
  svg(head, "rect", { class: "head", x: 0, y: 0, width: lanes.width, height: TOP - 8 });
  for (const name of lanes.names) {
    const label = svg(head, "text", { class: "name", x: lanes.xs.get(name), y: 17, "text-anchor": "middle" }, fit(name, lanes.pitch - 8, "600 12px"));
    svg(label, "title", {}, name);
  }
  const follow = () => head.setAttribute("transform", `translate(0 ${canvas.scrollTop})`);
  canvas.onscroll = follow;
  follow();
}

function drawBands(root, words, state, lanes, placed) {
  for (const band of state.data.diagram.bands) {
    if (band.ended_ns < state.from || band.begun_ns > state.to) continue;
    const from = heightOf(placed, Math.max(band.begun_ns, state.from));
    const to = heightOf(placed, Math.min(band.ended_ns, state.to));
    for (const target of band.targets) {
      if (!lanes.xs.has(target)) continue;
      const box = { class: "band", x: lanes.xs.get(target) - lanes.pitch * 0.42, y: from, width: lanes.pitch * 0.84, height: Math.max(4, to - from) };
      svg(svg(root, "rect", box), "title", {}, band.label);
      svg(words, "text", { x: lanes.xs.get(target) - lanes.pitch * 0.4, y: from - 3, class: "doubt halo" }, fit(band.label, lanes.pitch * 0.84, "600 11px"));
    }
  }
}

function drawLives(root, state, lanes, placed) {
  for (const life of state.data.diagram.lives) {
    const x = lanes.xs.get(life.lane);
    if (x === undefined || life.ended_ns < state.from || life.begun_ns > state.to) continue;
    const line = (kind, from, to) => {
      if (to < state.from || from > state.to) return;
      const y1 = heightOf(placed, Math.max(from, state.from));
      const y2 = to >= state.to ? placed.height : heightOf(placed, to);
      svg(root, "line", { class: kind, x1: x, x2: x, y1, y2 });
    };
    line("alive", life.begun_ns, life.ended_ns);
    for (const [from, to] of life.connected) line("on", from, to);
  }
}

function toneOf(arrow) {
  if (arrow.end === "refused" || arrow.end === "unwanted") return "bad";
  return arrow.end === "unknown" ? "doubt" : "";
}

function drawArrow(root, words, state, lanes, placed, arrow) {
  const [x1, x2] = [lanes.xs.get(arrow.source), lanes.xs.get(arrow.target)];
  const y1 = heightOf(placed, Math.max(arrow.begun_ns, state.from));
  const beyond = arrow.ended_ns > state.to;
  const y2 = beyond ? placed.height : heightOf(placed, arrow.ended_ns);
  const stops = arrow.end === "refused" || arrow.end === "unknown";
  const reach = stops ? 0.62 : 1; // who was refused, or never heard, may not have reached the server
  const [ex, ey] = [x1 + (x2 - x1) * reach, y1 + (y2 - y1) * reach];
  const classes = ["arrow", arrow.kind, toneOf(arrow)];
  if (state.proof.has(arrow.op)) classes.push("proof");
  if (arrow.message && arrow.message === state.message) classes.push("picked");
  const group = svg(root, "g", { class: classes.filter(Boolean).join(" "), "data-index": arrow.op });
  svg(group, "title", {}, `${arrow.label}: ${arrow.source} to ${arrow.target}, ${clock(arrow.begun_ns)} to ${clock(arrow.ended_ns)}`);
  svg(group, "line", { x1, y1, x2: ex, y2: ey });
  svg(group, "line", { class: "hit", x1, y1, x2: ex, y2: ey });
  const turn = (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI;
  if (stops) {
    svg(words, "text", { class: `halo ${toneOf(arrow)}`, x: ex, y: ey + 4, "text-anchor": "middle" }, arrow.end === "refused" ? "✗" : "?");
  } else if (!beyond) {
    svg(group, "path", { d: "M0 0 L-8 -3.6 L-8 3.6 Z", transform: `translate(${ex} ${ey}) rotate(${turn})` });
  }
  // A sending is named where it leaves, everything else where it lands: those rows are its own.
  const outward = arrow.kind === "send" || arrow.kind === "connect" || arrow.kind === "ack";
  const leads = (node) => { if (arrow.message) node.addEventListener("click", () => pick(arrow.message, false)); };
  leads(group);
  if (outward ? arrow.begun_ns < state.from : beyond) return; // that end is not in the time chosen
  const [tx, ty] = outward ? [x1, y1] : [x2, y2];
  const right = outward ? x2 > x1 : x1 > x2;
  const label = `${arrow.end === "unwanted" ? "✗ " : ""}${arrow.kind === "send" ? "send " : ""}${arrow.label}`;
  const place = { class: `halo of-${arrow.kind} ${toneOf(arrow)}`, x: tx + (right ? 9 : -9), y: ty - 4, "text-anchor": right ? "start" : "end" };
  leads(svg(words, "text", place, fit(label, lanes.pitch - 14, toneOf(arrow) ? "600 11px" : "11px")));
}

const SIGNS = { kept: ["◆", "good"], broken: ["◇", "bad"], never: ["✗", "bad"], refused: ["✗", "bad"], unknown: ["?", "doubt"] };

function drawMark(root, words, lanes, placed, mark, room, alone) {
  const [x, y] = [lanes.xs.get(mark.lane), heightOf(placed, mark.time_ns)];
  if (mark.kind === "fence") {
    const server = lanes.xs.get(SERVER);
    const node = svg(root, "line", { class: "fence", x1: x, x2: server, y1: y, y2: y });
    svg(node, "title", {}, `${mark.lane}: fence at ${clock(mark.time_ns)}`);
    // Its name stands where another mark of the same moment may have its own.
    if (alone) svg(words, "text", { class: "halo clock", x: x + (server > x ? 9 : -9), y: y - 3, "text-anchor": server > x ? "start" : "end" }, "fence");
    return;
  }
  const [sign, tone] = SIGNS[mark.kind] ?? ["•", ""];
  const group = svg(words, "g");
  svg(group, "title", {}, `${mark.lane}: ${mark.label}, ${clock(mark.time_ns)}`);
  svg(group, "text", { class: `halo ${tone}`, x, y: y + 4, "text-anchor": "middle" }, sign);
  if (mark.told) {
    svg(group, "text", { class: `halo ${tone}`, x: x + (room < 0 ? -9 : 9), y: y + 4, "text-anchor": room < 0 ? "end" : "start" }, fit(mark.told, Math.abs(room) - 14, tone ? "600 11px" : "11px"));
  }
}

// Scrolls the diagram to where the chosen message begins.
function seekPicked() {
  const canvas = document.getElementById("canvas");
  const line = canvas.querySelector(".arrow.picked line");
  if (line) canvas.scrollTop = Math.max(0, Number(line.getAttribute("y1")) - canvas.clientHeight / 3);
}
