// The API: every answer is an object, and every other outcome is a Problem.
export class Problem extends Error {
  constructor(status, detail, reason) {
    super(detail);
    this.status = status;
    this.reason = reason;
  }
}

/** Called when the token is needed. */
export const unauthorized = { handler: () => {} };

async function call(method, path, body, further) {
  const headers = { Accept: "application/json", ...further };
  if (method !== "GET") {
    headers["X-Tagstream"] = "console"; // pages of other sites cannot send this header here
  }
  if (body !== undefined && !(body instanceof FormData)) {
    headers["Content-Type"] = "application/json";
  }
  const request = { method, headers };
  if (body !== undefined) {
    request.body = body instanceof FormData ? body : JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, request);
  } catch {
    throw new Problem(0, "Tagstream does not answer. Is it running?");
  }
  if (answer.ok) {
    return answer.status === 204 ? null : answer.json();
  }
  const problem = await answer.json().catch(() => ({}));
  if (answer.status === 401 && path !== "/api/session") {
    unauthorized.handler();
  }
  throw new Problem(answer.status, problem.detail ?? answer.statusText, problem.reason);
}

/** Encodes an id as one segment of a path. */
const segment = (id) => encodeURIComponent(id);

function query(parameters) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") {
      given.append(name, value);
    }
  }
  const text = given.toString();
  return text === "" ? "" : "?" + text;
}

export const api = {
  session: () => call("GET", "/api/session"),
  showToken: (token) => call("POST", "/api/session", { token }),
  status: () => call("GET", "/api/status"),
  images: (parameters) => call("GET", "/api/images" + query(parameters)),
  image: (id) => call("GET", "/api/images/" + segment(id)),
  search: (parameters) => call("GET", "/api/search" + query(parameters)),
  submitFiles: (files) => {
    const form = new FormData();
    files.forEach((file) => form.append("files", file, file.name || "pasted"));
    return call("POST", "/api/images", form);
  },
  submitUrl: (url) => call("POST", "/api/images", { url }),
  labels: (parameters) => call("GET", "/api/labels" + query(parameters)),
  /** Fails if there is already a label with this id. */
  addLabel: (id, label) => call("PUT", "/api/labels/" + segment(id), label, { "If-None-Match": "*" }),
  putLabel: (id, label) => call("PUT", "/api/labels/" + segment(id), label),
  deleteLabel: (id) => call("DELETE", "/api/labels/" + segment(id)),
  preview: (label) => call("POST", "/api/labels/preview", label),
  explain: (id) => call("GET", "/api/explain/" + segment(id)),
  progress: () => call("GET", "/api/progress"),
  failures: (parameters) => call("GET", "/api/failures" + query(parameters)),
};

export const thumbnailUrl = (id) => "/api/images/" + segment(id) + "/thumbnail";
