"use strict";
// Shows the reports that stand in the page as data.  Whatever comes from them is set as text, never as markup; what is
// long is shown a piece at a time, so that thousands of files do not hold the page up.
(() => {
  const PIECE = 200;
  const VERDICTS = ["forbidden", "malformed", "incomplete", "not a pickle", "pass"];
  const byId = (id) => document.getElementById(id);
  const files = [...document.querySelectorAll("script.report")].map((block) => JSON.parse(block.textContent));
  const state = { words: "", verdict: "", file: null, picture: 0 };

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const tag = (text) => make("span", "tag " + text.replaceAll(" ", "-"), text);
  const matches = (text) => state.words === "" || text.includes(state.words);
  const has = (file) => state.words === "" || textOf(file).includes(state.words);
  const GRADES = ["dangerous", "unknown", "refused", "granted"];

  // What is searched of a file, put together when somebody searches: its objects too.
  const textOf = (file) => {
    if (file.text === undefined) {
      const said = file.findings.map((found) => [found.message, found.rule, found.grade, found.reason].join(" "));
      const parts = [file.source, file.verdict, ...file.capabilities.map((found) => found.name), ...said];
      for (const picture of file.pictures) {
        parts.push(picture.stream, picture.root);
        for (const node of picture.nodes) for (const item of node.items) parts.push(item[0], item[1]);
      }
      file.text = parts.join("\n").toLowerCase();
    }
    return file.text;
  };
  for (const file of files) {
    file.order = VERDICTS.indexOf(file.verdict);
    file.errors = file.findings.reduce((sum, found) => sum + found.count, 0) + file.more_findings;
    file.dangers = file.findings.filter((found) => found.grade === "dangerous").length;
  }

  // All capabilities of all files, a row for each name.
  const names = new Map();
  files.forEach((file) => {
    for (const capability of file.capabilities) {
      let row = names.get(capability.name);
      if (!row) {
        row = { name: capability.name, grade: "granted", reason: "", uses: {}, count: 0, files: [], kinds: new Map() };
        names.set(capability.name, row);
      }
      if (GRADES.indexOf(capability.grade) < GRADES.indexOf(row.grade)) row.grade = capability.grade;
      row.reason = row.reason || capability.reason || "";
      row.files.push(file);
      for (const [verb, count] of Object.entries(capability.uses)) {
        row.uses[verb] = (row.uses[verb] || 0) + count;
        row.count += count;
      }
      for (const [kinds, count] of capability.arguments) row.kinds.set(kinds, (row.kinds.get(kinds) || 0) + count);
    }
  });
  const capabilities = [...names.values()].map((row) => ({
    ...row,
    order: GRADES.indexOf(row.grade),
    verbs: Object.entries(row.uses).map(([verb, count]) => verb + " " + count + "\u00d7").join(", "),
    taken: [...row.kinds].slice(0, 6).map(([kinds, count]) => "(" + kinds + ") " + count + "\u00d7").join(", "),
    text: (row.name + " " + row.grade + " " + row.reason).toLowerCase(),
  }));

  // A table that is sorted by clicking on its head, and shows its rows a piece at a time.
  const table = (place, columns, rows, row, first) => {
    const whole = make("table");
    const head = whole.createTHead().insertRow();
    const body = whole.createTBody();
    const more = make("div", "more");
    let by = first;
    let down = false;
    let shown = PIECE;
    const cells = columns.map((column) => {
      const cell = make("th");
      cell.scope = "col";
      const button = make("button", "", column.title);
      button.addEventListener("click", () => {
        down = by === column ? !down : Boolean(column.down);
        by = column;
        draw();
      });
      cell.append(button);
      head.append(cell);
      return cell;
    });
    const draw = () => {
      cells.forEach((cell, index) => {
        const sorted = columns[index] === by ? (down ? "descending" : "ascending") : "none";
        cell.setAttribute("aria-sort", sorted);
        const arrow = { none: "", ascending: " \u25b4", descending: " \u25be" }[sorted];
        cell.firstChild.textContent = columns[index].title + arrow;
      });
      const key = by.key;
      const found = rows().map((each) => [key(each), each]);
      found.sort(([a], [b]) => (typeof a === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1));
      body.replaceChildren(...found.slice(0, shown).map(([, each]) => row(each)));
      more.replaceChildren();
      if (found.length > shown) {
        const button = make("button", "", "Show more (" + (found.length - shown) + " are left)");
        button.addEventListener("click", () => { shown += PIECE; draw(); });
        more.append(button);
      }
      if (!found.length) more.append(make("span", "soft", "Nothing here."));
    };
    const scroll = make("div", "card scroll");
    scroll.append(whole, more);
    place.replaceChildren(scroll);
    return () => { shown = PIECE; draw(); };
  };

  const cell = (row, content, className) => {
    const made = row.insertCell();
    if (className) made.className = className;
    made.append(content);
    return made;
  };

  const FILE_COLUMNS = [
    { title: "Verdict", key: (file) => file.order },
    { title: "File", key: (file) => file.source },
    { title: "Dangerous", key: (file) => file.dangers, down: true },
    { title: "Findings", key: (file) => file.errors, down: true },
    { title: "Names", key: (file) => file.names, down: true },
    { title: "Bytes", key: (file) => file.size, down: true },
  ];
  const fileRow = (file) => {
    const row = make("tr", "pick" + (file === state.file ? " chosen" : ""));
    row.tabIndex = 0;
    cell(row, tag(file.verdict));
    cell(row, make("span", "mono", file.source));
    for (const count of [file.dangers, file.errors, file.names, file.size]) {
      cell(row, count.toLocaleString("en"), "number");
    }
    const choose = () => { choosing(file); };
    row.addEventListener("click", choose);
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(); });
    return row;
  };
  const drawFiles = table(byId("files"), FILE_COLUMNS,
    () => files.filter((file) => (!state.verdict || file.verdict === state.verdict) && has(file)),
    fileRow, FILE_COLUMNS[0]);

  const NAME_COLUMNS = [
    { title: "Judged", key: (row) => row.order },
    { title: "Name", key: (row) => row.name },
    { title: "Uses", key: (row) => row.count, down: true },
    { title: "Arguments", key: (row) => row.taken },
    { title: "Files", key: (row) => row.files.length, down: true },
  ];
  const nameRow = (found) => {
    const row = make("tr");
    cell(row, tag(found.grade));
    const named = cell(row, make("code", "", found.name));
    if (found.reason) named.append(make("div", "soft", found.reason));
    cell(row, found.verbs);
    cell(row, make("span", "mono", found.taken));
    const count = cell(row, "", "number");
    const button = make("button", "", found.files.length.toLocaleString("en"));
    button.title = "Show a file that uses it";
    button.addEventListener("click", () => choosing(found.files[0]));
    count.append(button);
    return row;
  };
  const drawNames = table(byId("capabilities"), NAME_COLUMNS, () => capabilities.filter((row) => matches(row.text)),
    nameRow, NAME_COLUMNS[0]);

  // The chosen file.
  const choosing = (file) => {
    state.file = file;
    state.picture = 0;
    drawFiles();
    drawFile();
    byId("file").scrollIntoView({ block: "nearest" });
  };

  const drawFile = () => {
    const place = byId("file");
    const file = state.file;
    if (!file) { place.replaceChildren(); return; }
    const title = make("h2", "", "");
    title.append(tag(file.verdict), " ", make("span", "mono", file.source));
    place.replaceChildren(title);
    if (file.sha256) place.append(make("div", "soft mono", "sha256 " + file.sha256));
    if (file.findings.length) place.append(findings(file));
    if (file.pictures.length) place.append(...objects(file));
    else place.append(make("p", "soft", file.no_pictures || "No whole pickle was found in it: no objects to show."));
  };

  const findings = (file) => {
    const card = make("div", "card scroll");
    const list = make("table");
    const body = list.createTBody();
    for (const found of file.findings) {
      const row = body.insertRow();
      const marks = cell(row, tag(found.grade || found.severity));
      if (found.known) marks.append(" ", tag("known"));
      const said = cell(row, make("div", "message", found.message));
      if (found.reason) said.append(make("div", "soft", found.reason));
      said.append(make("div", "soft mono", [found.place, found.rule, found.verbs].filter(Boolean).join(" \u00b7 ")));
    }
    card.append(list);
    const left = file.more_findings;
    if (left) card.append(make("div", "more soft", left + " more, which the other formats have"));
    return card;
  };

  const objects = (file) => {
    const made = [];
    const picture = file.pictures[state.picture];
    if (file.pictures.length > 1) {
      const choice = make("select");
      choice.setAttribute("aria-label", "Pickle");
      file.pictures.forEach((each, index) => {
        const option = make("option", "", (each.stream ? each.stream + ", " : "") + "byte " + each.start);
        option.value = index;
        option.selected = index === state.picture;
        choice.append(option);
      });
      choice.addEventListener("change", () => { state.picture = Number(choice.value); drawFile(); });
      made.push(choice);
    }
    if (file.no_pictures) made.push(make("p", "soft", file.no_pictures));
    const grades = new Map(file.capabilities.map((found) => [found.name, found.grade]));
    if (picture.links.length) {
      made.push(make("h2", "", "What is built from what"), graph(picture, grades));
    }
    made.push(make("h2", "", "Objects" + (picture.whole ? "" : " (not all of them)")), tree(picture, grades));
    return made;
  };

  // The object tree.  An object that several others hold is shown under the first of them.
  const tree = (picture, grades) => {
    const list = make("ul", "tree card mono");
    const home = new Map([[0, -1]]);
    picture.nodes.forEach((node, number) => {
      for (const [, item] of node.items) if (typeof item === "number" && !home.has(item)) home.set(item, number);
    });
    const shared = new Map();
    picture.nodes.forEach((node) => {
      for (const [, item] of node.items) if (typeof item === "number") shared.set(item, (shared.get(item) || 0) + 1);
    });
    const entry = (label, item, parent, depth) => {
      const line = make("li");
      const named = (place) => { if (label) place.append(make("span", "label", label + ": ")); };
      if (typeof item === "string") {
        named(line);
        line.append(make("span", "leaf", item));
        return line;
      }
      const node = picture.nodes[item];
      const title = (place) => {
        named(place);
        const words = { call: "", new: "new ", name: "the name " }[node.kind];
        if (node.name) {
          place.append((words || "") + "", make("span", "tag " + (grades.get(node.name) || ""), node.name));
        } else {
          place.append(node.kind + (node.size ? " of " + node.size.toLocaleString("en") : " (empty)"));
        }
        if (shared.get(item) > 1) place.append(make("span", "soft", " #" + item));
      };
      if (home.get(item) !== parent) {
        named(line);
        line.append(make("span", "soft", "see #" + item + " " + (node.name || node.kind)));
        return line;
      }
      home.set(item, -2); // once: the same object may be there twice
      if (!node.items.length && !node.more) { title(line); return line; }
      const details = make("details");
      const summary = make("summary");
      title(summary);
      details.append(summary);
      const fill = () => {
        if (details.childElementCount > 1) return;
        const inner = make("ul");
        for (const [inside, each] of node.items) inner.append(entry(inside, each, item, depth + 1));
        if (node.more) inner.append(make("li", "soft", "... and " + node.more.toLocaleString("en") + " more"));
        details.append(inner);
      };
      fill();
      details.open = depth < 3;
      line.append(details);
      return line;
    };
    list.append(picture.root ? entry("", picture.root, -1, 0) : entry("", 0, -1, 0));
    mark(list, ".tag, .leaf, .label");
    return list;
  };

  const mark = (place, selector) => {
    for (const each of place.querySelectorAll(selector)) {
      const hit = state.words !== "" && each.textContent.toLowerCase().includes(state.words);
      each.classList.toggle("hit", hit);
      if (!hit) continue;
      for (let up = each.parentElement; up && up !== place; up = up.parentElement) {
        if (up.localName === "details") up.open = true;
      }
    }
  };

  // The graph: names in columns, each to the right of what it is part of.
  const SVG = "http://www.w3.org/2000/svg";
  const draw = (tag, attributes, text) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const MOST_DRAWN = 60;
  const LONGEST = 34;
  const graph = (picture, grades) => {
    const links = picture.links.filter(([from, to]) => from < MOST_DRAWN && to < MOST_DRAWN);
    const used = new Set(links.flatMap(([from, to]) => [from, to]));
    const after = new Map([...used].map((name) => [name, []]));
    for (const [from, to] of links) if (from !== to) after.get(from).push(to);
    const column = new Map();
    const path = new Set();
    const place = (first) => { // the longest way from the pickle; what leads back is left out of account
      const waiting = [[first, 0]];
      while (waiting.length) {
        const [name, step] = waiting[waiting.length - 1];
        path.add(name);
        const next = after.get(name)[step];
        if (next === undefined) { waiting.pop(); path.delete(name); continue; }
        waiting[waiting.length - 1][1] += 1;
        const at = column.get(name) + 1;
        if (!path.has(next) && (column.get(next) === undefined || column.get(next) < at) && at <= used.size) {
          column.set(next, at);
          waiting.push([next, 0]);
        }
      }
    };
    for (const name of [...used].sort((a, b) => a - b)) if (!column.has(name)) { column.set(name, 0); place(name); }
    const steps = [...new Set(column.values())].sort((a, b) => a - b);
    for (const [name, at] of column) column.set(name, steps.indexOf(at));
    const columns = [];
    for (const name of used) (columns[column.get(name)] = columns[column.get(name)] || []).push(name);
    const row = new Map();
    columns.forEach((inside) => inside.forEach((name, index) => row.set(name, index)));
    for (let sweep = 0; sweep < 4; sweep += 1) {
      columns.forEach((inside) => {
        const middle = (name) => {
          const near = links.filter(([from, to]) => (from === name) !== (to === name));
          const sum = near.reduce((total, [from, to]) => total + row.get(from === name ? to : from), 0);
          return near.length ? sum / near.length : row.get(name);
        };
        const ordered = inside.map((name) => [middle(name), name]).sort((a, b) => a[0] - b[0]);
        ordered.forEach(([, name], index) => row.set(name, index));
        inside.sort((a, b) => row.get(a) - row.get(b));
      });
    }
    const title = (name) => (name < 0 ? "the pickle" : picture.names[name]);
    const short = (text) => (text.length > LONGEST ? "\u2026" + text.slice(text.length - LONGEST + 1) : text);
    const widths = columns.map((inside) => Math.max(...inside.map((name) => short(title(name)).length)) * 7.4 + 20);
    const lefts = widths.map((_, index) => 12 + widths.slice(0, index).reduce((sum, width) => sum + width + 70, 0));
    const tallest = Math.max(...columns.map((inside) => inside.length));
    const width = lefts[lefts.length - 1] + widths[widths.length - 1] + 12;
    const height = tallest * 40 + 16;
    const picked = draw("svg", { viewBox: "0 0 " + width + " " + height, role: "img", class: "graph" });
    picked.style.width = width + "px";
    picked.append(draw("title", {}, "What is built from what"));
    const box = (name) => {
      const at = column.get(name);
      const count = columns[at].length;
      return { left: lefts[at], width: widths[at], top: 8 + (height - 16 - count * 40) / 2 + row.get(name) * 40 + 5 };
    };
    const lines = links.map(([from, to, count]) => {
      const [a, b] = [box(from), box(to)];
      const [x1, y1, x2, y2] = [a.left + a.width, a.top + 15, b.left, b.top + 15];
      const bend = from === to || x2 <= x1 ? 60 : (x2 - x1) / 2;
      const curve = ["M", x1, y1, "C", x1 + bend, y1, x2 - bend, y2, x2, y2].join(" ");
      const line = draw("path", { d: curve });
      line.append(draw("title", {}, title(from) + " has " + count + "\u00d7 " + title(to)));
      picked.append(line);
      return [from, to, line];
    });
    for (const name of used) {
      const at = box(name);
      const group = draw("g", { class: name < 0 ? "root" : grades.get(picture.names[name]) || "" });
      group.append(draw("title", {}, title(name)));
      group.append(draw("rect", { x: at.left, y: at.top, width: at.width, height: 30, rx: 6 }));
      group.append(draw("text", { x: at.left + 10, y: at.top + 20 }, short(title(name))));
      const near = (on) => {
        for (const [from, to, line] of lines) line.classList.toggle("near", on && (from === name || to === name));
      };
      group.addEventListener("mouseenter", () => near(true));
      group.addEventListener("mouseleave", () => near(false));
      if (state.words !== "" && title(name).toLowerCase().includes(state.words)) group.classList.add("hit");
      picked.append(group);
    }
    const card = make("div", "card");
    const scroll = make("div", "scroll");
    scroll.append(picked);
    card.append(scroll);
    const left = picture.names.length - used.size + (used.has(-1) ? 1 : 0);
    if (left > 0) card.append(make("div", "more soft", left + " more names are not drawn"));
    return card;
  };

  // What can be chosen.
  const counts = byId("verdicts");
  for (const verdict of VERDICTS) {
    const count = files.filter((file) => file.verdict === verdict).length;
    if (!count) continue;
    const button = make("button", "", "");
    button.append(tag(verdict), " " + count.toLocaleString("en"));
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      state.verdict = state.verdict === verdict ? "" : verdict;
      for (const each of counts.children) {
        each.setAttribute("aria-pressed", String(each === button && state.verdict !== ""));
      }
      drawFiles();
    });
    counts.append(button);
  }
  let waiting = 0;
  byId("search").addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      state.words = event.target.value.trim().toLowerCase();
      drawFiles();
      drawNames();
      drawFile();
    }, 120);
  });
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const wanted = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    root.dataset.theme = (root.dataset.theme || wanted) === "dark" ? "light" : "dark";
  });
  state.file = [...files].sort((a, b) => a.order - b.order || b.dangers - a.dangers)[0] || null;
  drawFiles();
  drawNames();
  drawFile();
  document.documentElement.dataset.ready = "yes";
})();
