// A key for each answer, so that two hundred items are soon read.
"use strict";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
  const target = document.querySelector(`.sheet [data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (target && !event.repeat) { event.preventDefault(); target.click(); }
});
