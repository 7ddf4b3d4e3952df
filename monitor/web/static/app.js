// What all pages share. Everything can be read without it; it saves clicks.
"use strict";
const csrf = document.querySelector('meta[name="csrf"]')?.content ?? "";

function keep(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=31536000; SameSite=Lax${secure}`;
}

// Times are written by the server, in the zone it is told here; the first page comes in the configuration's.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`sm_zone=${encodeURIComponent(zone)}`)) keep("sm_zone", zone);

export_(window, { send, say, load });
function export_(target, functions) { target.monitor = functions; }

let quiet;
function say(text) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  clearTimeout(quiet);
  quiet = setTimeout(() => { toast.textContent = ""; }, 6000);
}

// Sends a form's fields; the answer is JSON, or an error whose detail is said.
async function send(address, fields) {
  const body = new URLSearchParams(fields);
  const answer = await fetch(address, { method: "POST", body, headers: { "X-CSRF-Token": csrf, Accept: "application/json" } });
  const told = (answer.headers.get("content-type") ?? "").includes("json") ? await answer.json() : {};
  if (!answer.ok) throw new Error(told.detail ?? `the server answered ${answer.status}`);
  return told;
}

// Parts that come after the page.
async function load(place) {
  try {
    const answer = await fetch(place.dataset.load, { headers: { "X-Part": "1" } });
    if (answer.redirected) { location.reload(); return; }
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    place.innerHTML = text;
    for (const better of place.querySelectorAll("template[data-instead-of]")) {
      document.getElementById(better.dataset.insteadOf)?.replaceWith(better.content.cloneNode(true));
      better.remove();
    }
    place.removeAttribute("aria-busy");
    place.dispatchEvent(new CustomEvent("loaded", { bubbles: true }));
  } catch (error) {
    place.removeAttribute("aria-busy");
    const words = document.createElement("p");
    words.className = "notice bad";
    words.textContent = `This part could not be loaded: ${error.message}. `;
    const again = document.createElement("button");
    again.textContent = "Try again";
    again.addEventListener("click", () => load(place));
    words.append(again);
    place.replaceChildren(words);
  }
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-auto]");
  if (form && event.target.matches("select")) form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  // Empty fields make long addresses.
  if (event.target.matches('form[method="get"]')) for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});
window.addEventListener("pageshow", () => { for (const field of document.querySelectorAll('form[method="get"] [disabled]')) field.disabled = false; });

// Only one "what is this?" stands open; a click elsewhere or Escape closes it.
document.addEventListener("click", (event) => closeAll(event.target.closest(".what")));
document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeAll(null); });
function closeAll(but) { for (const one of document.querySelectorAll("details.what[open]")) if (one !== but) one.open = false; }

document.addEventListener("DOMContentLoaded", () => {
  for (const one of document.querySelectorAll(".needs-script")) one.hidden = false;
  for (const place of document.querySelectorAll("[data-load]")) load(place);
  document.querySelector("[data-theme-toggle]")?.addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    keep("sm_theme", document.documentElement.dataset.theme);
    document.dispatchEvent(new CustomEvent("themed"));
  });
});
