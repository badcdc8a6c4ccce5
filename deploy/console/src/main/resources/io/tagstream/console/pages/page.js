// The page's shared state, and how views redraw it. Views import this module; it imports none of them.

export const state = { status: null, open: null, said: "", progress: null };

const SAID_MILLIS = 10_000;

let draw = () => {};
let scheduled = false;
let unsaying;

/** Sets the function that draws the page. */
export function drawWith(drawing) {
  draw = drawing;
}

/** Redraws the page from the current state, once for all changes in the same task. */
export function update() {
  if (!scheduled) {
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      draw();
    });
  }
}

/** Shows a message for a while, and has screen readers announce it. */
export function say(text) {
  state.said = text;
  update();
  clearTimeout(unsaying);
  unsaying = setTimeout(() => {
    state.said = "";
    update();
  }, SAID_MILLIS);
}

/**
 * Asks questions, of which only the latest counts: a late answer to an earlier question, or its failure, is dropped.
 *
 * The returned function takes a question, a callback for its answer, and a callback for a failure; it redraws the page
 * after either callback.
 */
export function latest() {
  let asked = 0;
  return async (question, answered, refused) => {
    const mine = ++asked;
    try {
      const answer = await question();
      if (mine !== asked) {
        return;
      }
      answered(answer);
    } catch (failure) {
      if (mine !== asked) {
        return;
      }
      refused(failure);
    }
    update();
  };
}
