// The wall: images as they are tagged, and the form for new ones.
import { html, nothing } from "./lit/lit-html.js";
import { repeat } from "./lit/directives/repeat.js";
import { api } from "./api.js";
import { imageName, plural, score, words } from "./format.js";
import { latest, say, state, update } from "./page.js";
import { card, picture, problem } from "./parts.js";

const MOST = 120;

let items = []; // newest first: { id, image } or { id, failure }
let waiting = new Map(); // id -> name, of images submitted here
let paused = null; // items that arrived while paused; null when not paused
let failure = null;
let loaded = false;
let newer = new Set(); // ids in events since the last load began
let dragging = false;

function put(item) {
  if (paused) {
    paused.set(item.id, item);
    return;
  }
  items = [item, ...items.filter((other) => other.id !== item.id)].slice(0, MOST);
}

function resume() {
  const missed = [...paused.values()];
  paused = null;
  missed.forEach(put);
  update();
}

async function submit(work) {
  try {
    failure = null;
    const submitted = (await work()).items;
    submitted.forEach(({ id, name }) => waiting.set(id, name));
    say(plural(submitted.length, "image", "images") + " submitted");
  } catch (refused) {
    failure = refused;
  }
  update();
}

function submitFiles(files) {
  const list = [...files];
  if (list.length > 0) {
    submit(() => api.submitFiles(list));
  }
}

function submitUrl(url) {
  submit(() => api.submitUrl(url));
}

const uploads = () => state.open && state.status?.features.uploads;

addEventListener("dragover", (event) => {
  if (uploads() && [...event.dataTransfer.types].some((type) => type === "Files" || type === "text/uri-list")) {
    event.preventDefault();
    dragging = true;
    update();
  }
});
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) {
    dragging = false;
    update();
  }
});
addEventListener("drop", (event) => {
  dragging = false;
  if (!uploads()) {
    return;
  }
  event.preventDefault();
  if (event.dataTransfer.files.length > 0) {
    submitFiles(event.dataTransfer.files);
  } else {
    submitUrl(event.dataTransfer.getData("text/uri-list").split("\n")[0]);
  }
  location.hash = "#/";
});
addEventListener("paste", (event) => {
  if (!uploads() || event.target.matches?.("input, textarea")) {
    return;
  }
  const text = event.clipboardData.getData("text/plain").trim();
  if (event.clipboardData.files.length > 0) {
    submitFiles(event.clipboardData.files);
  } else if (/^https?:\/\//i.test(text)) {
    submitUrl(text);
  }
});

function drop() {
  if (!state.status?.features.uploads) {
    return nothing;
  }
  const chosen = (event) => {
    submitFiles(event.target.files);
    event.target.value = "";
  };
  const pasted = (event) => {
    event.preventDefault();
    submitUrl(new FormData(event.target).get("url"));
    event.target.reset();
  };
  return html`<section class=${dragging ? "drop over" : "drop"} aria-label="Tag images">
    <label>Drop photos anywhere on the page, or choose them <input type="file" id="files" accept="image/*" multiple @change=${chosen} /></label>
    <form @submit=${pasted}>
      <label>or enter a URL <input type="url" name="url" placeholder="https://…" required /></label>
      <button type="submit" class="secondary">Tag it</button>
    </form>
  </section>`;
}

function item({ id, image, failure: failed }) {
  if (image) {
    return card(image);
  }
  return html`<article class="card failed" data-image=${id}>
    ${picture(id, id)}
    <h3>${id}</h3>
    <p><strong>${words(failed.reason)}</strong></p>
    <p class="quiet">${failed.message}</p>
  </article>`;
}

function tagged(image) {
  put({ id: image.id, image });
  if (waiting.delete(image.id)) {
    const best = image.tags.map((tag) => `${tag.name} ${score(tag.score)}`).join(", ");
    say(`${imageName(image)} is tagged: ${best || "no tags"}`);
  }
}

function failed(failure) {
  put({ id: failure.imageId, failure });
  if (waiting.delete(failure.imageId)) {
    say(`${failure.imageId} failed: ${failure.message}`);
  }
}

const ask = latest();

/** Fetches what events did not report: the latest images, and failures of images submitted here. */
function load() {
  newer = new Set();
  ask(
    async () => ({
      images: state.status.features.search ? (await api.images({ limit: 60 })).items : [],
      failures: waiting.size > 0 ? (await api.failures({ limit: 60 })).items : [],
    }),
    (answer) => {
      answer.images.filter(({ id }) => !newer.has(id)).reverse().forEach(tagged);
      answer.failures.filter(({ imageId }) => waiting.has(imageId) && !newer.has(imageId)).forEach(failed);
    },
    (refused) => {
      failure = refused;
    },
  );
}

export const wall = {
  title: "Wall",

  enter() {
    if (!loaded) {
      loaded = true;
      load();
    }
  },

  happened(kind, data) {
    if (kind === "tagged") {
      newer.add(data.id);
      tagged(data);
    } else if (kind === "failed") {
      newer.add(data.imageId);
      failed(data);
    } else if (kind === "deleted") {
      newer.add(data.id);
      items = items.filter(({ id }) => id !== data.id);
    } else if (kind === "resumed" && loaded) {
      load();
    }
  },

  show() {
    const none = items.length === 0 && waiting.size === 0;
    return html`${drop()} ${problem(failure)}
      <div class="above-grid">
        <p>
          ${waiting.size > 0 ? html`<span aria-busy="true">${plural(waiting.size, "image", "images")} being tagged</span>` : nothing}
        </p>
        <button
          type="button"
          class="outline secondary"
          aria-pressed=${paused ? "true" : "false"}
          @click=${() => {
            if (paused) {
              resume();
            } else {
              paused = new Map();
              update();
            }
          }}
        >
          ${paused ? `Resume (${paused.size} new)` : "Pause"}
        </button>
      </div>
      ${none ? html`<p class="quiet">No images yet.</p>` : nothing}
      <section class="grid-cards" aria-label="Images, newest first">
        ${repeat(items, ({ id }) => id, item)}
      </section>`;
  },
};
