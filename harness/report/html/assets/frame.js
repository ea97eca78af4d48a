"use strict";
// What every page has: light or dark, and buttons that copy.

function turnTheme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  remember("chatsim-theme", document.documentElement.dataset.theme);
}

// A page opened from a file may be refused a storage.
function remember(key, value) {
  try { localStorage.setItem(key, value); } catch { /* it is chosen anew next time */ }
}

function recall(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

const chosenTheme = recall("chatsim-theme");
if (chosenTheme === "light" || chosenTheme === "dark") document.documentElement.dataset.theme = chosenTheme;
document.getElementById("theme").addEventListener("click", turnTheme);

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(text); // no clipboard here: Ctrl-C copies what is chosen now
      button.textContent = "press Ctrl-C";
    }
  });
}
