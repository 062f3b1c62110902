(() => {
  const root = document.documentElement;
  const speak = (language) => {
    root.lang = language;
    for (const button of document.querySelectorAll("[data-speak]"))
      button.setAttribute("aria-pressed", String(button.dataset.speak === language));
    const format = new Intl.NumberFormat(language);
    for (const one of document.querySelectorAll("[data-n]")) one.textContent = format.format(Number(one.dataset.n));
  };
  let language = (navigator.language || "en").toLowerCase().startsWith("ru") ? "ru" : "en";
  if (location.hash === "#ru" || location.hash === "#en") language = location.hash.slice(1);
  speak(language);
  for (const button of document.querySelectorAll("[data-speak]"))
    button.addEventListener("click", () => speak(button.dataset.speak));

  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.v !== undefined ? Number(cell.dataset.v) : cell.textContent.trim();
  };
  const order = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "ru", { numeric: true });
  const sort = (heading) => {
    const body = heading.closest("table").tBodies[0];
    const down = heading.getAttribute("aria-sort") !== "descending";
    for (const one of heading.parentNode.cells) if (one.hasAttribute("aria-sort")) one.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const column = heading.cellIndex;
    const rows = [...body.rows].sort((a, b) => (down ? -1 : 1) * order(value(a, column), value(b, column)));
    body.append(...rows);
  };
  for (const heading of document.querySelectorAll("table.sortable th:not(.fixed)")) {
    heading.setAttribute("aria-sort", "none");
    heading.tabIndex = 0;
    heading.addEventListener("click", () => sort(heading));
    heading.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      sort(heading);
    });
  }
})();
