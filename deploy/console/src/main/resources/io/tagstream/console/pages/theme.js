// Light, dark, or the system's theme. Loaded first, so that the page does not flash.
const KEY = "tagstream.theme";
const THEMES = ["auto", "light", "dark"];

function apply(theme) {
  if (theme === "auto") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
}

export function theme() {
  const kept = localStorage.getItem(KEY);
  return THEMES.includes(kept) ? kept : "auto";
}

export function setTheme(theme) {
  localStorage.setItem(KEY, theme);
  apply(theme);
}

apply(theme());
