"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const palettes = {
    light: { ink: "#1c1b19", soft: "#5b5852", line: "#e6e2da", fault: "#e9b9ae", hold: "#ecd9a4", response: "#b7d8c2", trace: "#1f4f8f", limit: "#a3241b", card: "#ffffff" },
    dark: { ink: "#e9e6e0", soft: "#a8a49b", line: "#34373c", fault: "#7b3f37", hold: "#6b5722", response: "#2c6044", trace: "#9cc3ff", limit: "#ff9d92", card: "#1b1d20" },
  };
  let printing = false;
  const palette = () => palettes[dark.matches && !printing ? "dark" : "light"];
  const all = () => Array.from(document.querySelectorAll("details.scenario"));
  const drawn = new Map();

  // The plotting library is kept packed: most readers never open a plot, and it is larger than all the rest.
  let library = null;
  const plotting = () => {
    library ??= (async () => {
      const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent.trim()), (c) => c.charCodeAt(0));
      const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
      const code = document.createElement("script");
      code.textContent = await new Response(stream).text();
      document.head.append(code);
      return window.Plotly;
    })();
    return library;
  };

  const dataOf = (scenario) => (scenario.points ??= JSON.parse(scenario.querySelector(":scope > script.data").textContent));

  function open(scenario) {
    const inner = scenario.querySelector(":scope > .inner");
    if (inner.childElementCount) return;
    // Kept as text until now: hundreds of scenarios that nobody opens cost nothing. Every text in it is escaped.
    inner.innerHTML = scenario.querySelector(":scope > script.body").textContent;
    for (const box of inner.querySelectorAll(".plot")) seen.observe(box);
    // What is printed was not always scrolled to.
    const judged = inner.querySelector(".plot[data-plot=judged]");
    if (judged) (window.requestIdleCallback ?? setTimeout)(() => judged.clientWidth && draw(judged));
    for (const more of inner.querySelectorAll(".figures-of")) more.addEventListener("toggle", () => figures(scenario, more), { once: true });
    for (const more of inner.querySelectorAll(".samples-of")) more.addEventListener("toggle", () => samples(scenario, more), { once: true });
  }

  // Plots ------------------------------------------------------------------------------------------------------------
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      draw(entry.target);
    }
  }, { rootMargin: "300px" });

  async function draw(box) {
    if (box.dataset.asked) return;
    box.dataset.asked = "yes";
    seen.unobserve(box);
    const data = dataOf(box.closest("details.scenario"));
    const rows = rowsOf(box.dataset.plot, data);
    if (!rows.length) {
      box.textContent = words.nothing;
      box.style.minHeight = 0;
      return;
    }
    let Plotly;
    try {
      Plotly = await plotting();
    } catch {
      box.textContent = words.no_plots;
      return;
    }
    box.replaceChildren();
    const figure = figureOf(rows, data, box.clientWidth);
    await Plotly.newPlot(box, figure.traces, figure.layout, { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] });
    drawn.set(box, [rows, data]);
    box.dataset.drawn = "yes";
  }

  // A sheet is narrower than most windows, and what is printed is laid out before anything can ask for its width.
  const SHEET_PX = 620;
  const redraw = () => {
    for (const [box, [rows, data]] of drawn) {
      const figure = figureOf(rows, data, printing ? SHEET_PX : box.clientWidth);
      if (printing) Object.assign(figure.layout, { autosize: false, width: SHEET_PX });
      window.Plotly.react(box, figure.traces, figure.layout);
    }
  };
  dark.addEventListener("change", redraw);
  addEventListener("beforeprint", () => { printing = true; redraw(); });
  addEventListener("afterprint", () => { printing = false; redraw(); });

  function rowsOf(which, data) {
    if (which === "slis") {
      return data.slis.map((sli) => ({
        name: sli.name, unit: sli.unit, limits: sli.objective === null ? [] : [{ op: "", y: sli.objective, what: words.objective }],
        x: sli.parts.flatMap((p) => [p.a, p.b, p.b]), y: sli.parts.flatMap((p) => [p.v, p.v, null]), steps: true,
      }));
    }
    return data.series.filter((s) => s.judged === (which === "judged")).map((s) => ({ ...s, x: data.t, y: s.v }));
  }

  function figureOf(rows, data, width) {
    const p = palette();
    const narrow = width < 560;
    const each = 118, gap = 34, top = 30, bottom = 44;
    const height = top + bottom + rows.length * each + (rows.length - 1) * gap;
    const inside = height - top - bottom;
    const traces = [], annotations = [];
    const shapes = data.bands.map((b) => ({ type: "rect", xref: "x", yref: "paper", x0: b.a, x1: b.b, y0: 0, y1: 1, fillcolor: p[b.name], opacity: 0.38, line: { width: 0 }, layer: "below" }));
    for (const m of data.marks.filter((one) => one.kind === "act" || one.kind === "alert")) {
      shapes.push({ type: "line", xref: "x", yref: "paper", x0: m.t, x1: m.t, y0: 0, y1: 1, line: { width: 1, dash: "dot", color: p.soft }, layer: "below" });
    }
    const layout = {
      height, margin: { l: 52, r: narrow ? 12 : 24, t: top, b: bottom }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, autosize: true,
      hovermode: "x", hoversubplots: "axis", dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: p.soft },
      hoverlabel: { bgcolor: p.card, bordercolor: p.line, font: { color: p.ink, size: 12 } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: p.soft, activecolor: p.ink },
      xaxis: { range: [data.from, data.to], zeroline: true, zerolinecolor: p.soft, gridcolor: p.line, ticksuffix: " s", anchor: `y${rows.length > 1 ? rows.length : ""}`, title: { text: data.injected ? words.axis : words.axis_start, font: { size: 12 } } },
    };
    rows.forEach((row, i) => {
      const n = i ? i + 1 : "";
      const to = 1 - (i * (each + gap)) / inside, from = to - each / inside;
      layout[`yaxis${n}`] = { domain: [Math.max(0, from), to], rangemode: "tozero", gridcolor: p.line, zeroline: false, nticks: 4, anchor: "x", fixedrange: true };
      traces.push({
        type: "scatter", mode: row.steps || data.t.length > 200 ? "lines" : "lines+markers", x: row.x, y: row.y, xaxis: "x", yaxis: `y${n}`, name: row.name, connectgaps: false, cliponaxis: false,
        line: { color: p.trace, width: row.steps ? 4 : 1.6 }, marker: { size: 3.5, color: p.trace }, hovertemplate: "%{y:.4~g}<extra></extra>",
      });
      annotations.push({ xref: "paper", yref: "paper", x: 0, y: to, xanchor: "left", yanchor: "bottom", showarrow: false, text: `<b>${escaped(row.name)}</b>`, font: { size: narrow ? 10.5 : 12, color: p.ink } });
      const highest = Math.max(...row.y.filter((y) => y !== null), ...row.limits.map((limit) => limit.y));
      for (const limit of row.limits) {
        traces.push({ type: "scatter", mode: "lines", x: [data.from, data.to], y: [limit.y, limit.y], xaxis: "x", yaxis: `y${n}`, hoverinfo: "skip", line: { color: p.limit, width: 1, dash: "dash" } });
        annotations.push({ xref: "paper", yref: `y${n}`, x: 1, y: limit.y, xanchor: "right", yanchor: limit.y > 0.75 * highest ? "top" : "bottom", showarrow: false, text: escaped(`${limit.what} ${limit.op} ${limit.y}`), font: { size: 10.5, color: p.limit } });
      }
    });
    return { traces, layout: { ...layout, shapes, annotations } };
  }

  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  // Samples ----------------------------------------------------------------------------------------------------------
  const compare = { ">": (a, b) => a > b, "<": (a, b) => a < b, ">=": (a, b) => a >= b, "<=": (a, b) => a <= b, "==": (a, b) => a === b };

  function samples(scenario, more) {
    const data = dataOf(scenario);
    const said = JSON.parse(more.dataset.said);
    const tests = JSON.parse(more.dataset.tests).map((text, i) => {
      const [probe, op, y] = text.split(" ");
      return { text: said[i], series: data.series.find((s) => s.name === probe), test: compare[op], y: Number(y) };
    }).filter((one) => one.series);
    const rows = [];
    data.t.forEach((t, i) => {
      if (t < Number(more.dataset.since) - 0.002 || t > Number(more.dataset.until) + 0.002) return;
      rows.push([element("th", signed(t), { scope: "row", class: "n" }), ...tests.map((one) => {
        const value = one.series.v[i];
        const met = value === null || !one.test || Number.isNaN(one.y) ? null : one.test(value, one.y);
        return element("td", value === null ? "—" : `${value}${met === null ? "" : met ? " ✓" : " ✗"}`, { class: `n${met === null ? "" : met ? " yes" : " no"}` });
      })]);
    });
    const caption = data.every > 1 ? `${words.samples}: ${words.thinned.replace("{n}", data.every)}` : words.samples;
    more.append(tabled(caption, ["T", ...tests.map((one) => one.text)], rows));
  }

  // What a plot shows, for whoever cannot see it.
  function figures(scenario, more) {
    const number = (value) => (value === null || value === undefined ? "—" : Number(value.toPrecision(4)).toString());
    const rows = rowsOf(more.dataset.plot, dataOf(scenario)).map((row) => {
      const known = row.y.filter((y) => y !== null);
      const told = known.length ? [known[0], known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b)), known.at(-1)] : [null, null, null, null];
      const limits = row.limits.map((limit) => `${limit.what} ${limit.op} ${limit.y}`).join("; ");
      return [element("th", row.name, { scope: "row" }), ...told.map((value) => element("td", number(value), { class: "n" })), element("td", limits || "—")];
    });
    const heads = [words.probe, words.first, words.lowest, words.highest, words.last, words.limits];
    more.append(rows.length ? tabled(words.figures, heads, rows) : element("p", words.nothing));
  }

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function tabled(caption, heads, rows) {
    const box = element("div", undefined, { class: "samples", tabindex: "0", role: "group", "aria-label": caption });
    const table = element("table"), thead = element("thead"), head = element("tr"), body = element("tbody");
    head.append(...heads.map((text, i) => element("th", text, { scope: "col", class: text === words.probe || text === words.limits ? "" : "n" })));
    thead.append(head);
    for (const cells of rows) {
      const row = element("tr");
      row.append(...cells);
      body.append(row);
    }
    table.append(element("caption", caption), thead, body);
    box.append(table);
    return box;
  }

  const signed = (t) => `${t < 0 ? "−" : "+"}${Math.abs(t).toFixed(2)} s`;

  // Links ------------------------------------------------------------------------------------------------------------
  function follow(hash) {
    const match = /^#(s\d+)(-[\w-]+)?$/.exec(hash);
    const scenario = match && document.getElementById(match[1]);
    if (!scenario) return;
    scenario.hidden = false;
    scenario.open = true;
    open(scenario);
    const target = document.getElementById(hash.slice(1));
    if (!target) return;
    for (let up = target.parentElement; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    for (const old of document.querySelectorAll(".hit")) old.classList.remove("hit");
    if (target !== scenario) target.classList.add("hit");
    (target === scenario ? scenario.querySelector("summary") : target).focus({ preventScroll: true });
    target.scrollIntoView({ block: target.tagName === "LI" ? "center" : "start" });
  }
  addEventListener("hashchange", () => follow(location.hash));
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#s"]');
    if (link && link.getAttribute("href") === location.hash) follow(location.hash);
  });

  // The list ---------------------------------------------------------------------------------------------------------
  for (const scenario of all()) scenario.addEventListener("toggle", () => scenario.open && open(scenario));
  const tools = document.querySelector(".tools");
  const find = document.getElementById("find");
  let claim = "";
  function filter() {
    const asked = (find?.value ?? "").trim().toLowerCase();
    let count = 0;
    for (const scenario of all()) {
      const fits = (!claim || scenario.dataset.claim === claim) && scenario.dataset.find.includes(asked);
      scenario.hidden = !fits;
      count += fits;
    }
    document.getElementById("shown").textContent = (count === 1 ? words.shown_one : words.shown).replace("{n}", count);
  }
  for (const button of tools.querySelectorAll("[data-claim]")) {
    button.addEventListener("click", () => {
      claim = button.dataset.claim;
      for (const other of tools.querySelectorAll("[data-claim]")) other.setAttribute("aria-pressed", String(other === button));
      filter();
    });
  }
  find?.addEventListener("input", filter);
  const bad = all().filter((s) => s.dataset.claim === "REFUTED" || s.dataset.claim === "INCONCLUSIVE");
  const button = document.getElementById("open-bad");
  button.hidden = bad.length === 0 || bad.length > 30;
  button.addEventListener("click", () => bad.forEach((s) => { s.hidden = false; s.open = true; }));
  tools.hidden = false;
  if (location.hash) follow(location.hash);
  else if (all().length === 1) all()[0].open = true;
})();
