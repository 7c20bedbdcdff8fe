for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const goesUp = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", goesUp ? "ascending" : "descending");
      const key = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
      const isNumber = head.classList.contains("n");
      const rows = [...table.tBodies[0].rows].map((row, place) => [key(row), place, row]);
      rows.sort(([a, i], [b, j]) => {
        if (a === "" || b === "") return (a === "") - (b === "") || i - j;
        const order = isNumber ? a - b : a.localeCompare(b);
        return (goesUp ? order : -order) || i - j;
      });
      table.tBodies[0].append(...rows.map(([, , row]) => row));
    });
  });
}
