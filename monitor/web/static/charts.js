// Draws the charts of a page: Vega-Lite from the server, in the page's own colours; a point leads to the items behind it.
"use strict";
const DARK = { "#2f74b8": "#6aa9e6", "#c9d0d9": "#5c6878", "#e0762a": "#f0995a", "#e6eaef": "#303a48", "#1c2430": "#e6ebf2", "#566173": "#a3afbf", "#f3dfb8": "#4a3d1c", "#f4f6f8": "#212935", "#ffffff": "#1a212b", "#7a4d00": "#f3cf86", "#4b5b76": "#8fa0bd", "#93a1b8": "#5d6b85" };

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function coloured(spec) {
  const text = JSON.stringify({ ...spec, background: "transparent" });
  return JSON.parse(isDark() ? text.replace(/"(#[0-9a-f]{6})"/gi, (whole, colour) => `"${DARK[colour.toLowerCase()] ?? colour}"`) : text);
}

// Expressions are interpreted, not compiled ("ast"), and nothing styles itself: the page's policy allows neither.
const HOW = { ast: true, actions: false, defaultStyle: false, tooltip: false, renderer: "canvas", mode: "vega-lite", logLevel: 1 };

async function draw(figure) {
  const drawing = figure.querySelector(".drawing");
  const { spec, links } = JSON.parse(figure.querySelector(".spec").textContent);
  figure.width = Math.max(240, Math.floor(drawing.clientWidth));
  figure.drawn?.finalize();
  const sized = { ...coloured(spec), $schema: undefined, width: figure.width, padding: 2, autosize: { type: "fit-x", contains: "padding" } };
  figure.drawn = await window.vegaEmbed(drawing, sized, HOW);
  const way = (item) => (item?.datum?.index === undefined ? undefined : links[item.datum.index]);
  const view = figure.drawn.view;
  view.addEventListener("click", (_event, item) => { if (way(item)) location.href = way(item); });
  view.addEventListener("mouseover", (_event, item) => { drawing.classList.toggle("leads", Boolean(way(item))); });
}

async function drawAll(within) {
  for (const figure of within.querySelectorAll("figure.chart")) {
    try {
      if (!window.vegaEmbed) throw new Error("the chart engine is not there");
      await draw(figure);
      figure.dataset.drawn = "";
    } catch (error) {
      figure.querySelector(".drawing").hidden = true;
      figure.querySelector(".as-table").open = true;
      console.warn(error.message);
    }
  }
}

let waiting;
new ResizeObserver(() => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    for (const figure of document.querySelectorAll("figure.chart[data-drawn]")) {
      const room = Math.floor(figure.querySelector(".drawing").clientWidth);
      if (room && Math.abs(room - figure.width) > 8) draw(figure);
    }
  }, 150);
}).observe(document.documentElement);

document.addEventListener("themed", () => drawAll(document));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(document));
document.addEventListener("loaded", (event) => drawAll(event.target));
document.addEventListener("DOMContentLoaded", () => drawAll(document));
