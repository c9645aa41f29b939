"use strict";
// The view across clusters at one level: builders by clusters, side by side, with what differs between them marked.
(() => {
  const chooser = document.getElementById("at");
  if (!chooser) return;
  const index = JSON.parse(document.getElementById("index").textContent);
  const summed = document.getElementById("summed");
  const place = document.getElementById("side-by-side");
  const BROKEN = new Set(["unexpected-support", "unexpected-failure", "wrong-class"]);
  const ALL = "all";
  let shown = ALL;

  const mark = (row) => {
    const [class_, outcome] = [row[4], row[5]];
    if (outcome === "not-run") return { symbol: "-", words: "not run", style: "absent" };
    if (outcome === "inconclusive") return { symbol: "?", words: class_ || "inconclusive", style: "doubtful" };
    return class_ ? { symbol: "✘", words: class_, style: "refused" } : { symbol: "✔", words: "builds", style: "builds" };
  };
  const el = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children.filter(Boolean));
    return node;
  };
  const bare = (level) => level.replace("@latest", "");
  // What most clusters show; null where no answer is in the majority, so that none of them is the odd one.
  const usual = (marks) => {
    const counts = new Map();
    for (const each of marks) counts.set(each.words, (counts.get(each.words) ?? 0) + 1);
    const [words, count] = [...counts].sort((one, other) => other[1] - one[1])[0];
    return count * 2 > marks.length ? words : null;
  };
  const cell = (row, common, differ) => {
    if (!row) return el("td", {}, el("span", { class: "none" }, "not planned"));
    const seen = mark(row);
    const odd = differ && common !== null && seen.words !== common;
    const broken = BROKEN.has(row[5]);
    const notes = [broken ? "≠ claimed" : "", odd ? "differs" : ""].filter(Boolean).join(", ");
    return el("td", { class: `${seen.style}${broken ? " broken" : ""}${odd ? " odd" : ""}` },
      el("a", { href: `#${new URLSearchParams({ cell: row[0] })}` },
        el("b", { "aria-hidden": "true" }, seen.symbol), ` ${seen.words} `, notes && el("small", {}, notes)));
  };
  const table = (level) => {
    const rows = index.filter((row) => row[6] && row[2] === level);
    const clusters = [...document.querySelectorAll("#by-cluster option")].map((each) => each.value)
      .filter((name) => rows.some((row) => row[1] === name));
    const builders = new Map();
    for (const row of rows) {
      if (!builders.has(row[3])) builders.set(row[3], new Map());
      builders.get(row[3]).set(row[1], row);
    }
    const body = [...builders].sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, on]) => {
      const marks = [...on.values()].map(mark);
      const differ = new Set(marks.map((each) => each.words)).size > 1;
      return el("tr", differ ? { class: "differs" } : {},
        el("th", { scope: "row" }, name, differ && el("small", {}, "differs between clusters")),
        ...clusters.map((cluster) => cell(on.get(cluster), usual(marks), differ)));
    });
    return el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": `Clusters side by side at ${bare(level)}` },
      el("table", { class: "side" },
        el("caption", {}, `Builders on each cluster at ${bare(level)}; “differs” marks what is not as on most clusters`),
        el("thead", {}, el("tr", {}, ...["builder", ...clusters].map((name) => el("th", { scope: "col" }, name)))),
        el("tbody", {}, ...body)));
  };
  const show = (level) => {
    const levels = [...chooser.options].map((option) => option.value);
    // Of a single level there is nothing to sum up.
    const known = levels.includes(level) ? level : levels.length === 2 ? levels[1] : ALL;
    if (chooser.value !== known) chooser.value = known;
    summed.hidden = known !== ALL;
    if (known !== shown) place.replaceChildren(...(known === ALL ? [] : [table(known)]));
    shown = known;
  };
  chooser.closest("form").hidden = false;
  document.addEventListener("state", (event) => show(event.detail.at));
})();
