// The parts of a file as a strip of cells, on a canvas, readable from 2 parts to 10,000.

const MAX_HEIGHT = 62;
const WIDE_ENOUGH = 9;

/**
 * How `total` cells fit a strip of `width` pixels: one row that fills the width while cells are wide enough,
 * then a grid of ever smaller squares, then several parts to a cell (`per`).
 */
export function layout(total, width, rowHeight = 14) {
  if (total * WIDE_ENOUGH <= width) return { columns: total, rows: 1, size: 0, height: rowHeight, gap: 2, per: 1 };
  let grid;
  for (let size = 10; size >= 3; size -= 1) {
    const gap = size > 5 ? 2 : 1;
    const columns = Math.max(1, Math.floor((width + gap) / (size + gap)));
    const rows = Math.floor((MAX_HEIGHT + gap) / (size + gap));
    grid = { columns, rows: Math.ceil(total / columns), size, height: size, gap, per: 1 };
    if (grid.rows <= rows) return grid;
    grid.per = Math.ceil(total / (columns * rows));
  }
  return { ...grid, rows: Math.ceil(total / grid.per / grid.columns) };
}

export class Cells {
  #canvas;
  #rowHeight;
  #width = 0;
  #arrived = new Map();
  #parts = { total: 0, done: 0, inFlight: 0 };

  /** `rowHeight`: how tall a single row is. */
  constructor(canvas, rowHeight) {
    this.#canvas = canvas;
    this.#rowHeight = rowHeight;
    new ResizeObserver(([{ contentRect }]) => {
      this.#width = contentRect.width;
      this.draw();
    }).observe(canvas);
  }

  clear() {
    this.show({ total: 0, done: 0, inFlight: 0 });
    this.#arrived.clear();
  }

  /** A part arrived, after `attempts` requests. */
  arrive(partNumber, attempts) {
    this.#arrived.set(partNumber, attempts);
  }

  /** Fewer parts have arrived than before: the upload restarted. */
  show(parts) {
    if (parts.done < this.#parts.done) this.#arrived.clear();
    this.#parts = parts;
    this.#canvas.hidden = parts.total < 2;
    this.draw();
  }

  /**
   * Which parts arrived is known one by one. Which are in flight isn't told, only how many;
   * as parts are sent in order, they are the first of those that haven't arrived.
   */
  #states() {
    const { total, done, inFlight } = this.#parts;
    let untold = done - this.#arrived.size;
    let flying = inFlight;
    return Array.from({ length: total }, (_, index) => {
      const attempts = this.#arrived.get(index + 1);
      if (attempts !== undefined) return attempts > 1 ? "again" : "done";
      if (untold-- > 0) return "done";
      return flying-- > 0 ? "flight" : "waiting";
    });
  }

  draw() {
    const canvas = this.#canvas;
    const width = this.#width;
    if (canvas.hidden || !width) return;
    const scale = devicePixelRatio;
    const grid = layout(this.#parts.total, width, this.#rowHeight);
    const height = grid.rows * (grid.height + grid.gap) - grid.gap;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const style = getComputedStyle(canvas);
    const colour = Object.fromEntries(["done", "again", "flight", "waiting"].map((name) => [name, style.getPropertyValue(`--${name}`)]));
    const pen = canvas.getContext("2d");
    const states = this.#states();
    for (let cell = 0, first = 0; first < states.length; cell += 1, first += grid.per) {
      const state = together(states.slice(first, first + grid.per));
      const { x, y, w, h } = box(grid, cell, width, scale);
      pen.globalAlpha = state === "partly" ? 0.5 : 1;
      pen.fillStyle = state === "partly" || state === "again" ? colour.done : colour[state];
      pen.fillRect(x, y, w, h);
      if (state === "again") notch(pen, colour.again, x, y, w, h);
      if (state === "flight" && w > 6 * scale) hollow(pen, x, y, w, h, scale);
    }
  }
}

/** Edges on whole device pixels, so that small cells stay even. */
function box(grid, cell, width, scale) {
  const column = cell % grid.columns;
  const row = Math.floor(cell / grid.columns);
  const gap = Math.max(1, Math.round(grid.gap * scale));
  const h = Math.round(grid.height * scale);
  if (grid.size) {
    const w = Math.round(grid.size * scale);
    return { x: column * (w + gap), y: row * (h + gap), w, h };
  }
  const pitch = (width * scale + gap) / grid.columns;
  const x = Math.round(column * pitch);
  return { x, y: 0, w: Math.round((column + 1) * pitch) - gap - x, h };
}

function together(states) {
  if (states.length === 1) return states[0];
  if (states.includes("flight")) return "flight";
  const here = states.filter((state) => state !== "waiting").length;
  if (here === states.length) return states.includes("again") ? "again" : "done";
  return here ? "partly" : "waiting";
}

/** A cut corner: the part was sent more than once. */
function notch(pen, colour, x, y, w, h) {
  const side = Math.min(w, h) * 0.62;
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(x + w - side, y);
  pen.lineTo(x + w, y);
  pen.lineTo(x + w, y + side);
  pen.fill();
}

/** In flight is told from arrived by form too, not by colour alone. */
function hollow(pen, x, y, w, h, scale) {
  const edge = Math.max(2, Math.round(2 * scale));
  if (w > 2 * edge && h > 2 * edge) pen.clearRect(x + edge, y + edge, w - 2 * edge, h - 2 * edge);
}
