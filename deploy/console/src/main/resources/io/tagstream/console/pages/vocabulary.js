// The vocabulary: a preview of each label before it is saved, and how far images have caught up afterwards.
import { html, nothing } from "./lit/lit-html.js";
import { live } from "./lit/directives/live.js";
import { repeat } from "./lit/directives/repeat.js";
import { api } from "./api.js";
import { count, imageHref, plural, score } from "./format.js";
import { latest, say, state, update } from "./page.js";
import { picture, problem } from "./parts.js";

const PREVIEW_MILLIS = 500;

let labels = [];
let total = 0;
let loaded = false;
let filter = "";
let failure = null;
let editing = null; // { fresh, id, name, prompts, threshold, state, preview, previewFailure, failure, busy }
let removing = null; // { label, failure, busy }
let timer;

const askLabels = latest();
const askPreview = latest();
const askProgress = latest();

function load() {
  askLabels(
    () => api.labels({ text: filter, limit: 500 }),
    (page) => {
      total = page.total;
      labels = page.items;
      loaded = true;
      failure = null;
    },
    (refused) => {
      failure = refused;
    },
  );
}

const idOf = (name) =>
  name
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "");

function open(label) {
  editing = label
    ? { fresh: false, id: label.id, name: label.name, prompts: label.prompts.join("\n"), threshold: label.threshold ?? "", state: label.state }
    : { fresh: true, id: "", name: "", prompts: "", threshold: "", state: "ACTIVE" };
  update();
  queueMicrotask(() => document.getElementById("editor")?.showModal());
  if (label) {
    schedulePreview();
  }
}

function close() {
  document.getElementById("editor")?.close();
}

function closed() {
  editing = null;
  clearTimeout(timer);
  update();
}

function change(event) {
  const { name, value } = event.target;
  editing[name] = value;
  editing.failure = null; // it was about the old value
  if (editing.fresh && name === "name") {
    editing.id = idOf(value);
  }
  if (name === "name" || name === "prompts" || (name === "threshold" && event.target.validity.valid)) {
    schedulePreview();
  }
  update();
}

const threshold = (label) => (label.threshold === "" ? null : Number(label.threshold));

const prompts = (text) => text.split("\n").map((line) => line.trim()).filter((line) => line !== "");

function schedulePreview() {
  clearTimeout(timer);
  if (state.status.features.queries && editing.name.trim() !== "") {
    timer = setTimeout(preview, PREVIEW_MILLIS);
  }
}

function preview() {
  const of = editing;
  of.previewing = true;
  update();
  askPreview(
    () => api.preview({ name: of.name, prompts: prompts(of.prompts), threshold: threshold(of), best: 12 }),
    (answer) => {
      of.preview = answer;
      of.previewFailure = null;
      of.previewing = false;
    },
    (refused) => {
      of.previewFailure = refused;
      of.previewing = false;
    },
  );
}

async function save(event) {
  event.preventDefault();
  const label = editing;
  label.busy = true;
  update();
  try {
    const answer = await (label.fresh ? api.addLabel : api.putLabel)(label.id, {
      name: label.name,
      prompts: prompts(label.prompts),
      threshold: threshold(label),
      state: label.state,
    });
    close();
    say(told(`“${label.name}”`, answer));
    load();
  } catch (refused) {
    label.failure = refused;
  }
  label.busy = false;
  update();
}

const told = (what, answer) =>
  answer.inForce ? `${what} is in force from vocabulary epoch ${answer.vocabularyEpoch}` : `${what} is written, but not in force yet`;

async function remove() {
  const of = removing;
  of.busy = true;
  update();
  try {
    const answer = await api.deleteLabel(of.label.id);
    document.getElementById("remover")?.close();
    say(told(`The removal of “${of.label.name}”`, answer));
    load();
  } catch (refused) {
    of.failure = refused;
  }
  of.busy = false;
  update();
}

function previewed(label) {
  if (!state.status.features.queries) {
    return html`<p class="quiet">This instance cannot preview labels.</p>`;
  }
  if (!label.preview) {
    return html`<p class="quiet" aria-busy=${label.previewing ? "true" : "false"}>
      ${label.previewing ? "Scoring known images" : "Enter a name to see how many images match."}
    </p>`;
  }
  const { knownImages, unknownImages, emittedFrom, thresholds, best } = label.preview;
  const gets = label.state === "SHADOW" ? "would be counted" : "would get the tag";
  const emitted = thresholds.find((row) => row.threshold === emittedFrom)?.images ?? 0;
  const most = Math.max(1, ...thresholds.map((row) => row.images));
  return html`<table id="preview">
      <caption>
        Of ${plural(knownImages, "known image", "known images")}${unknownImages > 0 ? ` (${count(unknownImages)} more cannot be scored)` : ""},
        ${count(emitted)} ${gets}, with a score of at least ${score(emittedFrom)}
      </caption>
      <thead>
        <tr><th scope="col">Score from</th><th scope="col">Images</th><th scope="col"><span class="hidden">Bar</span></th></tr>
      </thead>
      <tbody>
        ${thresholds.map(
          (row) => html`<tr class=${row.threshold === emittedFrom ? "emitted" : ""}>
            <th scope="row">${score(row.threshold)}</th>
            <td>${count(row.images)}</td>
            <td><meter min="0" max=${most} .value=${row.images} aria-label=${`Images with a score of at least ${score(row.threshold)}`}></meter></td>
          </tr>`,
        )}
      </tbody>
    </table>
    ${best.length === 0
      ? nothing
      : html`<ul class="strip" aria-label="Best matches">
          ${best.map(
            (image) => html`<li>
              <a href=${imageHref(image.imageId)}>${picture(image.imageId, image.imageId)}</a>
              <span>${score(image.score)}</span>
            </li>`,
          )}
        </ul>`}`;
}

function editor() {
  if (!editing) {
    return nothing;
  }
  const label = editing;
  return html`<dialog id="editor" aria-labelledby="editor-title" @close=${closed}>
    <article>
      <h2 id="editor-title">${label.fresh ? "New label" : "Edit label " + label.id}</h2>
      <form @submit=${save} @input=${change}>
        <label>Name <input name="name" .value=${live(label.name)} required autocomplete="off" /></label>
        ${label.fresh
          ? html`<label>Id, which appears in tags <input name="id" .value=${live(label.id)} required autocomplete="off" /></label>`
          : nothing}
        <label
          >Prompts, one per line; {} stands for the name. Leave empty for the model's
          <textarea name="prompts" rows="2" .value=${live(label.prompts)}></textarea>
        </label>
        <label
          >Threshold; leave empty for the model's
          <input type="number" name="threshold" min="0" max="1" step="any" .value=${live(String(label.threshold))} />
        </label>
        <fieldset>
          <legend>State</legend>
          <label><input type="radio" name="state" value="ACTIVE" ?checked=${label.state === "ACTIVE"} /> active: images get the tag</label>
          <label><input type="radio" name="state" value="SHADOW" ?checked=${label.state === "SHADOW"} /> shadow: scored, but images do not get the tag</label>
        </fieldset>
        ${previewed(label)} ${problem(label.previewFailure)}
        <footer>
          ${problem(label.failure)}
          <button type="button" class="secondary" @click=${close}>Cancel</button>
          <button type="submit" aria-busy=${label.busy ? "true" : "false"} ?disabled=${label.busy}>Save</button>
        </footer>
      </form>
    </article>
  </dialog>`;
}

function remover() {
  if (!removing) {
    return nothing;
  }
  return html`<dialog id="remover" aria-labelledby="remover-title" @close=${() => { removing = null; update(); }}>
    <article>
      <h2 id="remover-title">Remove “${removing.label.name}”?</h2>
      <p>Images that have the tag will lose it.</p>
      <footer>
        ${problem(removing.failure)}
        <button type="button" class="secondary" @click=${() => document.getElementById("remover").close()}>Keep it</button>
        <button type="button" aria-busy=${removing.busy ? "true" : "false"} ?disabled=${removing.busy} @click=${remove}>Remove it</button>
      </footer>
    </article>
  </dialog>`;
}

function sweep() {
  const progress = state.progress;
  if (!progress?.active) {
    return nothing;
  }
  return html`<p class="notice" id="sweep">
    <label
      >${count(progress.done)} of ${plural(progress.total, "image", "images")} up to date with epoch ${progress.targetEpoch}
      <progress max=${progress.total} .value=${progress.done}></progress>
    </label>
  </p>`;
}

function empty() {
  return loaded && total === 0 && filter === ""
    ? html`<p class="notice" id="empty-vocabulary" role="status">
        There are no labels, so images get no tags. Add labels here, or load the model's own with
        <code>tagstream labels import --bundle</code>.
      </p>`
    : nothing;
}

function row(label, writable) {
  return html`<tr data-label=${label.id}>
    <th scope="row">${label.name}${label.name === label.id ? nothing : html` <small>${label.id}</small>`}</th>
    <td class="wraps">${label.prompts.length === 0 ? "" : label.prompts.join(" | ")}</td>
    <td>${label.threshold === null ? "model's" : score(label.threshold)}</td>
    <td>${label.state === "SHADOW" ? "shadow" : "active"}</td>
    <td>${label.images === null ? "" : count(label.images)}</td>
    ${writable
      ? html`<td class="actions">
          <button type="button" class="outline" aria-label=${"Edit " + label.name} @click=${() => open(label)}>Edit</button>
          <button
            type="button"
            class="outline secondary"
            aria-label=${"Remove " + label.name}
            @click=${() => {
              removing = { label };
              update();
              queueMicrotask(() => document.getElementById("remover")?.showModal());
            }}
          >
            Remove
          </button>
        </td>`
      : nothing}
  </tr>`;
}

export const vocabulary = {
  title: "Vocabulary",

  enter() {
    load();
    if (state.status.features.queries) {
      askProgress(
        api.progress,
        (progress) => {
          state.progress = progress;
        },
        () => {}, // events report progress too
      );
    }
  },

  happened(kind, data) {
    if (kind === "vocabulary" && data.refused === undefined && location.hash.startsWith("#/vocabulary")) {
      load();
    } else if ((kind === "resumed" || (kind === "progress" && !data.active)) && location.hash.startsWith("#/vocabulary")) {
      load();
    }
  },

  show() {
    const writable = state.status?.features.writable;
    return html`<div class="above-grid">
        <label
          >Find a label
          <input
            type="search"
            .value=${live(filter)}
            @input=${(event) => {
              filter = event.target.value;
              load();
            }}
          />
        </label>
        ${writable ? html`<button type="button" id="add-label" @click=${() => open(null)}>Add a label</button>` : nothing}
      </div>
      ${problem(failure)} ${sweep()}
      ${empty()}
      <p>${plural(total, "label", "labels")}${total > labels.length ? `, showing the first ${count(labels.length)}` : ""}</p>
      <div class="overflow-auto" tabindex="0" role="region" aria-label="Labels">
        <table class="labels">
          <thead>
            <tr>
              <th scope="col">Label</th><th scope="col">Prompts</th><th scope="col">Threshold</th>
              <th scope="col">State</th><th scope="col">Images</th>
              ${writable ? html`<th scope="col" class="actions"><span class="hidden">Actions</span></th>` : nothing}
            </tr>
          </thead>
          <tbody>
            ${repeat(labels, (label) => label.id, (label) => row(label, writable))}
          </tbody>
        </table>
      </div>
      ${editor()} ${remover()}`;
  },
};
