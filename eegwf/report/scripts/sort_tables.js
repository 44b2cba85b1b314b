// Tables of the class `sortable`: a button in each header cell sorts the rows; with `data-filter`, a field filters them.
(() => {
  "use strict";

  const textOf = (cell) => {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll(".interval").forEach((item) => item.remove());
    return copy.textContent.trim();
  };

  const numberOf = (text) => {
    const plain = text.replace(/,(?=\d{3})/g, "").replace(/\u2212/g, "-").replace(/[%\s]+$/, "");
    return /^[-+]?(\d|\.\d)[\d.e+-]*$/i.test(plain) ? Number(plain) : NaN;
  };

  const isMissing = (text) => text === "" || text === "undefined";

  // The value of a cell is its attribute `data-value`, or its text without the interval.
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    return cell ? cell.dataset.value ?? textOf(cell) : "";
  };

  const compareKeys = (keys) => {
    const present = keys.filter((key) => !isMissing(key));
    return present.every((key) => !Number.isNaN(numberOf(key)))
      ? (a, b) => numberOf(a) - numberOf(b)
      : (a, b) => a.localeCompare(b, "en", { numeric: true });
  };

  const sortRows = (table, column, direction) => {
    for (const body of table.tBodies) {
      const rows = [...body.rows].map((row) => ({ row, key: keyOf(row, column) }));
      const compare = compareKeys(rows.map((item) => item.key));
      rows.sort((a, b) => {
        const missing = isMissing(a.key) - isMissing(b.key); // missing values are last in both directions
        return missing || (isMissing(a.key) ? 0 : direction * compare(a.key, b.key));
      });
      body.append(...rows.map((item) => item.row));
    }
  };

  const addButtons = (table) => {
    const headers = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    const sort = (header) => {
      const ascending = header.getAttribute("aria-sort") !== "ascending";
      headers.forEach((item) => item.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sortRows(table, headers.indexOf(header), ascending ? 1 : -1);
    };
    headers.filter((header) => header.textContent.trim()).forEach((header) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...header.childNodes);
      button.addEventListener("click", () => sort(header));
      header.append(button);
    });
  };

  const addFilter = (table) => {
    const label = document.createElement("label");
    const field = document.createElement("input");
    const found = document.createElement("output");
    field.type = "search";
    label.className = "filter";
    label.append(`${table.dataset.filter} `, field, " ", found);
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      });
      const shown = rows.filter((row) => !row.hidden).length;
      found.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
    });
    (table.closest(".scroll") || table).before(label);
  };

  document.querySelectorAll("table.sortable").forEach((table) => {
    if (!table.tHead) return;
    addButtons(table);
    if (table.dataset.filter) addFilter(table);
  });
})();
