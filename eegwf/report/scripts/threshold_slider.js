// The section on the threshold: a slider that looks up the scores which Python computed for each threshold of a grid.
(() => {
  "use strict";

  const source = document.getElementById("threshold-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const find = (name) => document.getElementById(`threshold-${name}`);
  const [panel, slider, output, choice] = ["panel", "slider", "value", "choice"].map(find);
  const WIDTH = 340;

  const draw = (parent, name, attributes, text) => {
    const item = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => item.setAttribute(key, value));
    if (text !== undefined) item.textContent = text;
    parent.append(item);
    return item;
  };

  const canvas = (name, height) =>
    draw(find(name), "svg", { role: "img", viewBox: `0 0 ${WIDTH} ${height}`, style: `width: ${WIDTH}px`, class: "plot" });

  const diamond = (parent, x, y) =>
    draw(parent, "path", { d: `M${x - 5},${y}l5,-5l5,5l-5,5z`, class: "chosen" });

  const median = (values) => {
    const sorted = [...values].sort((a, b) => a - b);
    const half = Math.floor(sorted.length / 2);
    return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  };

  // Positions of the dots of the patients with windows of a kind: 0 positive (sensitivity), 1 negative (specificity).
  const KINDS = ["sensitivity", "specificity"];
  const members = KINDS.map((_, kind) => data.patients.map((_, n) => n).filter((n) => data.totals[kind][n] > 0));
  const shares = (counts, kind) => members[kind].map((n) => counts[kind][n] / data.totals[kind][n]);
  const LEFT = 84, RIGHT = WIDTH - 14, BAND = 62;
  const at = (share) => LEFT + share * (RIGHT - LEFT);

  const patientPlot = () => {
    const svg = canvas("patients", 2 * BAND + 36);
    const bottom = 2 * BAND + 8;
    [0, 0.25, 0.5, 0.75, 1].forEach((tick) => {
      draw(svg, "line", { x1: at(tick), x2: at(tick), y1: 4, y2: bottom, class: "grid" });
      draw(svg, "text", { x: at(tick), y: bottom + 16, "text-anchor": "middle" }, String(tick));
    });
    const rows = KINDS.map((kind, row) => {
      const middle = row * BAND + BAND / 2 + 4;
      draw(svg, "text", { x: 0, y: middle + 4 }, kind);
      const dots = members[row].map((n, place) => {
        // The golden ratio spreads neighbors over the height of the band.
        const y = middle + (((place * 0.618) % 1) - 0.5) * (BAND - 22);
        const dot = draw(svg, "circle", { cy: y, r: 3.5, class: "dot" });
        return { dot, title: draw(dot, "title", {}) };
      });
      const line = draw(svg, "line", { y1: middle - BAND / 2 + 6, y2: middle + BAND / 2 - 6, class: "median" });
      if (dots.length) diamond(svg, at(median(shares(data.reference, row))), middle);
      else draw(svg, "text", { x: at(0.5), y: middle + 4, "text-anchor": "middle" }, "no such window");
      line.style.display = dots.length ? "" : "none";
      return { dots, line };
    });
    return (index) => {
      const counts = data.correct[index];
      const words = rows.map(({ dots, line }, kind) => {
        if (!dots.length) return `${KINDS[kind]} undefined`;
        const values = shares(counts, kind);
        dots.forEach(({ dot, title }, place) => {
          const n = members[kind][place];
          dot.setAttribute("cx", at(values[place]));
          title.textContent = `${data.patients[n]}: ${counts[kind][n]} of ${data.totals[kind][n]} windows`;
        });
        line.setAttribute("x1", at(median(values)));
        line.setAttribute("x2", at(median(values)));
        const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)].map((v) => v.toFixed(3));
        return `${KINDS[kind]} of ${values.length} patients from ${low} to ${high}, median ${middle}`;
      });
      svg.setAttribute("aria-label", `At the threshold ${data.thresholds[index]}: ${words.join("; ")}.`);
    };
  };

  const eventPlot = () => {
    const svg = canvas("events", 200);
    const [left, right, top, bottom] = [36, WIDTH - 14, 8, 162];
    const most = Math.max(...data.events.map((point) => point[0]), data.point ? data.point[0] : 0) || 1;
    const x = (rate) => left + (rate / most) * (right - left);
    const y = (sensitivity) => bottom - sensitivity * (bottom - top);
    [0, 0.5, 1].forEach((tick) => {
      draw(svg, "line", { x1: left, x2: right, y1: y(tick), y2: y(tick), class: "grid" });
      draw(svg, "text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, String(tick));
      draw(svg, "text", { x: x(tick * most), y: bottom + 15, "text-anchor": "middle" }, (tick * most).toPrecision(2));
    });
    draw(svg, "text", { x: (left + right) / 2, y: 194, "text-anchor": "middle" }, "false alarms per hour");
    const path = data.events.map((point) => `${x(point[0])},${y(point[1])}`).join(" ");
    draw(svg, "polyline", { points: path, class: "curve" });
    if (data.point) diamond(svg, x(data.point[0]), y(data.point[1]));
    const dot = draw(svg, "circle", { r: 5, class: "dot" });
    return (index) => {
      dot.setAttribute("cx", x(data.events[index][0]));
      dot.setAttribute("cy", y(data.events[index][1]));
      const [sensitivity, rate] = data.values[index].slice(2);
      svg.setAttribute("aria-label", `Sensitivity for events ${sensitivity} at ${rate} false alarms per hour.`);
    };
  };

  const fill = (table, row, column, text) => {
    find(table).tBodies[0].rows[row].cells[column].textContent = text;
  };

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const plots = [patientPlot()];
  if (find("events") && data.events.length) plots.push(eventPlot());
  else if (find("events")) find("events").closest("figure").remove();

  const show = (index) => {
    output.textContent = data.thresholds[index];
    data.values[index].forEach((text, row) => fill("scores", row, 1, text));
    data.totals.forEach((totals, kind) => {
      const correct = sum(data.correct[index][kind]);
      const counts = [correct, sum(totals) - correct];
      // Correct windows are above the threshold in the first row, and not above it in the second.
      (kind ? counts.reverse() : counts).forEach((count, n) => fill("windows", kind, n + 1, count.toLocaleString("en")));
    });
    slider.setAttribute("aria-valuetext", `${data.thresholds[index]}, ${data.values[index].slice(0, 2).join(" and ")}`);
    plots.forEach((update) => update(index));
    if (choice) {
      choice.value = String(index);
      if (choice.selectedIndex < 0) choice.value = "";
    }
  };

  slider.addEventListener("input", () => show(Number(slider.value)));
  if (choice) {
    choice.addEventListener("change", () => {
      if (choice.value === "") return;
      slider.value = choice.value;
      show(Number(choice.value));
    });
  }
  show(Number(slider.value));
  panel.hidden = false;
})();
