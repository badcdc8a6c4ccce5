// One image: its scores and their thresholds, the history of its tags, and where the image came from.
import { html, nothing } from "./lit/lit-html.js";
import { api } from "./api.js";
import { count, imageName, score, time, webAddress, words } from "./format.js";
import { latest, state } from "./page.js";
import { bar, picture, problem, tags } from "./parts.js";

let id = "";
let known = null;
let explanation = null;
let failure = null;

const askImage = latest();
const askExplanation = latest();

function load() {
  const asked = id;
  const refuse = (refused) => {
    failure = refused;
  };
  askImage(
    () => api.image(asked),
    (image) => {
      known = image;
      failure = null;
      if (state.status.features.queries) {
        askExplanation(
          () => api.explain(asked),
          (answer) => {
            if (asked === id) {
              explanation = answer;
            }
          },
          refuse,
        );
      }
    },
    refuse,
  );
}

function scores() {
  if (!explanation) {
    return html`<section aria-labelledby="tags-title">
      <h2 id="tags-title">Tags</h2>
      ${known.tags.length === 0
        ? tags([])
        : html`<div class="overflow-auto" tabindex="0" role="region" aria-label="Tags">
            ${table(known.tags.map((tag) => ({ ...tag, emitted: true, active: true, candidate: true })))}
          </div>`}
      ${state.status.features.queries ? nothing : html`<p class="quiet">This instance cannot show the scores of other labels.</p>`}
    </section>`;
  }
  return html`<section aria-labelledby="tags-title">
    <h2 id="tags-title">All scores</h2>
    <div class="overflow-auto scores" tabindex="0" role="region" aria-label="Scores">${table(explanation.labels)}</div>
  </section>`;
}

const what = (label) =>
  label.emitted ? "tag" : !label.active ? "shadow" : !label.candidate ? "not a candidate" : "below the threshold";

function table(labels) {
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Label</th><th scope="col">Score</th><th scope="col" class="bar"><span class="hidden">Bar</span></th>
        <th scope="col">Threshold</th><th scope="col">Result</th>
      </tr>
    </thead>
    <tbody>
      ${labels.map(
        (label) => html`<tr class=${label.emitted ? "emitted" : ""} title=${label.prompts?.join(" | ") ?? ""}>
          <th scope="row">${label.name}</th>
          <td>${score(label.score)}</td>
          <td class="bar">${bar(label.score, "Score of " + label.name)}</td>
          <td>${score(label.threshold)}</td>
          <td>${what(label)}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

function history() {
  if (!explanation) {
    return nothing;
  }
  return html`<section aria-labelledby="history-title">
    <h2 id="history-title">History</h2>
    ${explanation.history.length === 0 ? html`<p class="quiet">No history is kept.</p>` : nothing}
    <ul class="history">
      ${explanation.history.map(
        (entry) => html`<li>
          <time datetime=${entry.at}>${time(entry.at)}</time>
          <strong>${entry.name}</strong> ${words(entry.change)}${entry.score === null ? "" : ` at ${score(entry.score)}`}:
          ${words(entry.cause)}, epoch ${entry.vocabularyEpoch}
        </li>`,
      )}
    </ul>
  </section>`;
}

function provenance() {
  const address = webAddress(known.uri);
  const attributes = Object.entries(known.attributes).filter(([name]) => !name.startsWith("tagstream."));
  return html`<section aria-labelledby="provenance-title">
    <h2 id="provenance-title">Provenance</h2>
    <dl>
      <dt>Id</dt>
      <dd>${known.id}</dd>
      <dt>Read from</dt>
      <dd>${address ? html`<a href=${address} rel="noreferrer noopener" target="_blank">${known.uri}</a>` : known.uri}</dd>
      <dt>Size</dt>
      <dd>${count(known.width)} × ${count(known.height)} pixels</dd>
      <dt>SHA-256</dt>
      <dd><code>${known.sha256}</code></dd>
      <dt>Tagged</dt>
      <dd><time datetime=${known.taggedAt}>${time(known.taggedAt)}</time> (${words(known.cause)})</dd>
      <dt>Model</dt>
      <dd>${known.model.id} ${known.model.version}</dd>
      <dt>Vocabulary epoch</dt>
      <dd>${known.vocabularyEpoch}</dd>
      ${attributes.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
    </dl>
  </section>`;
}

export const image = {
  title: "Image",

  enter(given) {
    id = given ?? "";
    known = null;
    explanation = null;
    failure = null;
    load();
  },

  /** Asks again after a temporary refusal: stores cannot be read while partitions move. */
  look() {
    if (id !== "" && (failure?.status === 503 || failure?.status === 0)) {
      load();
    }
  },

  happened(kind, data) {
    if ((kind === "resumed" || (kind === "tagged" && data.id === id)) && location.hash.startsWith("#/image/")) {
      load();
    }
  },

  show() {
    if (!known) {
      return failure ? problem(failure) : html`<p aria-busy="true">Loading</p>`;
    }
    const name = imageName(known);
    return html`<p class="image-name">${name}</p>
      ${problem(failure)}
      <div class="image-page">
        <div>${picture(known.id, name)} ${provenance()}</div>
        <div>${scores()} ${history()}</div>
      </div>`;
  },
};
