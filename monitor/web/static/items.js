// Lists of items: explanations on demand, actions in place, one key each. Everything works without it, by forms.
"use strict";
const KEYS_OFF = "sm_keys_off";
const form = document.getElementById("bulk");
const list = document.getElementById("list");
const bulk = document.getElementById("with-ticked");

// Filters that apply as soon as they are chosen.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-go]")) event.target.form.requestSubmit();
  if (event.target.matches('.pick input')) tellTicked();
});

// ---------------------------------------------------------------- why an item has its label
document.addEventListener("toggle", (event) => {
  const why = event.target;
  if (!why.matches?.("details.why[data-why]") || !why.open || why.dataset.asked) return;
  why.dataset.asked = "1";
  const body = why.querySelector(".why-body");
  body.dataset.load = why.dataset.why;
  body.setAttribute("aria-busy", "true");
  monitor.load(body);
}, true);

// ---------------------------------------------------------------- actions in place
form?.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.name || button.value === "none") { event.preventDefault(); return; }
  const fields = new FormData(form, button);
  if (button.name === "do" && fields.get("all")) return; // all that is found: by way of a question
  event.preventDefault();
  const ids = button.name === "one" ? [button.value.split(" ")[1]] : fields.getAll("id");
  if (!ids.length) { monitor.say("Tick some items first."); return; }
  if (button.name === "one") fields.delete("id");
  perform(fields, ids, button);
});

async function perform(fields, ids, button) {
  const places = ids.map((id) => document.getElementById(`item-${id}`)).filter(Boolean);
  for (const place of places) place.setAttribute("aria-busy", "true");
  try {
    const told = await monitor.send(form.action, fields);
    for (const [id, html] of Object.entries(told.rows)) replace(document.getElementById(`item-${id}`), html, button);
    monitor.say(told.said);
    for (const address of told.suggest) suggest(address);
    if (bulk && button.name === "do") bulk.open = false;
  } catch (error) {
    monitor.say(`That was not done: ${error.message}`);
  } finally {
    for (const place of places) place.removeAttribute("aria-busy");
    tellTicked();
  }
}

// The row as it is now, from our own template; what stood open and where the reader was stay.
function replace(place, html, button) {
  if (!place) return;
  const held = place.contains(document.activeElement);
  const open = [...place.querySelectorAll("details[open]")].map((one) => one.className);
  place.innerHTML = html;
  for (const name of open) if (name !== "more") { const one = place.querySelector(`details.${name}`); if (one) one.open = true; }
  if (!held || place === document.activeElement) return;
  const same = [...place.querySelectorAll("button[data-key]")].find((one) => one.dataset.key && one.dataset.key === button?.dataset.key);
  (same ?? place).focus();
}

function suggest(address) {
  const place = document.getElementById("suggestions");
  if (!place) return;
  place.dataset.load = address;
  monitor.load(place);
}

function tellTicked() {
  if (!bulk) return;
  const count = document.querySelectorAll(".pick input:checked").length;
  document.getElementById("ticked").textContent = count ? `: ${count}` : "";
  bulk.toggleAttribute("data-ticked", count > 0);
  if (count) bulk.open = true;
}

document.querySelector("[data-tick-all]")?.addEventListener("click", () => {
  const boxes = [...document.querySelectorAll(".pick input")];
  const every = boxes.every((box) => box.checked);
  for (const box of boxes) box.checked = !every;
  tellTicked();
});

// ---------------------------------------------------------------- keys
const dialog = document.getElementById("keys");
const on = document.getElementById("keys-on");
const help = () => { if (!dialog.open) dialog.showModal(); };
document.querySelector("[data-keys]")?.addEventListener("click", help);
if (on) {
  on.checked = localStorage.getItem(KEYS_OFF) !== "1";
  on.addEventListener("change", () => localStorage.setItem(KEYS_OFF, on.checked ? "0" : "1"));
}

const rows = () => [...(list?.querySelectorAll(".item") ?? [])];
const current = () => document.activeElement?.closest?.(".item");

function go(step) {
  const all = rows();
  const at = all.indexOf(current());
  const next = at < 0 ? all[0] : all[Math.min(all.length - 1, Math.max(0, at + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

const press = (key) => current()?.querySelector(`button[data-key="${key}"]`)?.click();
const KEYS = {
  j: () => go(1),
  k: () => go(-1),
  o: () => current()?.querySelector("a.original")?.click(),
  Enter: () => { const to = current()?.querySelector("a.when"); if (to) location.assign(to.href); },
  e: () => { const why = current()?.querySelector("details.why"); if (why) why.open = !why.open; },
  1: () => press("p"), p: () => press("p"),
  2: () => press("u"), u: () => press("u"),
  3: () => press("n"), n: () => press("n"),
  0: () => press("0"),
  x: () => press("x"), d: () => press("d"), m: () => press("m"), w: () => press("w"),
  s: () => { const box = current()?.querySelector(".pick input"); if (box) { box.checked = !box.checked; tellTicked(); } },
  t: () => { const more = current()?.querySelector("details.more"); if (more) { more.open = true; more.querySelector("input")?.focus(); } },
  "/": () => document.querySelector('input[type="search"]')?.focus(),
  "?": help,
};

document.addEventListener("keydown", (event) => {
  const field = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (field && event.key === "Escape") { field.blur(); field.closest(".item")?.focus(); return; }
  if (field?.name?.startsWith("tag-") && event.key === "Enter") {
    event.preventDefault();
    field.closest(".item").querySelector('button[value^="tag "]').click();
    return;
  }
  if (field || dialog?.open || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && !"jk".includes(event.key)) return;
  if (event.key === "Enter" && !event.target.matches(".item")) return; // a button's or link's own
  if (event.key !== "?" && on && !on.checked) return;
  const what = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
  if (!what) return;
  event.preventDefault();
  what();
});

tellTicked();
