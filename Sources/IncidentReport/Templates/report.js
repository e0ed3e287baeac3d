"use strict";
const make = (name, type, text) => {
  const element = document.createElement(name);
  element.className = type;
  element.textContent = text;
  if (name === "button") element.type = "button";
  return element;
};

// Copies the lines of a fix.
for (const pre of document.querySelectorAll(".snippet pre")) {
  const button = make("button", "plain", "Copy");
  button.setAttribute("aria-label", "Copy the lines for " + pre.parentElement.querySelector(".server").textContent);
  button.addEventListener("click", async () => {
    let copied = false;
    try {
      await navigator.clipboard.writeText(pre.textContent);
      copied = true;
    } catch {
      // Some browsers keep the clipboard from a page that is a file: what is marked can be copied by hand.
      getSelection().selectAllChildren(pre);
      copied = document.execCommand("copy");
    }
    button.textContent = copied ? "Copied" : "Marked: press Ctrl+C";
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  });
  pre.before(button);
}

// Sorts a table by the column whose head is pressed.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const value = (row, index) => {
    const cell = row.cells[index];
    const text = cell.dataset.value || cell.textContent.trim();
    const plain = text.replace(/^(under|over|at least) /, "").replace(/[, %]/g, "");
    return /^\d+$/.test(plain) ? Number(plain) : text;
  };
  for (const head of table.tHead.rows[0].cells) {
    const button = make("button", "", head.textContent);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      // Numbers are looked at from the largest down, names from the first on.
      const isNumber = head.classList.contains("n") && head.cellIndex > 0;
      const now = head.getAttribute("aria-sort");
      const descending = now ? now === "ascending" : isNumber;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [value(row, head.cellIndex), row]);
      const sign = descending ? -1 : 1;
      rows.sort(([left], [right]) =>
        sign * (typeof left === "number" && typeof right === "number"
          ? left - right
          : String(left) < String(right) ? -1 : String(left) > String(right) ? 1 : 0));
      body.append(...rows.map(([, row]) => row));
    });
  }
}

// Narrows the incidents to those that hold a text.
let unfilter = () => {};
const index = document.querySelector("table[data-filter]");
if (index) {
  const rows = [...index.tBodies[0].rows];
  const tools = make("div", "tools", "");
  const input = make("input", "", "");
  const found = make("span", "", "");
  const fold = make("button", "plain", "Show all evidence");
  input.type = "search";
  input.placeholder = "Filter by cause, page or route";
  input.setAttribute("aria-label", "Filter the incidents by cause, page or route");
  found.setAttribute("role", "status");
  const filter = () => {
    const wanted = input.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const isFound = row.textContent.toLowerCase().includes(wanted);
      if (isFound) count += 1;
      row.hidden = !isFound;
      const detail = row.dataset.for && document.getElementById(row.dataset.for);
      if (detail) detail.hidden = !isFound;
    }
    found.textContent = wanted ? count + " of " + rows.length + " incidents" : "";
  };
  input.addEventListener("input", filter);
  unfilter = () => {
    input.value = "";
    filter();
  };
  fold.addEventListener("click", () => {
    const opens = fold.textContent.startsWith("Show");
    for (const part of document.querySelectorAll(".incident .evidence")) part.open = opens;
    fold.textContent = opens ? "Hide all evidence" : "Show all evidence";
  });
  if (rows.length > 3) tools.append(input, found);
  tools.append(fold);
  index.before(tools);
}

// A link to an incident leads there although it is filtered away or folded.
const follow = () => {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (!target) return;
  if (target.hidden) unfilter();
  for (const part of target.querySelectorAll(":scope > .evidence")) part.open = true;
  target.scrollIntoView();
  if (target.tabIndex === -1) target.focus({ preventScroll: true });
};
addEventListener("hashchange", follow);
follow();

addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll(".evidence")) part.open = true;
});
