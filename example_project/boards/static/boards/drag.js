/**
 * Moving cards with a mouse, a pen or a finger, by pointer events.
 *
 * A mouse drags as soon as it moves. A finger first scrolls, as everywhere: it picks a card up by
 * resting on it for a moment, or at once by its grip.
 */

/** @import { BoardView } from "./board.js" */

/** Pixels that a mouse moves before it is a drag, and a finger may tremble while it rests. */
const SLACK = 6;
/** Milliseconds that a finger rests. */
const REST = 350;
/** Pixels from the edge within which the columns scroll, and how many they scroll in a frame. */
const EDGE = 48;
const SPEED = 12;

/** @param {BoardView} view @param {AbortSignal} signal */
export function dragsByPointer(view, signal) {
  /** @type {Drag | null} */
  let drag = null;
  const { root } = view;

  root.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const card = /** @type {HTMLElement | null} */ (target.closest(".card.movable"));
    if (card === null || event.button !== 0 || !event.isPrimary) return;
    drag?.cancel();
    drag = new Drag(view, card, event, target.closest(".grip") !== null, () => (drag = null));
  }, { signal });
  // Once a card is up, the finger moves it, and not the page: that has to be said to touchmove.
  root.addEventListener("touchmove", (/** @type {TouchEvent} */ event) => {
    if (drag?.isUp && event.cancelable) event.preventDefault();
  }, { signal, passive: false });
  root.addEventListener("contextmenu", (/** @type {Event} */ event) => {
    if (drag?.byTouch) event.preventDefault(); // a resting finger asks for the menu too
  }, { signal });
  signal.addEventListener("abort", () => drag?.cancel());
}

class Drag {
  isUp = false;
  #done = new AbortController();
  #ghost = /** @type {HTMLElement | null} */ (null);
  #timer = 0;
  #frame = 0;

  /** @param {BoardView} view @param {HTMLElement} card @param {PointerEvent} event @param {boolean} byGrip @param {() => void} ended */
  constructor(view, card, event, byGrip, ended) {
    this.view = view;
    this.card = card;
    this.ended = ended;
    this.pointer = event.pointerId;
    this.byTouch = event.pointerType === "touch";
    this.startX = this.x = event.clientX;
    this.startY = this.y = event.clientY;
    this.waits = this.byTouch && !byGrip;
    if (this.waits) this.#timer = window.setTimeout(() => this.#pickUp(), REST);
    const { signal } = this.#done;
    addEventListener("pointermove", (moved) => this.#move(moved), { signal });
    addEventListener("pointerup", (up) => this.#release(up), { signal });
    addEventListener("pointercancel", (lost) => lost.pointerId === this.pointer && this.cancel(), { signal });
    addEventListener("keydown", (key) => this.#key(key), { signal, capture: true });
    addEventListener("blur", () => this.cancel(), { signal });
  }

  /** Put everything back. */
  cancel() {
    const wasUp = this.isUp;
    this.#end();
    if (wasUp) this.view.letGo();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerId !== this.pointer) return;
    [this.x, this.y] = [event.clientX, event.clientY];
    const far = Math.hypot(this.x - this.startX, this.y - this.startY) > SLACK;
    if (!this.isUp && far && this.waits) return this.cancel(); // it scrolls
    if (!this.isUp && far) this.#pickUp();
    if (this.isUp) this.#follow();
  }

  #pickUp() {
    const { card, view } = this;
    if (!card.isConnected) return this.cancel();
    const box = card.getBoundingClientRect();
    this.isUp = true;
    this.#ghost = /** @type {HTMLElement} */ (card.cloneNode(true));
    this.#ghost.classList.add("ghost");
    this.#ghost.setAttribute("aria-hidden", "true");
    this.#ghost.inert = true;
    const { style } = this.#ghost;
    [style.left, style.top, style.width] = [`${box.left}px`, `${box.top}px`, `${box.width}px`];
    document.body.append(this.#ghost);
    card.classList.add("dragged");
    view.root.classList.add("dragging");
    getSelection()?.removeAllRanges();
    if (this.byTouch) navigator.vibrate?.(10);
    this.#follow();
    this.#scroll();
  }

  #follow() {
    if (this.#ghost !== null) {
      this.#ghost.style.translate = `${this.x - this.startX}px ${this.y - this.startY}px`;
    }
    this.view.hold({ id: String(this.card.dataset.id), ...this.#target() });
  }

  /** The column under the pointer, or the nearest, and the place in it. */
  #target() {
    const away = (/** @type {HTMLElement} */ column) => {
      const { left, right } = column.getBoundingClientRect();
      return Math.max(left - this.x, this.x - right, 0);
    };
    const [[column, element]] = [...this.view.columns].sort(([, one], [, other]) => away(one) - away(other));
    const cards = [...element.querySelectorAll(".card")].filter((card) => card !== this.card);
    const index = cards.filter((card) => {
      const { top, height } = card.getBoundingClientRect();
      return top + height / 2 < this.y;
    }).length;
    return { column, index };
  }

  /** At the edges, the columns and the page scroll along. */
  #scroll() {
    const { root } = this.view;
    const box = root.getBoundingClientRect();
    const sideways = near(this.x, Math.max(box.left, 0), Math.min(box.right, innerWidth));
    const down = near(this.y, 0, innerHeight);
    if (sideways !== 0) root.scrollBy(sideways * SPEED, 0);
    if (down !== 0) scrollBy(0, down * SPEED);
    if (sideways !== 0 || down !== 0) this.#follow();
    this.#frame = requestAnimationFrame(() => this.#scroll());
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (event.pointerId !== this.pointer) return;
    const wasUp = this.isUp;
    this.#end();
    if (!wasUp) return;
    // The release of a drag is no click on the card.
    const swallow = (/** @type {Event} */ click) => click.stopPropagation();
    addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", swallow, { capture: true }));
    void this.view.drop();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Escape" || !this.isUp) return;
    event.preventDefault();
    this.cancel();
  }

  #end() {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#done.abort();
    this.#ghost?.remove();
    this.isUp = false;
    this.card.classList.remove("dragged");
    this.view.root.classList.remove("dragging");
    this.ended();
  }
}

/** -1 near the start, 1 near the end, 0 between. @param {number} at @param {number} start @param {number} end */
function near(at, start, end) {
  return at < start + EDGE ? -1 : at > end - EDGE ? 1 : 0;
}
