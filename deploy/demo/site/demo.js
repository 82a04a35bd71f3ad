// Opens many event streams, shows what they bring, and says what they cost.

const RECENT_ORDERS = 4;
/** How the browser got this page: "h2" or "http/1.1". */
const protocol = performance.getEntriesByType("navigation")[0].nextHopProtocol;

const byId = (id) => document.getElementById(id);
const sources = [];
/** The last status that arrived. */
let status = null;

// The status first: over HTTP/1.1 the browser opens only some of these.
open("status", { status: showStatus });
for (let i = 0; i < 20; i++) {
  // The large views are fed by the first stream of each script.
  open("clock", { message: (event) => showText(i, "clock", event.data) });
  open("counter", { message: (event) => showText(i, "counter", event.data) });
  const order = (event) => showOrder(i, event);
  if (i < 19) open("orders", { order, stock: order });
}
showSummary();

/** Opens a stream with a tile of its own; what a handler returns is shown there. */
function open(script, handlers) {
  const tile = document.createElement("div");
  tile.className = `tile ${script}`;
  tile.title = `${script}.php`;
  byId("streams").append(tile);

  const source = new EventSource(`${script}.php`);
  source.onopen = source.onerror = () => {
    tile.classList.toggle("open", source.readyState === EventSource.OPEN);
    showSummary();
  };
  for (const [type, show] of Object.entries(handlers)) {
    source.addEventListener(type, (event) => {
      tile.textContent = show(event) ?? tile.textContent;
      tile.animate([{ background: "var(--flash)" }, {}], 500);
    });
  }
  sources.push(source);
}

function showText(number, id, text) {
  if (number === 0) byId(id).textContent = text;
  return text;
}

function showOrder(number, event) {
  const { order, item, left } = JSON.parse(event.data);
  if (number === 0) {
    const line = document.createElement("li");
    line.className = event.type;
    line.textContent = event.type === "order" ? `#${order}: a ${item}` : `${item}: ${left} left`;
    byId("orders").prepend(line);
    while (byId("orders").children.length > RECENT_ORDERS) byId("orders").lastChild.remove();
  }
  return event.type === "order" ? `#${order}` : undefined;
}

function showStatus(event) {
  status = JSON.parse(event.data);
  const connections = protocol === "h2" ? status.http2 : status.http1;
  byId("connections").textContent = connections;
  byId("kind").textContent = protocol === "h2" ? "HTTP/2" : "HTTP/1.1";
  byId("connections-word").textContent = connections === 1 ? "connection" : "connections";
  byId("scripts").textContent = status.scripts.length;
  byId("script-names").textContent = status.scripts.join(", ");
  byId("everyone").textContent = status.streams;
  showSummary();
  return `${status.scripts.length} scripts`;
}

function showSummary() {
  const held = sources.filter((source) => source.readyState === EventSource.OPEN).length;
  byId("held").textContent = held;
  byId("summary").textContent = summary(held);
  const waiting = sources.length - held;
  byId("notice").hidden = protocol === "h2" || waiting === 0 || status === null;
  if (status !== null) {
    const link = byId("http2");
    link.href = link.textContent = `https://localhost:${status.https_port}/`;
    byId("waiting").textContent = waiting;
  }
}

function summary(held) {
  if (held === 0) return "No stream is open: the browser keeps trying.";
  if (status === null) return `This page holds ${held} streams.`;
  const scripts = status.scripts.length;
  const runs = `PHP runs ${scripts} ${scripts === 1 ? "script" : "scripts"}.`;
  // Sluice counts the connections of all browsers; if there is one, it is this page's.
  const over = protocol === "h2" && status.http2 === 1 ? " over 1 connection" : "";
  return `This page holds ${held} streams${over}; ${runs}`;
}
