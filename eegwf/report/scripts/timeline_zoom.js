// Timelines: a part is enlarged by dragging over it, by keys or by buttons. The ticks and the stated times follow.
(() => {
  "use strict";

  // What is shown has at least 10 s, and 20 of the 1,200 columns of the curve.
  const leastOf = (seconds) => Math.min(Math.max(10, seconds / 60), seconds);
  const NAMESPACE = "http://www.w3.org/2000/svg";

  const element = (name, attributes, text = "") => {
    const made = document.createElementNS(NAMESPACE, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.textContent = text;
    return made;
  };

  // As `nice_step` and `TimeAxis.ticks` of figures_timelines.py.
  const niceStep = (least) => {
    const power = 10 ** Math.floor(Math.log10(least));
    return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * (1 - 1e-9));
  };

  const unitOf = (span) => (span <= 300 ? [1, "s"] : span <= 4 * 3600 ? [60, "min"] : [3600, "h"]);

  const ticksOf = (start, end) => {
    const [unit] = unitOf(end - start);
    const step = niceStep((end - start) / unit / 10) * unit;
    const ticks = [];
    for (let number = Math.ceil(start / step - 1e-9); number * step <= end + 1e-9 * step; number++) {
      ticks.push([number * step, String(Number(((number * step) / unit).toFixed(6)))]);
    }
    return ticks;
  };

  const enlarge = (figure) => {
    const plane = figure.querySelector("svg.plane"), ticks = figure.querySelector("g.ticks");
    const [left, top, width, height] = ["x", "y", "width", "height"].map((name) => Number(plane.getAttribute(name)));
    const seconds = Number(plane.dataset.seconds), least = leastOf(seconds);
    const labelY = top + height + 15;
    const axis = ticks.querySelector("path"), title = ticks.querySelector("text");
    const drawn = figure.querySelector("svg");
    let start = 0, end = seconds;

    const tools = document.createElement("div"), stated = document.createElement("output");
    tools.className = "tools";

    const show = (from, to) => {
      const span = Math.min(Math.max(to - from, least), seconds);
      start = Math.min(Math.max((from + to - span) / 2, 0), seconds - span);
      end = start + span;
      const scale = width / seconds;
      plane.setAttribute("viewBox", `${left + start * scale} ${top} ${span * scale} ${height}`);
      title.textContent = `time (${unitOf(span)[1]})`;
      ticks.replaceChildren(axis, title, ...ticksOf(start, end).flatMap(([time, label]) => {
        const x = left + ((time - start) / span) * width;
        return [
          element("path", { d: `M${x} ${top + height}L${x} ${top + height + 4}`, stroke: "currentColor" }),
          element("text", { x, y: labelY, "text-anchor": "middle", "font-size": 11, fill: "currentColor" }, label),
        ];
      }));
      const whole = span >= seconds;
      stated.value = whole ? "" : `${start.toFixed(1)} s to ${end.toFixed(1)} s`;
      buttons.all.disabled = buttons.less.disabled = whole;
      buttons.earlier.disabled = start <= 0;
      buttons.later.disabled = end >= seconds - 1e-9;
      buttons.more.disabled = span <= least;
      // A button that is disabled loses the focus, and the figure its keys.
      if (document.activeElement.disabled) figure.focus({ preventScroll: true });
    };

    const zoom = (factor) => {
      const middle = (start + end) / 2, half = ((end - start) * factor) / 2;
      show(middle - half, middle + half);
    };
    const move = (fraction) => {
      const span = end - start, from = Math.min(Math.max(start + fraction * span, 0), seconds - span);
      show(from, from + span);
    };
    const all = () => show(0, seconds);
    const actions = { more: () => zoom(0.5), less: () => zoom(2), earlier: () => move(-0.5), later: () => move(0.5), all };
    const labels = { more: "Zoom in", less: "Zoom out", earlier: "Earlier", later: "Later", all: "Whole recording" };
    const buttons = Object.fromEntries(Object.keys(actions).map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = labels[name];
      button.addEventListener("click", actions[name]);
      return [name, button];
    }));

    const keys = { "+": "more", "=": "more", "-": "less", ArrowLeft: "earlier", ArrowRight: "later", Escape: "all" };
    figure.addEventListener("keydown", (event) => {
      if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      actions[keys[event.key]]();
    });

    // The buttons appear with the focus, so that a page of many recordings stays readable.
    figure.tabIndex = 0;
    figure.addEventListener("focusin", () => {
      if (tools.isConnected) return;
      figure.querySelector("figcaption").append(tools);
      show(start, end);
    });
    tools.append(...Object.values(buttons), stated);

    const timeAt = (event) => {
      // Browsers differ in the box of an inner figure, so that its place follows from the outer one.
      const area = drawn.getBoundingClientRect(), scale = area.width / drawn.viewBox.baseVal.width;
      const fraction = ((event.clientX - area.left) / scale - left) / width;
      return start + Math.min(Math.max(fraction, 0), 1) * (end - start);
    };
    const xOf = (time) => left + ((time - start) / (end - start)) * width;
    let from = null;
    const brush = element("rect", { class: "brush", y: top, height, width: 0, x: left });
    const finish = (event, kept) => {
      brush.remove();
      const to = timeAt(event);
      if (kept && from !== null && Math.abs(xOf(to) - xOf(from)) > 3) show(Math.min(from, to), Math.max(from, to));
      from = null;
    };
    drawn.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch" || event.button) return; // touch scrolls
      from = timeAt(event);
      brush.setAttribute("width", 0);
      drawn.append(brush);
      if (event.pointerId) drawn.setPointerCapture(event.pointerId);
      event.preventDefault();
      figure.focus({ preventScroll: true });
    });
    drawn.addEventListener("pointermove", (event) => {
      if (from === null) return;
      const [low, high] = [xOf(from), xOf(timeAt(event))].sort((one, other) => one - other);
      brush.setAttribute("x", low);
      brush.setAttribute("width", high - low);
    });
    drawn.addEventListener("pointerup", (event) => finish(event, true));
    drawn.addEventListener("pointercancel", (event) => finish(event, false));
  };

  document.querySelectorAll("figure.timeline").forEach((figure) => {
    if (figure.querySelector("svg.plane")) enlarge(figure);
  });
})();
