// A button replaces the drawing of a stretch of EEG by a view with gain, zoom, filters and montage.
(() => {
  "use strict";

  const block = document.getElementById("eeg-data");
  if (!block || !("DecompressionStream" in window)) return;
  const entries = JSON.parse(block.textContent);
  const LEFT = 76, RIGHT = 60, TOP = 6, BOTTOM = 24, BAR = 7, GRAPH = 40, MISSING = -32768;
  const GAINS = [0.1, 0.2, 0.35, 0.5, 0.7, 1, 1.4, 2, 3, 5, 10];
  const STUDY = "as in the study"; // name of the montage
  // As in shown_relevance.py.
  const INCREASES = "rgb(217 119 6)", DECREASES = "rgb(37 99 235)", OPACITY = 190 / 255;
  const HIGH_PASS = [0, 0.5, 1, 2, 5], LOW_PASS = [0, 15, 30, 50, 70];
  // The longitudinal bipolar montage, and present names of electrodes by their older ones.
  const CHAINS = ["fp1 f7 t3 t5 o1", "fp1 f3 c3 p3 o1", "fz cz pz", "fp2 f4 c4 p4 o2", "fp2 f8 t4 t6 o2"];
  const OLDER = { t7: "t3", t8: "t4", p7: "t5", p8: "t6" };

  // Low bytes, then high bytes, of the differences of consecutive samples, modulo 65536.
  const unpack = async (entry) => {
    const bytes = Uint8Array.from(atob(entry.data), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const planes = new Uint8Array(await new Response(stream).arrayBuffer());
    const half = planes.length / 2, nTimes = half / entry.channels.length;
    return entry.channels.map((_, row) => {
      const channel = new Float32Array(nTimes);
      let value = 0;
      for (let time = 0; time < nTimes; time++) {
        const place = row * nTimes + time;
        value = ((value + planes[place] + 256 * planes[half + place]) << 16) >> 16;
        channel[time] = value === MISSING ? NaN : value * entry.step;
      }
      return channel;
    });
  };

  // Butterworth filter of second order.
  const coefficients = (kind, edge, sfreq) => {
    const angle = (2 * Math.PI * edge) / sfreq, cosine = Math.cos(angle), alpha = Math.sin(angle) / Math.SQRT2;
    const sum = kind === "low" ? 1 - cosine : 1 + cosine, sign = kind === "low" ? 1 : -1;
    return [sum / 2, sign * sum, sum / 2, -2 * cosine, 1 - alpha].map((value) => value / (1 + alpha));
  };

  const pass = (values, [b0, b1, b2, a1, a2], kind) => {
    const level = values[0];
    let x1 = 0, x2 = 0, y1 = 0, y2 = 0;
    return values.map((value) => {
      const x = value - level, y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2;
      [x2, x1, y2, y1] = [x1, x, y1, y];
      return kind === "low" ? y + level : y;
    });
  };

  // Forward and backward, so that no wave moves; each stretch between gaps by itself.
  const filtered = (channel, kind, edge, sfreq) => {
    if (!edge) return channel;
    const result = channel.slice(), terms = coefficients(kind, edge, sfreq);
    for (let start = 0; start < channel.length; start++) {
      if (Number.isNaN(channel[start])) continue;
      let stop = start;
      while (stop < channel.length && !Number.isNaN(channel[stop])) stop++;
      const forward = pass(channel.slice(start, stop), terms, kind).reverse();
      result.set(pass(forward, terms, kind).reverse(), start);
      start = stop;
    }
    return result;
  };

  const REFERENCE = /[\s-]+(avg|av|ref|le)$/i;
  const electrode = (name) => name.replace(REFERENCE, "").replace(/^eeg\s+/i, "").trim();
  const olderName = (name) => OLDER[electrode(name).toLowerCase()] || electrode(name).toLowerCase();

  const pairsOf = (names) => {
    const rows = Object.fromEntries(names.map((name, row) => [olderName(name), row]));
    const chains = CHAINS.map((chain) => chain.split(" ").map((name) => rows[name]));
    return chains.flatMap((chain) => chain.slice(1).map((second, place) => [chain[place], second]))
      .filter((pair) => pair.every((row) => row !== undefined));
  };

  // Montages that can be computed: of derivations of two electrodes, none but that of the study.
  const montagesOf = (names) => {
    const same = { [STUDY]: (channels) => ({ names, channels }) };
    const pairs = pairsOf(names);
    if (names.length < 3 || names.some((name) => electrode(name).includes("-"))) return same;
    if (!names.every((name) => /[\s-]avg?$/i.test(name))) {
      same["average reference"] = (channels) => {
        const mean = channels[0].map((_, time) => channels.reduce((sum, one) => sum + one[time], 0) / channels.length);
        return { names, channels: channels.map((one) => one.map((value, time) => value - mean[time])) };
      };
    }
    if (pairs.length >= 4) {
      same["longitudinal bipolar"] = (channels) => ({
        names: pairs.map((pair) => pair.map((row) => electrode(names[row])).join("-")),
        channels: pairs.map(([first, second]) => channels[first].map((value, time) => value - channels[second][time])),
      });
    }
    return same;
  };

  const element = (name, properties = {}, ...children) => {
    const item = Object.assign(document.createElement(name), properties);
    item.append(...children);
    return item;
  };

  const selector = (label, options, onChange) => {
    const field = element("select", {}, ...options.map(([text, value]) => element("option", { value }, text)));
    field.addEventListener("change", () => onChange(field.value));
    return element("label", {}, `${label} `, field);
  };

  const seconds = (value) => `${+value.toFixed(2)} s`;

  class View {
    constructor(entry, raw, close) {
      Object.assign(this, { entry, raw, close, gain: GAINS.indexOf(1), high: 0, low: 0 });
      this.montages = montagesOf(entry.channels);
      this.montage = STUDY;
      this.duration = raw[0].length / entry.sfreq;
      [this.from, this.to] = [0, this.duration];
      this.build();
      this.compute();
    }

    build() {
      const button = (text, action) => {
        const item = element("button", { type: "button" }, text);
        item.addEventListener("click", action);
        return item;
      };
      const edges = (values) => values.filter((edge) => edge < this.entry.sfreq / 2)
        .map((edge) => [edge ? `${edge} Hz` : "off", edge]);
      const set = (name) => (value) => { this[name] = name === "montage" ? value : +value; this.compute(); };
      const names = Object.keys(this.montages);
      this.canvas = element("canvas", { tabIndex: 0 });
      this.canvas.setAttribute("role", "img");
      this.status = element("output");
      this.root = element("div", { className: "eeg-view" },
        element("div", { className: "tools" },
          button("Gain \u2212", () => this.amplify(-1)), button("Gain +", () => this.amplify(1)),
          button("Zoom in", () => this.zoom(0.5)), button("Zoom out", () => this.zoom(2)),
          button("Earlier", () => this.move(-0.25)), button("Later", () => this.move(0.25)),
          selector("High-pass", edges(HIGH_PASS), set("high")), selector("Low-pass", edges(LOW_PASS), set("low")),
          ...(names.length > 1 ? [selector("Montage", names.map((name) => [name, name]), set("montage"))] : []),
          button("Close", this.close)),
        this.canvas, this.status,
        element("p", { className: "note" }, "Drag over the EEG to zoom, double-click to see all. Keys: left and " +
          "right arrows move, up and down change the gain, + and \u2212 zoom, Home shows all, Escape closes."));
      this.canvas.addEventListener("keydown", (event) => this.key(event));
      this.canvas.addEventListener("pointerdown", (event) => { this.brush = this.timeAt(event); });
      this.canvas.addEventListener("pointerup", (event) => this.endBrush(event));
      this.canvas.addEventListener("pointermove", (event) => this.read(event));
      this.canvas.addEventListener("dblclick", () => this.show(0, this.duration));
      new ResizeObserver(() => this.draw()).observe(this.canvas);
    }

    key(event) {
      const actions = {
        ArrowLeft: () => this.move(-0.25), ArrowRight: () => this.move(0.25), ArrowUp: () => this.amplify(1),
        ArrowDown: () => this.amplify(-1), "+": () => this.zoom(0.5), "=": () => this.zoom(0.5),
        "-": () => this.zoom(2), Home: () => this.show(0, this.duration), Escape: this.close,
      };
      if (!actions[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      actions[event.key]();
    }

    amplify(step) {
      this.gain = Math.min(Math.max(this.gain + step, 0), GAINS.length - 1);
      this.draw();
    }

    zoom(factor) {
      const middle = (this.from + this.to) / 2, half = ((this.to - this.from) * factor) / 2;
      this.show(middle - half, middle + half);
    }

    move(fraction) {
      const shift = (this.to - this.from) * fraction;
      this.show(this.from + shift, this.to + shift);
    }

    show(from, to) {
      const length = Math.min(Math.max(to - from, 0.5), this.duration);
      this.from = Math.min(Math.max(from, 0), this.duration - length);
      this.to = this.from + length;
      this.draw();
    }

    endBrush(event) {
      const [low, high] = [this.brush, this.timeAt(event)].sort((a, b) => a - b);
      if (this.brush !== undefined && high - low > 0.02 * (this.to - this.from)) this.show(low, high);
      this.brush = undefined;
    }

    timeAt(event) {
      const box = this.canvas.getBoundingClientRect();
      const fraction = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
      return this.from + Math.min(Math.max(fraction, 0), 1) * (this.to - this.from);
    }

    read(event) {
      const box = this.canvas.getBoundingClientRect(), time = this.timeAt(event);
      const row = Math.floor((event.clientY - box.top - TOP) / this.spacing);
      const value = this.shown.channels[row]?.[Math.min(Math.round(time * this.entry.sfreq), this.raw[0].length - 1)];
      const voltage = Number.isNaN(value) ? "no window" : `${value?.toFixed(1).replace("-", "\u2212")} \u00b5V`;
      if (value !== undefined) this.tell(`; ${seconds(this.entry.start + time)}, ${this.shown.names[row]}: ${voltage}`);
    }

    tell(more = "") {
      const { start } = this.entry;
      this.status.value = `${seconds(start + this.from)} to ${seconds(start + this.to)}, gain ${GAINS[this.gain]}, ` +
        `${this.scale} \u00b5V between channels${more}`;
      this.canvas.setAttribute("aria-label", `Interactive EEG of ${this.entry.recording}: ${this.status.value}`);
    }

    compute() {
      const { names, channels } = this.montages[this.montage](this.raw);
      const both = (one) =>
        filtered(filtered(one, "high", this.high, this.entry.sfreq), "low", this.low, this.entry.sfreq);
      this.shown = { names, channels: channels.map(both) };
      this.levels = this.shown.channels.map((channel) => {
        const known = channel.filter((value) => !Number.isNaN(value)).sort();
        return known.length ? known[known.length >> 1] : 0;
      });
      this.draw();
    }

    draw() {
      const { names, channels } = this.shown, width = this.canvas.clientWidth || 900;
      this.spacing = Math.max(Math.min(520 / names.length, 30), 12);
      this.bottom = TOP + this.spacing * names.length;
      this.axis = this.bottom + 2 * BAR + 18 + GRAPH;
      this.scale = +(this.entry.spacing / GAINS[this.gain]).toPrecision(3);
      const height = this.axis + BOTTOM, ratio = window.devicePixelRatio || 1;
      Object.assign(this.canvas, { width: width * ratio, height: height * ratio });
      this.canvas.style.height = `${height}px`;
      const pen = this.canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
      this.color = (name) => style.getPropertyValue(`--${name}`).trim();
      pen.scale(ratio, ratio);
      pen.font = "11px system-ui, sans-serif";
      this.across = (width - LEFT - RIGHT) / (this.to - this.from);
      this.drawSeizures(pen);
      this.drawRelevance(pen);
      this.drawAxes(pen, width);
      this.drawPrediction(pen, width);
      channels.forEach((_, row) => this.drawTrace(pen, row, names[row]));
      this.tell();
    }

    x(time) { return LEFT + (Math.min(Math.max(time, this.from), this.to) - this.from) * this.across; }

    drawSeizures(pen) {
      pen.fillStyle = this.color("series2");
      pen.globalAlpha = 0.18;
      this.entry.seizures.forEach(([onset, end]) => {
        const [low, high] = [onset, end].map((time) => this.x(time - this.entry.start));
        if (high > low) pen.fillRect(low, TOP, high - low, this.bottom - TOP);
      });
      pen.globalAlpha = 1;
    }

    // Relevance of explained windows in percent, as cells; it is that of the channels of the study.
    drawRelevance(pen) {
      if (this.montage !== STUDY) return;
      this.entry.relevance.forEach(([onset, end, channels]) => channels.forEach((values, row) => {
        const edge = (column) => this.x(onset - this.entry.start + (column * (end - onset)) / values.length);
        values.forEach((value, column) => {
          const [low, high] = [edge(column), edge(column + 1)];
          pen.fillStyle = value > 0 ? INCREASES : DECREASES;
          pen.globalAlpha = (OPACITY * Math.abs(value)) / 100;
          if (value && high > low) pen.fillRect(low, TOP + row * this.spacing, high - low, this.spacing);
        });
      }));
      pen.globalAlpha = 1;
    }

    drawAxes(pen, width) {
      pen.fillStyle = pen.strokeStyle = this.color("ink");
      const least = (this.to - this.from) / 10, power = 10 ** Math.floor(Math.log10(least));
      const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= least);
      pen.textAlign = "center";
      const { start } = this.entry;
      for (let mark = Math.ceil((start + this.from) / step); mark * step <= start + this.to + 1e-9; mark++) {
        const x = this.x(mark * step - start);
        pen.fillRect(x, this.axis, 1, 4);
        pen.fillText(`${+(mark * step).toFixed(3)}`, x, this.axis + 16);
      }
      pen.textAlign = "right";
      pen.fillText("time (s)", LEFT - 6, this.axis + 16);
      pen.textAlign = "left";
      pen.fillRect(width - RIGHT + 4, this.bottom - this.spacing, 3, this.spacing);
      pen.fillText(`${this.scale} \u00b5V`, width - RIGHT + 10, this.bottom - this.spacing / 2 + 4);
    }

    // Annotated and detected events, and the probability of a seizure with the threshold.
    drawPrediction(pen, width) {
      const { start, seizures, detections, p, threshold } = this.entry;
      const level = (value) => this.axis - 4 - GRAPH * value;
      const between = ([from, to]) => [this.x(from - start), this.x(to - start)];
      [["annotated", seizures, "series2"], ["detected", detections, "series1"]].forEach(([name, spans, color], row) => {
        const y = this.bottom + 4 + row * (BAR + 4);
        pen.fillStyle = this.color("ink");
        pen.textAlign = "right";
        pen.fillText(name, LEFT - 6, y + BAR);
        pen.fillStyle = this.color(color);
        spans.map(between).forEach(([low, high]) => pen.fillRect(low, y, high - low, BAR));
      });
      pen.fillStyle = this.color("ink");
      pen.fillText("p  0", LEFT - 6, level(0) + 4);
      pen.fillText("1", LEFT - 6, level(1) + 4);
      pen.fillStyle = this.color("faint");
      [0, 1].forEach((value) => pen.fillRect(LEFT, level(value), width - LEFT - RIGHT, 1));
      if (threshold !== null) {
        pen.fillStyle = this.color("muted");
        for (let x = LEFT; x < width - RIGHT; x += 8) pen.fillRect(x, level(threshold), 5, 1);
      }
      pen.fillStyle = this.color("series0");
      p.forEach(([from, to, value]) => {
        const [low, high] = between([from, to]);
        if (high > low) pen.fillRect(low, level(value) - 1, high - low, 2);
      });
      pen.fillStyle = this.color("ink");
    }

    drawTrace(pen, row, name) {
      const channel = this.shown.channels[row], level = this.levels[row], up = this.spacing / this.scale;
      const y = TOP + (row + 0.5) * this.spacing;
      pen.textAlign = "right";
      pen.fillText(name.slice(0, 11), LEFT - 6, y + 4);
      const { sfreq } = this.entry, first = Math.floor(this.from * sfreq);
      const last = Math.min(Math.ceil(this.to * sfreq), channel.length - 1), most = 2 * this.spacing;
      pen.beginPath();
      let drawing = false;
      for (let time = first; time <= last; time++) {
        if (Number.isNaN(channel[time])) { drawing = false; continue; }
        const down = Math.min(Math.max((level - channel[time]) * up, -most), most);
        pen[drawing ? "lineTo" : "moveTo"](this.x(time / sfreq), y + down);
        drawing = true;
      }
      pen.lineWidth = 0.8;
      pen.stroke();
    }
  }

  const addButton = (details) => {
    const entry = entries[details.id], drawing = details.querySelector(".scroll");
    if (!entry) return;
    const opener = element("button", { type: "button", className: "view" }, "Interactive view");
    let view = null;
    const close = () => {
      view.root.remove();
      drawing.hidden = opener.hidden = false;
      opener.focus();
    };
    opener.addEventListener("click", async () => {
      view = view || new View(entry, await unpack(entry), close);
      drawing.hidden = opener.hidden = true;
      drawing.after(view.root);
      view.draw();
      view.canvas.focus();
    });
    drawing.before(opener);
  };

  document.querySelectorAll("details.snippet").forEach(addButton);
  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target?.matches("details.snippet")) target.open = true;
  };
  addEventListener("hashchange", openTarget);
  openTarget();
})();
