"use strict";
// What is chosen, and how one chooses: a time, lanes, a message, a violation. Every pane follows.

const SERVER = "server";
const data = JSON.parse(document.getElementById("data").textContent);
const timeOf = new Map(data.entries.filter((entry) => entry.op !== null).map((entry) => [entry.op, entry.time_ns]));
const state = {
  data, from: data.focus[0], to: data.focus[1], whole: false, message: "", finding: -1,
  lanes: [], proof: new Set(data.findings.flatMap((finding) => finding.proof)),
};

function pick(message, seek = true) {
  state.message = message;
  if (message) {
    // From a file, some browsers forbid to write the address; a link to the message is then done without.
    try { history.replaceState(null, "", `#m-${encodeURIComponent(message)}`); } catch { /* see above */ }
  }
  drawDiagram(state);
  if (seek) seekPicked();
  showCard(state);
  drawMatrix(state);
}

function chooseTime(from, to) {
  state.from = Math.max(0, Math.min(from, to));
  state.to = Math.min(data.end_ns, Math.max(from, to));
  state.whole = state.from <= 0 && state.to >= data.end_ns;
  drawStrip();
  drawDiagram(state);
  drawMatrix(state);
  drawLog(state);
  drawLatencies(state);
  followTime();
}

// What stands on the page already: the script, processes, faults and findings.
function followTime() {
  const inTime = (node) => Number(node.dataset.from) <= state.to && Number(node.dataset.to) >= state.from;
  for (const row of document.querySelectorAll("#script tr[data-from]")) row.classList.toggle("in", inTime(row));
  for (const item of document.querySelectorAll("#processes li")) item.hidden = !inTime(item);
  const end = Math.max(1, data.end_ns), width = Math.max(1, state.to - state.from);
  for (const life of document.querySelectorAll("#processes svg")) {
    life.setAttribute("viewBox", `${(1000 * state.from) / end} 0 ${(1000 * width) / end} 14`);
  }
  const lifetime = document.getElementById("lifetime");
  if (lifetime) lifetime.textContent = `from ${clock(state.from)} to ${clock(state.to)}`;
  data.findings.forEach((finding, place) => {
    const times = finding.proof.filter((op) => timeOf.has(op)).map((op) => timeOf.get(op));
    const aside = times.length > 0 && !times.some((time) => state.from <= time && time <= state.to);
    document.getElementById(`f${place + 1}`).classList.toggle("aside", aside); // it has no proof in this time
  });
}

function drawStrip() {
  const strip = document.getElementById("strip");
  strip.replaceChildren();
  const x = (ns) => (1000 * ns) / Math.max(1, data.end_ns);
  for (const band of data.diagram.bands) {
    svg(strip, "rect", { class: "band", x: x(band.begun_ns), y: 0, width: Math.max(2, x(band.ended_ns - band.begun_ns)), height: 34 });
  }
  const most = Math.max(1, ...data.density), width = 1000 / data.density.length;
  data.density.forEach((number, place) => {
    const height = number ? 3 + (25 * Math.sqrt(number)) / Math.sqrt(most) : 0;
    if (number) svg(strip, "rect", { class: "bar", x: place * width, y: 34 - height, width: width * 0.8, height });
  });
  const times = data.diagram.arrows.filter((arrow) => state.proof.has(arrow.op)).map((arrow) => arrow.ended_ns);
  for (const mark of data.diagram.marks) if (state.proof.has(mark.op) || mark.kind === "never") times.push(mark.time_ns);
  for (const time of new Set(times)) svg(strip, "rect", { class: "hint", x: Math.min(997, x(time)), y: 0, width: 3, height: 8 });
  svg(strip, "rect", { class: "chosen", x: x(state.from), y: 0.5, width: Math.max(2, x(state.to - state.from)), height: 33 });
  document.getElementById("from").value = Math.round(x(state.from));
  document.getElementById("to").value = Math.round(x(state.to));
  document.getElementById("span").textContent = state.whole
    ? `The whole run, ${clock(data.end_ns)}.`
    : `From ${clock(state.from)} to ${clock(state.to)} of ${clock(data.end_ns)}.`;
  // What stays in place at the top must not cover what one goes to.
  document.documentElement.style.setProperty("--range", `${document.getElementById("range").offsetHeight}px`);
}

function listenToStrip() {
  const strip = document.getElementById("strip");
  let begun = null;
  const at = (event) => {
    const box = strip.getBoundingClientRect();
    return (data.end_ns * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  };
  strip.addEventListener("pointerdown", (event) => { begun = at(event); strip.setPointerCapture(event.pointerId); });
  strip.addEventListener("pointerup", (event) => {
    if (begun === null) return;
    const ended = at(event);
    // A click without a drag chooses a twentieth of the run around it.
    if (Math.abs(ended - begun) < data.end_ns / 200) chooseTime(begun - data.end_ns / 40, begun + data.end_ns / 40);
    else chooseTime(begun, ended);
    begun = null;
  });
  for (const id of ["from", "to"]) {
    document.getElementById(id).addEventListener("change", () => {
      const ns = (name) => (data.end_ns * Number(document.getElementById(name).value)) / 1000;
      chooseTime(ns("from"), ns("to"));
    });
  }
  document.getElementById("whole").addEventListener("click", () => chooseTime(0, data.end_ns));
}

// The lanes at first: those whom violations are about, then the rest of the cast, as many as there is room for.
function chooseLanes() {
  const room = Math.max(2, Math.min(8, Math.floor((document.getElementById("canvas").clientWidth - CLOCK - 8) / 100) - 1));
  // Of the first violation everybody it is about and who sent, then of the second, and so on.
  const bySender = new Map(data.messages.map((message) => [message.key, data.users[message.sender] ?? []]));
  const about = data.findings.flatMap((finding) =>
    [...finding.clients.slice(0, 1), ...finding.messages.flatMap((key) => bySender.get(key) ?? []), ...finding.clients])
    .filter((name) => data.clients.includes(name));
  const wanted = [...new Set([...about, ...data.clients])].slice(0, room);
  state.lanes = data.clients.filter((name) => wanted.includes(name));
}

function listLanes() {
  const list = document.getElementById("lanes");
  list.replaceChildren();
  const button = (name) => {
    const node = add(list, "button", name);
    node.type = "button";
    node.setAttribute("aria-pressed", String(state.lanes.includes(name)));
    node.addEventListener("click", () => {
      state.lanes = data.clients.filter((other) => (other === name) !== state.lanes.includes(other));
      listLanes();
      drawDiagram(state);
    });
  };
  const few = data.clients.length <= 12;
  for (const name of few ? data.clients : state.lanes) button(name);
  if (few) return;
  const more = add(list, "select");
  more.setAttribute("aria-label", "add a lane");
  add(more, "option", `… ${data.clients.length - state.lanes.length} others`).value = "";
  for (const name of data.clients) if (!state.lanes.includes(name)) add(more, "option", name).value = name;
  more.addEventListener("change", () => {
    state.lanes = data.clients.filter((name) => name === more.value || state.lanes.includes(name));
    listLanes();
    drawDiagram(state);
  });
}

function showFinding(place, move = true) {
  if (!data.findings.length) return;
  state.finding = (place + data.findings.length) % data.findings.length;
  const finding = data.findings[state.finding];
  const times = data.diagram.arrows.filter((arrow) => finding.proof.includes(arrow.op)).flatMap((arrow) => [arrow.begun_ns, arrow.ended_ns]);
  for (const mark of data.diagram.marks) {
    if (finding.proof.includes(mark.op) || (mark.kind === "never" && finding.messages.includes(mark.message))) times.push(mark.time_ns);
  }
  const few = data.diagram.arrows.length <= DRAWN / 2;
  if (times.length && !few) {
    const around = Math.max(20e6, (Math.max(...times) - Math.min(...times)) / 10);
    chooseTime(Math.min(...times) - around, Math.max(...times) + around);
  }
  pick(finding.messages[0] ?? "");
  const told = document.getElementById(`f${state.finding + 1}`);
  for (let node = told; node; node = node.parentElement.closest("details")) node.open = true;
  if (move) told.querySelector("summary").focus();
}

// The next or previous message in the order of the table.
function step(by) {
  const place = data.messages.findIndex((message) => message.key === state.message);
  const next = data.messages[place < 0 ? (by > 0 ? 0 : data.messages.length - 1) : place + by];
  if (next) pick(next.key);
}

const KEYS = {
  n: () => showFinding(state.finding + 1), p: () => showFinding(state.finding - 1), j: () => step(1), k: () => step(-1),
  w: () => chooseTime(0, data.end_ns), d: turnTheme, Escape: () => pick(""),
  "/": () => document.getElementById("find").focus(), "?": () => document.getElementById("keys").showModal(),
};

// The message that a link leads to: `index.html#m-hello`.
function namedIn(hash) {
  try { return hash.startsWith("#m-") ? decodeURIComponent(hash.slice(3)) : ""; } catch { return ""; }
}

function begin() {
  if (!data.entries.length && !data.messages.length) return;
  document.getElementById("log").hidden = false;
  for (const id of ["range", "choosing", "diagram", "who"]) document.getElementById(id).hidden = !data.played;
  chooseLanes();
  listLanes();
  listenToStrip();
  document.getElementById("odd").checked = data.messages.length > 40 && data.messages.some((message) => message.odd);
  document.getElementById("odd").addEventListener("change", () => drawMatrix(state));
  for (const name of [...new Set(data.entries.map((entry) => entry.process))]) add(document.getElementById("by"), "option", name).value = name;
  for (const id of ["find", "by", "ops", "lines", "proof"]) document.getElementById(id).addEventListener("input", () => drawLog(state));
  for (const button of document.querySelectorAll("[data-finding]")) {
    button.addEventListener("click", () => {
      showFinding(Number(button.dataset.finding), false);
      document.getElementById("diagram").scrollIntoView();
    });
  }
  for (const button of document.querySelectorAll("#script button[data-from]")) {
    button.addEventListener("click", () => {
      const [from, to] = [Number(button.dataset.from), Number(button.dataset.to)];
      const around = Math.max(5e6, (to - from) / 20);
      chooseTime(from - around, to + around);
      document.getElementById("diagram").scrollIntoView();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    if (!KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  addEventListener("resize", () => { drawDiagram(state); drawLatencies(state); });
  chooseTime(state.from, state.to);
  const named = namedIn(location.hash);
  if (named) pick(named);
  else if (data.findings.some((finding) => finding.messages.length)) pick(data.findings.find((finding) => finding.messages.length).messages[0]);
}

begin();
