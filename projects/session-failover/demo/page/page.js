/** Reads the session from both servers all the time, and draws who answered and how long it took. */
const READ_MS = 250;
const STATE_MS = 500;
/** Bars that a picture shows: half a minute. */
const BARS = 120;
/** What a full bar means, in milliseconds: the servers' budget. */
const FULL_MS = 500;

const $ = (id) => document.getElementById(id);
const nodes = ["a", "b"].map((name) => ({ name, bars: [], ...cardOf(name) }));

function element(tag, properties = {}, children = []) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function cardOf(name) {
  const [told, picture] = [element("small"), element("canvas")];
  picture.setAttribute("role", "img");
  const title = element("p", {}, [element("strong", { textContent: `Server ${name}` }), told]);
  $("nodes").append(element("div", { className: "node" }, [title, picture]));
  return { told, picture };
}

async function call(path, body, method = body === undefined ? "GET" : "POST") {
  const from = performance.now();
  const response = await fetch(path, {
    method,
    ...(body
      ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }
      : {}),
  });
  const answer = await response.json();
  const tier = /desc="(\w+)"/.exec(response.headers.get("server-timing") ?? "")?.[1];
  return { status: response.status, answer, tier, ms: performance.now() - from };
}

function kindOf({ status, tier }) {
  if (status === 401) return "out";
  return status === 200 ? tier : "failed";
}

async function read(node) {
  const bar = await call(`/node/${node.name}/profile`).catch(() => ({ status: 0, ms: FULL_MS }));
  node.bars = [...node.bars, { kind: kindOf(bar), ms: bar.ms }].slice(-BARS);
  draw(node);
  const { kind } = node.bars.at(-1);
  const who = { redis: "Redis", postgres: "PostgreSQL", out: "signed out", failed: "refused" }[
    kind
  ];
  const data = bar.answer?.data ? ` · ${bar.answer.user}, ${bar.answer.data.visits} writes` : "";
  node.read = `${who} · ${bar.ms.toFixed(0)} ms${data}`;
  tell(node);
}

function tell(node) {
  node.told.textContent = `${node.ready ?? ""} · ${node.read ?? ""}`;
  node.picture.setAttribute("aria-label", `Server ${node.name}: ${node.told.textContent}`);
}

function draw({ picture, bars }) {
  const { width, height } = picture.getBoundingClientRect();
  const scale = devicePixelRatio;
  [picture.width, picture.height] = [width * scale, height * scale];
  const paint = picture.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const probe = element("i");
  document.body.append(probe);
  paint.scale(scale, scale);
  const step = width / BARS;
  for (const [index, { kind, ms }] of bars.entries()) {
    probe.style.color = style.getPropertyValue(`--${kind}`);
    paint.fillStyle = getComputedStyle(probe).color;
    // The root of the time: a millisecond and a time-out fit into one picture.
    const tall = Math.max(3, height * Math.min(1, Math.sqrt(ms / FULL_MS)));
    paint.fillRect((BARS - bars.length + index) * step, height - tall, Math.max(1, step - 1), tall);
  }
  probe.remove();
}

async function refresh() {
  const { answer } = await call("/state");
  showLevers(answer);
  for (const { name, status, redis } of answer.nodes) {
    const node = nodes.find((one) => one.name === name);
    node.ready = `${status}, Redis ${redis}`;
    tell(node);
  }
  const devices = await call("/node/b/devices");
  const lines = devices.status === 200 ? devices.answer : [];
  const shown = lines.map(({ device, createdAt }) =>
    element("li", { textContent: `${device}, since ${new Date(createdAt).toLocaleTimeString()}` }),
  );
  $("devices").replaceChildren(...shown);
}

function showLevers({ fault, faults }) {
  $("fault").textContent = fault ? `Broken: ${fault}` : "Redis is as it should be.";
  if ($("levers").children.length === 0) {
    for (const [index, name] of [null, ...faults].entries()) {
      const key = element("kbd", { textContent: index });
      const lever = element("button", { type: "button", onclick: () => pull(name) }, [
        key,
        name ?? "heal",
      ]);
      lever.dataset.fault = name ?? "";
      $("levers").append(lever);
    }
  }
  for (const lever of $("levers").children) {
    lever.setAttribute("aria-pressed", String(fault !== null && lever.dataset.fault === fault));
  }
}

async function pull(fault) {
  $("fault").textContent = fault ? `${fault} …` : "healing …";
  await call("/fault", { fault });
  await refresh();
}

/** Writes go to either server, as behind a load balancer. */
async function send(path, body) {
  const { name } = nodes[Math.floor(Math.random() * nodes.length)];
  const { status, answer, ms } = await call(`/node/${name}/${path}`, body, "POST");
  const said = status === 200 ? "done" : answer.message;
  $("said").textContent = `${path} on ${name}: ${said} (${ms.toFixed(0)} ms)`;
  await refresh();
}

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  send("login", Object.fromEntries(new FormData(event.target)));
});
for (const button of document.querySelectorAll("[data-post]")) {
  button.addEventListener("click", () => send(button.dataset.post));
}
document.addEventListener("keydown", ({ key, target, ctrlKey, metaKey, altKey }) => {
  if (target.tagName === "INPUT" || ctrlKey || metaKey || altKey) return;
  if (/^\d$/.test(key)) $("levers").children[Number(key)]?.click();
});

/** The next one starts when the one before is answered: a server that hangs is asked no more often. */
async function always(everyMs, work) {
  for (;;) {
    await work().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
for (const node of nodes) always(READ_MS, () => read(node));
always(STATE_MS, refresh);
