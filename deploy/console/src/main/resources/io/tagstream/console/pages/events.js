// Live events. The browser reconnects by itself and says which event it received last.
const KINDS = ["tagged", "failed", "deleted", "vocabulary", "progress"];
const listeners = new Set();
let wanted = false;
let source;

export const connection = { open: false };

/**
 * Calls listener(kind, data) for every event; "connection" when the stream opens or breaks, and "resumed" when events
 * may have been missed.
 */
export function listen(listener) {
  listeners.add(listener);
}

function tell(kind, data) {
  listeners.forEach((listener) => listener(kind, data));
}

/** Starts to follow events, except while the page is hidden. */
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

// A browser opens at most six connections to a server, for all its pages: hidden pages leave theirs to the visible ones.
function resume() {
  if (wanted && !source) {
    open();
    tell("resumed"); // events in the meantime were missed
  }
}

document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? close() : resume()));
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => event.persisted && resume());
