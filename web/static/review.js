// The review room by key. Everything here also works with links and forms, without this file.
"use strict";

const find = (key) => document.querySelector(`[data-key="${key}"]`);
const entries = [...document.querySelectorAll(".entry")];

function typing(target) {
  return target.matches("textarea, select, input:not([type=checkbox])");
}

function walk(step) {
  const here = entries.indexOf(document.activeElement);
  const to = here < 0 ? (step > 0 ? 0 : entries.length - 1) : here + step;
  entries[Math.max(0, Math.min(entries.length - 1, to))]?.focus();
}

function act(element) {
  if (element.matches("details")) {
    element.open = true;
    element.querySelector("input:not([type=hidden]), select, textarea").focus();
  } else {
    element.click();
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.repeat && !"jk".includes(event.key)) return;
  if (event.key === "?") {
    const help = document.getElementById("help");
    help.classList.add("sheet");
    help.open = !help.open;
  } else if (event.key === "Escape" && document.getElementById("help").open) {
    document.getElementById("help").open = false;
  } else if (entries.length && "jk".includes(event.key)) {
    walk(event.key === "j" ? 1 : -1);
  } else if (/^[a-z]$/.test(event.key) && find(event.key)) {
    act(find(event.key));
  } else {
    return;
  }
  event.preventDefault();
});

// A form goes off once, however often its key is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  else event.target.dataset.sent = "1";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
