// Search: by words in tags and attributes, or by likeness to a text; with filters.
import { html, nothing } from "./lit/lit-html.js";
import { repeat } from "./lit/directives/repeat.js";
import { api } from "./api.js";
import { plural, score } from "./format.js";
import { latest, state } from "./page.js";
import { card, problem } from "./parts.js";

const TIMES = [
  ["", "Any time"],
  ["1h", "Last hour"],
  ["1d", "Last day"],
  ["7d", "Last week"],
];

let wanted = new URLSearchParams();
let found = null; // { items, total, next }
let failure = null;
let moreFailure = null;
let labels = [];

const parameters = () => ({
  q: wanted.get("q"),
  by: wanted.get("q") ? wanted.get("by") : undefined,
  label: wanted.get("label"),
  minScore: wanted.get("minScore"),
  since: wanted.get("since"),
  limit: 40,
});

const ask = (more) => (wanted.get("q") ? api.search({ ...parameters(), ...more }) : api.images({ ...parameters(), ...more }));

const askImages = latest();
const askLabels = latest();

function load() {
  moreFailure = null;
  askImages(
    () => ask({}),
    (page) => {
      found = page;
      failure = null;
    },
    (refused) => {
      found = null;
      failure = refused;
    },
  );
}

function more() {
  const before = found.items;
  askImages(
    () => ask({ after: found.next }),
    (page) => {
      found = { ...page, items: before.concat(page.items) };
      moreFailure = null;
    },
    (refused) => {
      moreFailure = refused;
    },
  );
}

function submit(event) {
  event.preventDefault();
  const given = new URLSearchParams();
  for (const [name, value] of new FormData(event.currentTarget)) {
    if (value !== "" && !(name === "minScore" && Number(value) === 0)) {
      given.set(name, value);
    }
  }
  const hash = "#/search?" + given;
  if (location.hash === hash) {
    load();
  } else {
    location.hash = hash;
  }
}

export const search = {
  title: "Search",

  enter(_, given) {
    wanted = given;
    if (!state.status.features.search) {
      return;
    }
    load();
    askLabels(
      () => api.labels({ limit: 500 }),
      (page) => {
        labels = page.items;
      },
      () => {
        labels = []; // without suggestions, the field still accepts any text
      },
    );
  },

  show() {
    if (!state.status?.features.search) {
      return html`<p>This instance has no search index. Set <code>search.enabled=true</code> to keep one.</p>`;
    }
    const likeness = wanted.get("by") === "likeness";
    return html`<form class="search" aria-label="Search images" @submit=${submit}>
        <label class="words">Words <input type="search" name="q" .value=${wanted.get("q") ?? ""} placeholder="dog, beach, …" /></label>
        <fieldset>
          <legend>Search by</legend>
          <label><input type="radio" name="by" value="words" ?checked=${!likeness} /> words in tags, ids and attributes</label>
          <label
            ><input type="radio" name="by" value="likeness" ?checked=${likeness} ?disabled=${!state.status.features.queries} />
            likeness to the words</label
          >
        </fieldset>
        <label
          >Label <input name="label" list="label-names" .value=${wanted.get("label") ?? ""} autocomplete="off" />
          <datalist id="label-names">${labels.map((label) => html`<option value=${label.name}></option>`)}</datalist></label
        >
        <label
          >Minimum score
          <input type="number" name="minScore" min="0" max="1" step="0.01" .value=${wanted.get("minScore") ?? ""}
        /></label>
        <label
          >Tagged
          <select name="since">
            ${TIMES.map(([value, title]) => html`<option value=${value} ?selected=${(wanted.get("since") ?? "") === value}>${title}</option>`)}
          </select></label
        >
        <button type="submit">Search</button>
      </form>
      ${problem(failure)}
      <p role="status" id="found">${found ? plural(found.total, "image", "images") : nothing}</p>
      ${found?.total === 0 && wanted.get("q") && !likeness && state.status.features.queries
        ? html`<p class="quiet">No image has all of these words. Search by likeness to the words to rank every image.</p>`
        : nothing}
      <section class="grid-cards" aria-label="Results">
        ${repeat(
          found?.items ?? [],
          (image) => image.id,
          (image) => card(image, image.similarity === undefined ? null : `likeness ${score(image.similarity)}`),
        )}
      </section>
      ${found?.next ? html`<button type="button" class="outline" @click=${more}>Show more</button> ${problem(moreFailure)}` : nothing}`;
  },
};
