// The page: its routing, and the frame around its views.
import { html, nothing, render } from "./lit/lit-html.js";
import { api, unauthorized } from "./api.js";
import { connect, connection, listen } from "./events.js";
import { setTheme, theme } from "./theme.js";
import { health } from "./health.js";
import { image } from "./image.js";
import { login } from "./login.js";
import { drawWith, latest, state, update } from "./page.js";
import { search } from "./search.js";
import { vocabulary } from "./vocabulary.js";
import { wall } from "./wall.js";

const nowhere = {
  title: "Not found",
  show: () => html`<p>There is no page at ${location.hash}. <a href="#/">Go to the wall</a></p>`,
};
const unreadable = {
  title: "Malformed address",
  show: () =>
    html`<p>
      The address ${location.hash} is malformed: a % must begin an escape such as %20. Write a % itself as %25.
      <a href="#/">Go to the wall</a>
    </p>`,
};
const VIEWS = { "": wall, search, vocabulary, image, health };
const MENU = [
  ["", "Wall"],
  ["search", "Search"],
  ["vocabulary", "Vocabulary"],
  ["health", "Health"],
];
const STATUS_MILLIS = 2000;

let current = { name: "", view: wall };

function route() {
  const [path, parameters] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, rest] = path.split("/");
  const id = decoded(rest);
  const view = id === null ? unreadable : Object.hasOwn(VIEWS, name) ? VIEWS[name] : nowhere;
  const moved = current.view !== view || current.rest !== rest;
  current = { name, view, rest };
  document.title = view.title + " · Tagstream";
  if (state.open && state.status) {
    view.enter?.(id, new URLSearchParams(parameters ?? ""));
  }
  update();
  return moved;
}

/** Decodes a part of the address; null if it cannot be decoded. */
function decoded(part) {
  try {
    return part === undefined ? undefined : decodeURIComponent(part);
  } catch {
    return null;
  }
}

function page() {
  if (state.open === null) {
    return nothing;
  }
  if (!state.open) {
    return login(update, start);
  }
  return html`<a class="skip" href="#main" @click=${skip}>Skip to the content</a>
    <header class="container">
      <nav aria-label="Views">
        <ul>
          <li><strong>Tagstream</strong></li>
        </ul>
        <ul>
          ${MENU.map(
            ([name, title]) =>
              html`<li>
                <a href=${"#/" + name} aria-current=${current.name === name ? "page" : "false"}>${title}</a>
              </li>`,
          )}
          <li>
            <select aria-label="Colour theme" class="theme" @change=${(event) => setTheme(event.target.value)}>
              ${[
                ["auto", "System"],
                ["light", "Light"],
                ["dark", "Dark"],
              ].map(([value, title]) => html`<option value=${value} ?selected=${theme() === value}>${title}</option>`)}
            </select>
          </li>
        </ul>
      </nav>
      ${notReady()}
    </header>
    <main class="container" id="main" tabindex="-1">
      <h1>${current.view.title}</h1>
      ${current.view.show()}
    </main>
    <div class="said container" role="status" aria-live="polite">${state.said}</div>`;
}

function notReady() {
  if (!connection.open && state.status) {
    return html`<p class="notice" role="status">The connection was lost; reconnecting.</p>`;
  }
  if (state.status && !state.status.ready) {
    return html`<p class="notice" role="status">Images are waiting: ${state.status.notReadyBecause}</p>`;
  }
  if (state.status?.waitsBecause) {
    return html`<p class="notice" role="status">${state.status.waitsBecause}</p>`;
  }
  return nothing;
}

function skip(event) {
  event.preventDefault(); // the address selects the view, so it must not change
  document.getElementById("main").focus();
}

const askStatus = latest();

function look() {
  return askStatus(
    api.status,
    (status) => {
      const first = state.status === null;
      state.status = status;
      if (first) {
        connect();
        route();
      }
      current.view.look?.();
    },
    (failure) => {
      if (failure.status !== 503 && failure.status !== 0) {
        console.error(failure);
      }
    },
  );
}

async function start() {
  state.open = (await api.session()).open;
  update();
  if (state.open) {
    await look();
  }
}

unauthorized.handler = () => {
  state.open = false;
  update();
};

listen((kind, data) => {
  if (kind === "progress") {
    state.progress = data;
  }
  for (const view of Object.values(VIEWS)) {
    view.happened?.(kind, data);
  }
  update();
});

addEventListener("hashchange", () => {
  if (route()) {
    queueMicrotask(() => document.getElementById("main")?.focus({ preventScroll: true }));
    scrollTo(0, 0);
  }
});
drawWith(() => render(page(), document.getElementById("app")));
setInterval(() => state.open && document.visibilityState === "visible" && look(), STATUS_MILLIS);
route();
start().catch(() => setTimeout(() => location.reload(), STATUS_MILLIS));
