// The console with a script: live pages, keys, and a sign that something is under way. Every page works without it.
// Nothing here writes markup: what arrives is text, and is shown as text.
"use strict";

// One stream for each live page. The page says whether it is live, paused, or waits for the line to come back.
const live = document.querySelector("[data-live]");
if (live && "EventSource" in window) {
  const said = live.querySelector("[data-state]");
  let source = null, lost = 0;
  const say = (state) => { if (said) said.textContent = live.dataset[state] || ""; };
  const open = () => {
    source = new EventSource(live.dataset.live);
    source.onopen = () => { clearTimeout(lost); say("on"); };
    source.onerror = () => { clearTimeout(lost); lost = setTimeout(() => say("off"), 3000); };
    source.onmessage = (event) => {
      const news = JSON.parse(event.data);
      for (const [name, text] of Object.entries(news.text || {})) {
        const place = live.querySelector(`[data-news="${name}"]`);
        if (place && place.textContent !== text) place.textContent = text;
      }
      for (const [name, value] of Object.entries(news.value || {})) {
        const place = live.querySelector(`[data-news="${name}"]`);
        if (place) place.value = value;
      }
      // What has ended looks different: the page is read anew, once.
      if (news.ended) { close(); location.reload(); }
    };
  };
  const close = () => { if (source) source.close(); source = null; };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { close(); say("paused"); } else if (!source) { open(); }
  });
  addEventListener("pagehide", close);
  open();
}

// Keys of a list, while the focus is inside of it: j and k move, o opens.
for (const list of document.querySelectorAll("[data-keys]")) {
  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    if (keysAreOff(list)) return;
    const items = [...list.querySelectorAll("[data-item]")];
    const at = items.findIndex((item) => item.contains(document.activeElement));
    const step = { j: 1, k: -1 }[event.key];
    if (step) {
      const next = items[Math.min(Math.max(at + step, 0), items.length - 1)];
      const target = next && next.querySelector("a, button");
      if (target) { target.focus(); event.preventDefault(); }
    } else if (event.key === "o" && at >= 0) {
      const link = items[at].querySelector("a");
      if (link) link.click();
    }
  });
}
function keysAreOff(list) {
  const off = list.querySelector("[data-keys-off]");
  return Boolean(off && off.checked);
}

// A form that takes longer than a moment says so, and is sent once.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    const button = event.submitter;
    setTimeout(() => {
      if (button && document.body.dataset.wait) button.textContent = document.body.dataset.wait;
    }, 400);
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// After a refused form the focus is where the words are.
const problem = document.querySelector("[data-problem]");
if (problem) problem.focus();
