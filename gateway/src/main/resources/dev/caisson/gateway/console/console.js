// The first page: what lives in this process, as it comes and goes. No library, no build step.
//
//   /api/tree/events  "tree": everything;  "change": {added, removed, counts}
//   rows              Map key -> {key, parent, kind, name, path, since, state, origin}
//   elements          Map key -> the row's element; a row that went keeps its element until it has faded
"use strict";

const KEPT_SAMPLES = 60; // of each kind's count, for its little chart
const KEPT_LOG = 200;
const FADE_MILLIS = 1400;
const HUES = {
  scope: 212, server: 150, gateway: 262, "listening-socket": 175, listener: 175, connection: 32, "http-connection": 45,
  stream: 340, call: 340, task: 200, timer: 285, channel: 120, target: 95, resource: 225, group: 300,
};

const BUSY = ["call", "connection", "http-connection", "task", "channel"]; // what moves most comes first

const byId = id => document.getElementById(id);
const rows = new Map();
const elements = new Map();
const children = new Map(); // key -> [key], in the order of arrival
const closed = new Set(); // keys that are folded
const samples = new Map(); // kind -> [count]
const tiles = new Map(); // kind -> {button, number, path}
let counts = {};
let total = 0;
let truncated = false;
let clockSkew = 0; // this machine's clock less the server's
let chosen = null;
let kindFilter = null;
let text = "";
let paused = false;
let feed = null; // none while paused
const happened = []; // times of changes, for the rate

// ---------------------------------------------------------------- the feed

function listen() {
  feed = new EventSource("/api/tree/events");
  feed.addEventListener("open", () => live(true));
  feed.addEventListener("error", () => live(false)); // the browser connects again by itself
  feed.addEventListener("tree", event => replaceAll(JSON.parse(event.data)));
  feed.addEventListener("change", event => change(JSON.parse(event.data)));
}

function live(on) {
  const pill = byId("live");
  pill.textContent = on ? (paused ? "paused" : "live") : "not connected";
  pill.className = "pill " + (on ? "on" : "off");
}

function replaceAll(tree) {
  rows.clear();
  children.clear();
  elements.forEach(element => element.remove());
  elements.clear();
  tree.rows.forEach(put);
  head(tree);
  arrange();
}

function change(tree) {
  const known = tree.added.filter(row => rows.has(row.key)).length;
  for (const key of tree.removed) {
    const row = rows.get(key);
    if (row) {
      log(false, row);
      take(row);
    }
  }
  for (const row of tree.added) {
    const was = rows.get(row.key);
    if (was) {
      take(was, true);
    } else {
      log(true, row);
    }
    put(row);
    if (!was) {
      element(row).classList.add("came");
    }
  }
  happened.push({at: Date.now(), many: tree.added.length - known + tree.removed.length});
  head(tree);
  arrange();
}

function head(tree) {
  counts = tree.counts;
  total = tree.total;
  truncated = tree.truncated;
  clockSkew = Date.now() - tree.at;
}

function put(row) {
  rows.set(row.key, row);
  if (!children.has(row.parent)) {
    children.set(row.parent, []);
  }
  children.get(row.parent).push(row.key);
}

function take(row, comesBack) {
  rows.delete(row.key);
  const siblings = children.get(row.parent) || [];
  const at = siblings.indexOf(row.key);
  if (at >= 0) {
    siblings.splice(at, 1);
  }
  const gone = elements.get(row.key);
  elements.delete(row.key);
  if (!gone) {
    return;
  }
  if (comesBack || !gone.isConnected) {
    gone.remove();
    return;
  }
  gone.classList.remove("came");
  gone.classList.add("went");
  gone.removeAttribute("data-key");
  setTimeout(() => gone.remove(), FADE_MILLIS);
}

// ---------------------------------------------------------------- the tree

function hue(kind) {
  let hash = HUES[kind];
  if (hash === undefined) {
    hash = 0;
    for (const c of kind) {
      hash = (hash * 31 + c.charCodeAt(0)) % 360;
    }
  }
  return hash;
}

function colour(kind) {
  const dark = document.documentElement.dataset.theme === "dark";
  return dark ? `hsl(${hue(kind)} 65% 68%)` : `hsl(${hue(kind)} 62% 36%)`;
}

function node(tag, className, content) {
  const made = document.createElement(tag);
  if (className) {
    made.className = className;
  }
  if (content !== undefined) {
    made.textContent = content;
  }
  return made;
}

function element(row) {
  let made = elements.get(row.key);
  if (made) {
    return made;
  }
  made = node("div", "row");
  made.setAttribute("role", "treeitem");
  made.dataset.key = row.key;
  made.dataset.kind = row.kind;
  made.dataset.name = row.name;
  made.title = row.path;
  made.style.setProperty("--kind", colour(row.kind));
  const caret = node("button", "caret");
  caret.type = "button";
  caret.tabIndex = -1;
  made.append(caret, node("span", "kind", row.kind), node("span", "name"), node("span", "below"), node("span", "state"), node("span", "age"));
  elements.set(row.key, made);
  return made;
}

function matches(row) {
  return (!kindFilter || row.kind === kindFilter)
    && (!text || (row.kind + " " + row.name + " " + row.path + " " + row.state).toLowerCase().includes(text));
}

/** Puts the rows that are to be seen into their order, and each one's state into its element. */
function arrange() {
  const filtering = Boolean(text || kindFilter);
  const wanted = new Set(); // keys to show while filtering: what matches, and its owners
  let found = 0;
  if (filtering) {
    for (const row of rows.values()) {
      if (matches(row)) {
        found++;
        for (let at = row; at && !wanted.has(at.key); at = rows.get(at.parent)) {
          wanted.add(at.key);
        }
      }
    }
  }
  const tree = byId("tree");
  let place = tree.firstChild;
  const seen = new Set();
  const walk = (key, depth) => {
    const row = rows.get(key);
    if (!row || (filtering && !wanted.has(key))) {
      return;
    }
    const below = children.get(key) || [];
    const folded = closed.has(key) && !filtering;
    const made = element(row);
    seen.add(key);
    paint(made, row, depth, below.length, folded);
    while (place && place.classList.contains("went")) {
      place = place.nextSibling; // a fading row stays where it was
    }
    if (place === made) {
      place = place.nextSibling;
    } else {
      tree.insertBefore(made, place);
    }
    if (!folded) {
      below.forEach(child => walk(child, depth + 1));
    }
  };
  (children.get("") || []).forEach(key => walk(key, 0));
  for (const [key, made] of elements) {
    if (!seen.has(key)) {
      made.remove();
      if (!rows.has(key)) {
        elements.delete(key);
      }
    }
  }
  byId("empty").hidden = seen.size > 0;
  byId("shown").textContent = filtering ? `${found} of ${total}` : truncated ? `${rows.size} of ${total} shown` : `${total} live`;
  paintTiles();
  if (chosen && !rows.has(chosen.key)) {
    const state = byId("details").querySelector(".gone");
    if (state) {
      state.textContent = "ended";
    }
  }
}

function paint(made, row, depth, below, folded) {
  made.style.paddingLeft = 8 + depth * 20 + "px";
  made.setAttribute("aria-level", depth + 1);
  made.classList.toggle("chosen", chosen !== null && chosen.key === row.key);
  const [caret, , name, count, state, age] = made.children;
  caret.textContent = below ? (folded ? "▶" : "▼") : "";
  if (below) {
    made.setAttribute("aria-expanded", String(!folded));
  } else {
    made.removeAttribute("aria-expanded");
  }
  mark(name, row.name);
  count.textContent = folded && below ? `${countBelow(row.key)} below` : "";
  state.textContent = row.state === "open" ? "" : row.state;
  age.textContent = ageOf(row);
}

function mark(into, name) {
  const at = text ? name.toLowerCase().indexOf(text) : -1;
  if (at < 0) {
    if (into.textContent !== name || into.firstElementChild) {
      into.textContent = name;
    }
    return;
  }
  into.replaceChildren(name.slice(0, at), node("mark", "", name.slice(at, at + text.length)), name.slice(at + text.length));
}

function countBelow(key) {
  let many = 0;
  for (const child of children.get(key) || []) {
    many += 1 + countBelow(child);
  }
  return many;
}

function ageOf(row) {
  const seconds = Math.max(0, (Date.now() - clockSkew - row.since) / 1000);
  if (seconds < 10) {
    return seconds.toFixed(1) + " s";
  }
  if (seconds < 60) {
    return Math.floor(seconds) + " s";
  }
  if (seconds < 3600) {
    return Math.floor(seconds / 60) + " min " + Math.floor(seconds % 60) + " s";
  }
  return Math.floor(seconds / 3600) + " h " + Math.floor(seconds % 3600 / 60) + " min";
}

// ---------------------------------------------------------------- totals

function paintTiles() {
  const kinds = [...new Set([...Object.keys(counts), ...tiles.keys()])];
  for (const kind of kinds) {
    let tile = tiles.get(kind);
    if (!tile) {
      tile = newTile(kind);
      tiles.set(kind, tile);
    }
    tile.number.textContent = counts[kind] || 0;
    tile.button.setAttribute("aria-pressed", String(kindFilter === kind));
  }
}

function newTile(kind) {
  const button = node("button", "tile");
  button.type = "button";
  button.dataset.kind = kind;
  button.title = "Show only this kind";
  button.style.setProperty("--kind", colour(kind));
  const number = node("b", "", "0");
  const chart = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  chart.setAttribute("viewBox", "0 0 " + (KEPT_SAMPLES - 1) + " 24");
  chart.setAttribute("preserveAspectRatio", "none");
  chart.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  chart.append(path);
  button.append(number, chart, node("span", "label", kind));
  button.addEventListener("click", () => {
    kindFilter = kindFilter === kind ? null : kind;
    arrange();
  });
  const rank = name => (BUSY.includes(name) ? BUSY.indexOf(name) : BUSY.length) + name;
  const after = [...byId("totals").children].find(other => rank(other.dataset.kind) > rank(kind));
  byId("totals").insertBefore(button, after || null);
  return {button, number, path};
}

function sample() {
  for (const [kind, tile] of tiles) {
    const line = samples.get(kind) || samples.set(kind, []).get(kind);
    line.push(counts[kind] || 0);
    if (line.length > KEPT_SAMPLES) {
      line.shift();
    }
    const most = Math.max(1, ...line);
    const points = line.map((count, i) => `${KEPT_SAMPLES - line.length + i} ${(22 - 20 * count / most).toFixed(1)}`);
    tile.path.setAttribute("d", points.length > 1 ? "M" + points.join("L") : "");
  }
}

// ---------------------------------------------------------------- what came and went

function log(came, row) {
  const line = node("li", came ? "" : "minus");
  line.append(node("span", "sign", came ? "+" : "−"), node("span", "text", row.kind + "  " + row.name), node("time", "", new Date().toLocaleTimeString()));
  line.title = row.path;
  const list = byId("log");
  list.prepend(line);
  while (list.children.length > KEPT_LOG) {
    list.lastChild.remove();
  }
}

function paintRate() {
  const since = Date.now() - 10000;
  while (happened.length && happened[0].at < since) {
    happened.shift();
  }
  const many = happened.reduce((sum, one) => sum + one.many, 0);
  byId("rate").textContent = many ? (many / 10).toFixed(1) + " a second" : "quiet";
}

// ---------------------------------------------------------------- details

async function choose(row) {
  chosen = row;
  arrange();
  const details = byId("details");
  details.classList.remove("quiet");
  const list = node("dl");
  const add = (term, value, className) => list.append(node("dt", "", term), node("dd", className, value));
  add("kind", row.kind);
  add("name", row.name);
  add("owner", rows.has(row.parent) ? rows.get(row.parent).path : "none: a root");
  add("since", new Date(row.since + clockSkew).toLocaleString());
  add("state", row.state, "gone");
  details.replaceChildren(list);
  if (!row.origin) {
    details.append(node("h3", "", "No stack was kept when it was made"));
    return;
  }
  const answer = await fetch("/api/origin?key=" + encodeURIComponent(row.key));
  if (chosen !== row) {
    return;
  }
  const body = await answer.json();
  details.append(node("h3", "", answer.ok ? "Made here" : body.message));
  if (answer.ok) {
    const stack = node("ol");
    body.frames.forEach(frame => {
      const short = frame.replace(/^(?:[\w.]*\/)?(?:[a-z_][\w]*\.)*/, "").replace("(", "  (");
      const line = node("li", /^java|^jdk|^io\.netty/.test(frame) ? "library" : "", short);
      line.title = frame;
      stack.append(line);
    });
    details.append(stack);
  }
}

// ---------------------------------------------------------------- the controls

byId("tree").addEventListener("click", event => {
  const made = event.target.closest(".row");
  const row = made && rows.get(made.dataset.key);
  if (!row) {
    return;
  }
  if (event.target.closest(".caret")) {
    fold(row.key, !closed.has(row.key));
  } else {
    choose(row);
  }
});

byId("tree").addEventListener("keydown", event => {
  const shown = [...byId("tree").querySelectorAll(".row:not(.went)")];
  const at = shown.findIndex(made => chosen && made.dataset.key === chosen.key);
  const move = {ArrowDown: 1, ArrowUp: -1}[event.key];
  if (move && shown.length) {
    const next = shown[Math.min(shown.length - 1, Math.max(0, at + move))];
    choose(rows.get(next.dataset.key));
    next.scrollIntoView({block: "nearest"});
  } else if (chosen && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
    fold(chosen.key, event.key === "ArrowLeft");
  } else {
    return;
  }
  event.preventDefault();
});

function fold(key, folded) {
  if (folded) {
    closed.add(key);
  } else {
    closed.delete(key);
  }
  arrange();
}

byId("expand").addEventListener("click", () => {
  closed.clear();
  arrange();
});

byId("collapse").addEventListener("click", () => {
  for (const row of rows.values()) {
    if (row.parent !== "" && (children.get(row.key) || []).length) {
      closed.add(row.key);
    }
  }
  arrange();
});

byId("search").addEventListener("input", event => {
  text = event.target.value.trim().toLowerCase();
  arrange();
});

document.addEventListener("keydown", event => {
  if (event.key === "/" && document.activeElement !== byId("search")) {
    event.preventDefault();
    byId("search").focus();
  } else if (event.key === "Escape") {
    byId("search").value = "";
    text = "";
    kindFilter = null;
    arrange();
  }
});

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  byId("pause").textContent = paused ? "Go on" : "Pause";
  if (paused) {
    feed.close();
    live(true);
  } else {
    listen(); // begins with the whole tree
  }
});

function theme(name) {
  document.documentElement.dataset.theme = name;
  for (const made of [...elements.values(), ...[...tiles.values()].map(tile => tile.button)]) {
    made.style.setProperty("--kind", colour(made.dataset.kind));
  }
}

byId("theme").addEventListener("click", () => {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", next);
  theme(next);
});

theme(localStorage.getItem("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
byId("where").textContent = location.host;
setInterval(() => {
  for (const [key, made] of elements) {
    const row = rows.get(key);
    if (row && made.isConnected) {
      const age = ageOf(row);
      if (made.lastChild.textContent !== age) {
        made.lastChild.textContent = age;
      }
    }
  }
  sample();
  paintRate();
}, 1000);
listen();
