"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const value = (row, index) => {
    const cell = row.cells[index];
    const text = cell.dataset.value || cell.textContent.trim();
    const plain = text.replace(/^(under|over|at least) /, "").replace(/[, %]/g, "");
    return /^\d+$/.test(plain) ? Number(plain) : text;
  };
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [value(row, head.cellIndex), row]);
      rows.sort(([left], [right]) =>
        typeof left === "number" && typeof right === "number"
          ? left - right
          : String(left) < String(right) ? -1 : String(left) > String(right) ? 1 : 0);
      if (descending) rows.reverse();
      body.append(...rows.map(([, row]) => row));
    });
  }
  if (table.dataset.filter && body.rows.length > 3) {
    const input = document.createElement("input");
    input.type = "search";
    input.className = "filter";
    input.placeholder = "Filter by page, route or cause";
    input.setAttribute("aria-label", "Filter the incidents by page, route or cause");
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      for (const row of body.rows) {
        const hidden = !row.textContent.toLowerCase().includes(wanted);
        row.hidden = hidden;
        const detail = row.dataset.for && document.getElementById(row.dataset.for);
        if (detail) detail.hidden = hidden;
      }
    });
    table.parentElement.before(input);
  }
}
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
