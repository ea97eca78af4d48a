"use strict";
// The panes beside the diagram: the life of a message, who got what, the log. Texts are set as text, never as markup.

const LOGGED = 1000;
const CELL_SIGNS = { got: "✓", missed: "✗", none: "○", asked: "?", sender: "–", outside: "", echo: "✗", leak: "✗" };
const CELL_WORDS = {
  got: "got it", missed: "never got it, and should have", none: "did not get it; nothing says it should have",
  asked: "could not get it; the script expects it",
  sender: "the sender", outside: "not a member", echo: "got its own message back", leak: "got it, and was no member",
};

function add(parent, tag, text = undefined, className = "") {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  parent.append(node);
  return node;
}

// Whether a client was there at a moment, in words.
function presence(data, client, moment) {
  const lives = data.diagram.lives.filter((life) => life.lane === client && life.begun_ns <= moment && moment <= life.ended_ns);
  const struck = data.diagram.bands.find((band) => band.targets.includes(client) && band.begun_ns <= moment && moment <= band.ended_ns);
  if (struck) return `under ${struck.label}`;
  if (!lives.length) return "not running";
  return lives.some((life) => life.connected.some(([from, to]) => from <= moment && moment <= to)) ? "online" : "offline";
}

// Whether somebody got a message more than once, or other than it was sent.
function isChanged(cell) {
  return cell.state === "got" && (cell.times > 1 || Boolean(cell.note));
}

// Everybody's receipt: those that are wrong one by one and first; of many that are right, one line.
function tellCells(data, message, tell) {
  const after = (ns) => (message.sent_ns === null ? "" : `, ${long(ns - message.sent_ns)} after it was sent`);
  const cells = message.cells.map((cell, place) => ({ ...cell, client: data.clients[place] }));
  const [wrong, got, rest] = [
    cells.filter((cell) => ["missed", "asked", "echo", "leak", "none"].includes(cell.state) || isChanged(cell)),
    cells.filter((cell) => cell.state === "got" && !isChanged(cell)),
    cells.filter((cell) => cell.state === "sender" || cell.state === "outside"),
  ];
  for (const cell of wrong) {
    const tone = ["none", "asked", "got"].includes(cell.state) ? "doubt" : "bad";
    if (cell.state === "asked") {
      const why = cell.client === message.sender ? "the sender" : cell.note || "not a member";
      tell(cell.client, `${CELL_SIGNS.asked} ${why}: ${CELL_WORDS.asked}`, tone);
    } else if (cell.time_ns !== null) {
      const note = cell.note && cell.state === "got" ? `, ${cell.note}` : "";
      tell(cell.client, `${CELL_SIGNS[cell.state]} ${CELL_WORDS[cell.state]}${note}, at ${clock(cell.time_ns)}${cell.times > 1 ? `, ${cell.times} times` : ""}`, tone);
    } else {
      const then = message.sent_ns === null ? "" : `; ${presence(data, cell.client, message.sent_ns)} when it was sent`;
      tell(cell.client, `${CELL_SIGNS[cell.state]} ${CELL_WORDS[cell.state]}${cell.connected ? then : "; never connected"}`, tone);
    }
  }
  if (got.length <= 8) {
    for (const cell of got) tell(cell.client, `✓ ${clock(cell.time_ns)}${after(cell.time_ns)}`, "good");
  } else {
    const last = got.reduce((a, b) => (a.time_ns > b.time_ns ? a : b));
    tell(`${got.length} got it`, `✓ ${inRanges(got.map((cell) => cell.client))}; the last, ${last.client}, at ${clock(last.time_ns)}${after(last.time_ns)}`, "good");
  }
  for (const state of ["sender", "outside"]) {
    const names = rest.filter((cell) => cell.state === state).map((cell) => cell.client);
    if (names.length) tell(CELL_WORDS[state], inRanges(names));
  }
}

function showCard(state) {
  const card = document.getElementById("card");
  card.replaceChildren();
  const message = state.data.messages.find((item) => item.key === state.message);
  if (!message) {
    add(card, "p", state.message ? `${state.message}: not among the messages of this page` : "Choose a message, in the diagram or in the table, to see its life.", "dim");
    return;
  }
  add(card, "h3", message.name);
  add(card, "p", `“${message.text}”`);
  const list = add(card, "dl");
  const tell = (key, value, tone) => { add(list, "dt", key); add(list, "dd", value, tone); };
  tell("from", `${message.sender} to ${message.room}`);
  tell("sent", message.sent_ns === null ? "never, or not in what is shown" : clock(message.sent_ns));
  tell("stored", message.sequence === null ? "no sequence is known" : `as #${message.sequence}`);
  if (message.sent_ns !== null) tell("answered", message.answered_ns === null ? message.answer || "–" : `${message.answer} at ${clock(message.answered_ns)}`, message.answer === "ok" ? "" : "doubt");
  tellCells(state.data, message, tell);
  if (message.sequence !== null) {
    const acks = state.data.acks.filter((ack) => ack.room === message.room && ack.through >= message.sequence);
    const first = new Map();
    for (const ack of acks) if (!first.has(ack.client)) first.set(ack.client, ack.time_ns);
    const [last] = [...first].sort((a, b) => b[1] - a[1]);
    tell("read by", first.size > 8
      ? `${inRanges(state.data.clients.filter((client) => first.has(client)))}; the last, ${last[0]}, at ${clock(last[1])}`
      : [...first].map(([client, ns]) => `${client} ${clock(ns)}`).join(", ") || "nobody has said so, in what is shown");
  }
}

function drawMatrix(state) {
  const { data } = state;
  const section = document.getElementById("who");
  const [head, body] = [section.querySelector("thead"), section.querySelector("tbody")];
  const inTime = data.messages.filter((message) =>
    state.whole || message.sent_ns === null || (message.sent_ns <= state.to && lastOf(message) >= state.from));
  const rows = document.getElementById("odd").checked ? inTime.filter((message) => message.odd) : inTime;
  // Many names, or long ones, are written downwards.
  section.classList.toggle("many", data.clients.length > 10 || data.clients.some((client) => client.length > 24));
  for (const id of ["receipts", "oddly"]) document.getElementById(id).hidden = !data.messages.length;
  section.querySelector(".legend").hidden = !data.messages.length;
  head.replaceChildren();
  const line = add(head, "tr");
  add(line, "th", "message").scope = "col";
  for (const client of data.clients) {
    const cell = add(line, "th");
    cell.scope = "col";
    add(cell, "span", client, "name").title = client;
  }
  body.replaceChildren(...rows.map((message) => {
    const row = document.createElement("tr");
    row.classList.toggle("picked", message.key === state.message);
    const name = add(row, "th");
    name.scope = "row";
    const button = add(name, "button", message.name);
    button.type = "button";
    button.addEventListener("click", () => pick(message.key));
    message.cells.forEach((cell, place) => {
      const sign = `${CELL_SIGNS[cell.state]}${cell.times > 1 ? cell.times : ""}${cell.state === "got" && cell.note ? "!" : ""}`;
      const when = cell.time_ns === null ? "" : `, ${clock(cell.time_ns)}`;
      add(row, "td", sign, isChanged(cell) ? "changed" : cell.state).title = `${data.clients[place]}: ${CELL_WORDS[cell.state]}${when}${cell.note ? ` (${cell.note})` : ""}`;
    });
    return row;
  }));
  showOdd(section.querySelector(".wide"));
  document.getElementById("rows").textContent = data.messages.length ? `${rows.length} of ${several(data.messages.length, "message")}` : "No message was sent.";
}

// Of more clients than there is room for, shows those first with whom something is wrong.
function showOdd(pane) {
  const row = pane.querySelector("tr.picked");
  const cell = row?.querySelector(".missed, .asked, .leak, .echo");
  if (!cell) return;
  const [names, width] = [row.querySelector("th").offsetWidth, cell.offsetWidth];
  const hidden = cell.offsetLeft + width > pane.scrollLeft + pane.clientWidth || cell.offsetLeft < pane.scrollLeft + names;
  if (hidden) pane.scrollLeft = cell.offsetLeft - names - 2 * width;
}

function lastOf(message) {
  return Math.max(message.answered_ns ?? message.sent_ns, ...message.cells.map((cell) => cell.time_ns ?? 0));
}

function drawLog(state) {
  const value = (id) => document.getElementById(id);
  const words = value("find").value.toLowerCase();
  const found = state.data.entries.filter((entry) =>
    entry.time_ns >= state.from && entry.time_ns <= state.to
    && (entry.tone === "log" ? value("lines").checked && !value("proof").checked : value("ops").checked)
    && (!value("proof").checked || entry.proof)
    && (!value("by").value || entry.process === value("by").value)
    && (!words || entry.text.toLowerCase().includes(words)));
  document.querySelector("#log tbody").replaceChildren(...found.slice(0, LOGGED).map((entry) => {
    const row = document.createElement("tr");
    row.className = `${entry.tone}${entry.proof ? " proof" : ""}`;
    add(row, "td", clock(entry.time_ns), "number");
    add(row, "td", entry.process);
    add(row, "td", entry.text, "mono");
    return row;
  }));
  const more = found.length > LOGGED ? `, the first ${LOGGED} are shown` : "";
  value("logged").textContent = `${found.length} of ${several(state.data.entries.length, "line")}${more}`;
}
