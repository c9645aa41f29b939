"use strict";
// Texts from logs reach the page through `append` and `textContent` alone, so they are text whatever they hold.
(() => {
  const byId = (id) => document.getElementById(id);
  const FIELDS = ["cluster", "level", "builder", "class", "outcome"];
  const COLUMN = { cell: 0, cluster: 1, level: 2, builder: 3, class: 4, outcome: 5, counts: 6 };
  const index = JSON.parse(byId("index").textContent);
  const numbers = new Map(index.map((row, number) => [row[COLUMN.cell], number]));
  const form = byId("filters");
  const dialog = byId("cell");
  const blocks = [...document.querySelectorAll("script.block")];
  const size = blocks.length ? Number(blocks[0].dataset.size) : 1;
  const parsed = new Map();
  let shared = null;
  let texts = null;
  let tables = null;

  const common = () => {
    if (shared === null) {
      const [kept, classes] = JSON.parse(byId("shared").textContent);
      shared = { kept, classes };
    }
    return shared;
  };
  const kept = (number) => (number === null || number === undefined ? null : common().kept[number]);
  const details = (number) => {
    const block = Math.floor(number / size);
    if (!parsed.has(block)) parsed.set(block, JSON.parse(blocks[block].textContent));
    return parsed.get(block)[number % size];
  };

  // ---- state: everything that can be linked to stands in the URL's fragment
  const read = () => {
    const words = new URLSearchParams(location.hash.slice(1));
    return Object.fromEntries([...FIELDS, "q", "cell", "at"].map((name) => [name, words.get(name) ?? ""]));
  };
  const write = (changes, { push = false } = {}) => {
    const state = { ...read(), ...changes };
    const words = new URLSearchParams(Object.entries(state).filter(([, value]) => value));
    const url = words.size ? `#${words}` : location.href.split("#")[0];
    if (push) history.pushState(null, "", url);
    else history.replaceState(null, "", url);
    show();
  };

  // ---- filters
  const text = (number) => {
    texts ??= index.map(() => null);
    if (texts[number] === null) {
      const { about, facts, node, pod, prediction, versions, ...own } = details(number);
      const words = [own, kept(about), kept(versions)];
      texts[number] = JSON.stringify(words).toLowerCase();
    }
    return texts[number];
  };
  const inJson = (words) => JSON.stringify(words.toLowerCase()).slice(1, -1);
  const lookup = () => {
    tables ??= [...document.querySelectorAll("table.grid")].map((table) => ({
      section: table.closest("section"),
      heads: [...table.tHead.rows[0].cells].slice(1),
      rows: [...table.tBodies[0].rows].map((row) => ({ row, cells: [...row.cells].slice(1) })),
    }));
    return tables;
  };
  const hide = (node, hidden) => {
    if (node.hidden !== hidden) node.hidden = hidden;
  };
  const filter = (state) => {
    const wanted = FIELDS.filter((name) => state[name]).map((name) => [COLUMN[name], state[name]]);
    const needle = inJson(state.q.trim());
    const active = wanted.length > 0 || needle !== "";
    let all = 0;
    let matched = 0;
    const matches = index.map((row, number) => {
      if (!row[COLUMN.counts]) return false;
      all += 1;
      const yes = wanted.every(([column, value]) => row[column] === value) && (!needle || text(number).includes(needle));
      matched += yes ? 1 : 0;
      return yes;
    });
    const said = active ? `${matched} of ${all} cells match` : `${all} cells`;
    if (byId("count").textContent !== said) byId("count").textContent = said;
    if (!active && tables === null) return;
    for (const { section, heads, rows } of lookup()) {
      const columns = heads.map(() => false);
      for (const { row, cells } of rows) {
        let any = false;
        cells.forEach((cell, column) => {
          const on = cell.dataset.n !== undefined && matches[Number(cell.dataset.n)];
          cell.classList.toggle("off", active && !on);
          columns[column] ||= on;
          any ||= on;
        });
        hide(row, active && !any);
      }
      heads.forEach((head, column) => hide(head, active && !columns[column]));
      for (const { cells } of rows) cells.forEach((cell, column) => hide(cell, active && !columns[column]));
      hide(section, active && !columns.some(Boolean));
    }
  };

  // ---- one cell
  const present = (children) =>
    children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== "");
  const el = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {})) node.setAttribute(name, value);
    node.append(...present(children));
    return node;
  };
  const section = (title, ...children) => [el("h3", null, title), ...present(children)];
  const folded = (title, ...children) => el("details", null, el("summary", null, title), ...children);
  const pairs = (rows, style = "pairs") =>
    el("dl", { class: style }, rows.map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, String(value)))));
  const list = (items) => el("ul", null, items.map((item) => el("li", null, item)));
  const artefact = (cell, file, label) =>
    el("a", { href: ["cells", cell, ...file.split("/")].map(encodeURIComponent).join("/") }, label);
  const reference = (words) =>
    /^https:\/\/[^\s]+$/.test(words) ? el("a", { href: words, rel: "noopener noreferrer" }, words) : words;

  const evidence = (record, piece) => {
    const place = piece.line ? `${piece.file}:${piece.line}` : piece.file;
    const lines = piece.around.length ? piece.around : [[piece.line, piece.text]];
    return el("div", { class: "evidence" },
      el("p", null, artefact(record.cell, piece.file, place)),
      el("ol", { class: "lines" }, lines.map(([number, line]) => {
        const cited = number === piece.line;
        return el("li", cited ? { class: "cited" } : null,
          el("span", { class: "no" }, number ? String(number) : "fact"),
          el("span", { class: "text" }, cited ? el("span", { class: "spoken" }, "cited: ") : null, line || " "));
      })));
  };
  const meaning = (name) => {
    const known = name ? common().classes[name] : null;
    if (!known) return [];
    return section(`What ${name} means`, el("p", null, known.meaning),
      pairs([["remedy", known.remedy]]), el("p", null, "Reference: ", reference(known.reference)));
  };
  const SYMBOLS = { passed: "✔", failed: "✘", "not-run": "-" };
  const stages = (record) => {
    if (!record.stages.length) return [];
    const head = ["stage", "ended", "seconds", "what was seen"].map((name) => el("th", { scope: "col" }, name));
    return section("Stages", el("table", null,
      el("caption", { class: "spoken" }, "Stages of the cell in order"),
      el("thead", null, el("tr", null, head)),
      el("tbody", null, record.stages.map(([stage, status, seconds, seen]) => el("tr", null,
        el("th", { scope: "row" }, stage), el("td", { class: "ended" }, `${SYMBOLS[status] ?? ""} ${status}`),
        el("td", { class: "num" }, seconds.toFixed(2)), el("td", null, seen))))));
  };
  const probes = (record) => {
    if (!record.probes.length) return [];
    const head = ["probe", "outcome", "found", "claimed", "what was seen"].map((name) => el("th", { scope: "col" }, name));
    return section("Probes", el("table", null,
      el("caption", { class: "spoken" }, "Probes of the cell in order"),
      el("thead", null, el("tr", null, head)),
      el("tbody", null, record.probes.map(([name, ...rest]) => el("tr", null,
        el("th", { scope: "row" }, name), rest.map((value) => el("td", null, value)))))));
  };
  const pod = (record) => {
    const difference = kept(record.pod);
    if (!difference || !record.compared) return [el("p", null, "No pod was admitted, so there is nothing to compare.")];
    const { changed, added } = difference;
    return [
      changed.length
        ? [el("p", null, "Asked for, but admitted otherwise:"), pairs(changed, "pairs code")]
        : el("p", null, "Everything that was asked for was admitted as it was asked."),
      added.length ? folded(`Added by the server (${added.length})`, pairs(added, "pairs code")) : null,
    ].flat();
  };
  const prediction = (record) => {
    const said = kept(record.prediction);
    if (!said) return null;
    const answer = said.admitted ? "A dry run beforehand was admitted." : `A dry run beforehand was refused: ${said.message}`;
    return [el("p", null, answer), said.warnings.length ? list(said.warnings.map((each) => `warning: ${each}`)) : null];
  };
  const render = (number) => {
    const record = details(number);
    const verdict = `${record.symbol} ${record.seen}`;
    const seconds = record.seconds ? `${record.seconds.toFixed(1)} s from namespace to verdict` : null;
    const seenRows = [
      ["seen", record.seen], ["claimed", record.claim], ["outcome", record.outcome], ["claim from", record.source],
      ["layer", record.layer], ["kind", record.kind], ["surfaced at stage", record.stage], ["reason", record.reason],
      ["could also be", record.candidates.join(", ")], ["earlier tries", record.tries.join(", ")],
      ["provenance", record.provenance], ["role", record.role === "control" ? "control, not counted" : ""], ["took", seconds],
    ].filter(([, value]) => value);
    const builder = [kept(record.about), kept(record.facts), kept(record.node), kept(record.versions)];
    const close = el("button", { type: "button" }, "Close");
    close.addEventListener("click", () => dialog.close());
    byId("cell-body").replaceChildren(
      el("div", { class: "top" }, el("h2", { id: "cell-title", tabindex: "-1" }, record.cell), close),
      el("p", { class: `verdict ${record.style}` }, el("strong", null, verdict), record.against),
      pairs(seenRows),
      ...(record.remarks.length ? section("Remarks", list(record.remarks)) : []),
      ...(record.evidence.length ? section("Evidence", record.evidence.map((piece) => evidence(record, piece))) : []),
      ...meaning(record.class),
      ...stages(record),
      ...probes(record),
      ...(record.command ? section("Run this cell again",
        el("pre", { class: "command", tabindex: "0", "aria-label": "Command that runs this cell again" }, record.command)) : []),
      ...section("The pod", prediction(record), pod(record)),
      ...section("Builder and node",
        ["The builder as it is declared", "What its processes ran under", "The node", "Versions"].map((title, place) =>
          builder[place]?.length ? folded(title, pairs(builder[place])) : null)),
      ...(record.files ? section("Artefacts", list(record.files.map((file) => artefact(record.cell, file, file)))) : []),
    );
  };
  const open = (id) => {
    const number = numbers.get(id);
    if (number === undefined) {
      if (dialog.open) dialog.close();
      return;
    }
    if (dialog.open && dialog.dataset.cell === id) return;
    render(number);
    dialog.dataset.cell = id;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    byId("cell-title").focus();
  };

  // ---- what the page does
  const show = () => {
    const state = read();
    for (const name of [...FIELDS, "q"]) {
      if (form.elements[name].value !== state[name]) form.elements[name].value = state[name];
    }
    filter(state);
    document.dispatchEvent(new CustomEvent("state", { detail: state }));
    open(state.cell);
  };
  const age = () => {
    const since = Date.parse(byId("age")?.dataset.since);
    if (Number.isNaN(since)) return;
    const minutes = Math.round((Date.now() - since) / 60000);
    const [amount, unit] = minutes < 90 ? [minutes, "minute"]
      : minutes < 2880 ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / 1440), "day"];
    byId("age").textContent = `, ${new Intl.RelativeTimeFormat("en").format(-amount, unit)}`;
  };
  let typing = 0;
  byId("at")?.addEventListener("change", (event) => write({ at: event.target.value }));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    if (event.target.name !== "q") write({ [event.target.name]: event.target.value });
  });
  form.addEventListener("input", (event) => {
    if (event.target.name !== "q") return;
    clearTimeout(typing);
    typing = setTimeout(() => write({ q: event.target.value }), 150);
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    write(Object.fromEntries([...FIELDS, "q"].map((name) => [name, ""])));
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const words = Object.fromEntries(new URLSearchParams(link.getAttribute("href").slice(1)));
    if (words.cell) write({ cell: words.cell }, { push: true });
    else if (!link.hasAttribute("data-jump")) write({ ...Object.fromEntries(FIELDS.map((name) => [name, ""])), q: "", ...words });
    if (!words.cell) {
      const target = link.hasAttribute("data-jump") ? byId(link.getAttribute("href").slice(1)) : byId("cells");
      target.scrollIntoView();
      target.focus({ preventScroll: true });
    }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    const number = numbers.get(dialog.dataset.cell);
    delete dialog.dataset.cell;
    if (read().cell) write({ cell: "" });
    if (!document.activeElement || document.activeElement === document.body) {
      document.querySelector(`td[data-n="${number}"] > a`)?.focus();
    }
  });
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
  });
  addEventListener("popstate", show);
  addEventListener("hashchange", show);
  form.hidden = false;
  age();
  show();
})();
