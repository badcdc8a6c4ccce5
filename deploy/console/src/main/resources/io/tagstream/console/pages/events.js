// What happens, as it happens. The browser comes back by itself and says which event was the last.
const KINDS = ["tagged", "failed", "deleted", "vocabulary", "progress"];
const listeners = new Set();
let wanted = false;
let source;

export const connection = { open: false };

/** Calls listener(kind, data) for every event; "connection" tells when the stream opens or breaks, "resumed" that some are missing. */
export function listen(listener) {
  listeners.add(listener);
}

function tell(kind, data) {
  listeners.forEach((listener) => listener(kind, data));
}

/** Follows from now on what happens, but for the time that nobody sees the page. */
export function connect() {
  wanted = true;
  open();
}

function open() {
  close();
  if (!wanted || document.visibilityState === "hidden") {
    return;
  }
  source = new EventSource("/api/events");
  source.onopen = () => {
    connection.open = true;
    tell("connection", true);
  };
  source.onerror = () => {
    connection.open = false;
    tell("connection", false);
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(open, 2000);
    }
  };
  for (const kind of KINDS) {
    source.addEventListener(kind, (event) => tell(kind, JSON.parse(event.data)));
  }
}

function close() {
  source?.close();
  source = undefined;
}

// A browser has six connections for all pages of a server: those that nobody sees leave theirs to the others.
function resume() {
  if (wanted && !source) {
    open();
    tell("resumed"); // what happened meanwhile was not told
  }
}

document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? close() : resume()));
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => event.persisted && resume());
