/** An input that is bound to a field of a record: what is typed is written, what comes is shown. */

import { element } from "./page.js";
import { spell } from "./words.js";

/** Milliseconds after the last key before a longer text is written. */
const PAUSE = 800;

/** One input and one field. While somebody types, what others write waits beside it. */
export class Field {
  #input;
  #write;
  /** What the input was last given, or has last written. @type {string | null} */
  #known = null;
  /** @type {HTMLElement | null} */
  #hint = null;
  #timer = 0;

  /**
   * @param {any} input an input, a textarea or a select
   * @param {(value: string) => unknown} write
   */
  constructor(input, write) {
    this.#input = input;
    this.#write = write;
    input.addEventListener("change", () => this.flush());
    if (input.localName === "textarea") {
      input.addEventListener("input", () => {
        clearTimeout(this.#timer);
        this.#timer = window.setTimeout(() => this.flush(), PAUSE);
      });
    }
  }

  /** Show the field's value, unless something else is being typed. @param {unknown} value */
  show(value) {
    const text = value === null || value === undefined ? "" : String(value);
    if (text === this.#known) return;
    const typing = this.#known !== null && document.activeElement === this.#input && this.#input.value !== this.#known;
    if (typing) return this.#tell(text);
    this.#take(text);
  }

  /** Write what was typed, now. */
  flush() {
    clearTimeout(this.#timer);
    const { value } = this.#input;
    if (value === this.#known || !this.#input.checkValidity()) return;
    this.#known = value;
    this.#forget();
    this.#write(value);
  }

  /** @param {string} text */
  #take(text) {
    this.#forget();
    this.#known = this.#input.value = text;
  }

  /** Somebody else wrote while the user types: both are to be seen. @param {string} text */
  #tell(text) {
    this.#forget();
    const take = element("button", { type: "button" }, "Take it");
    take.addEventListener("click", () => this.#take(text));
    this.#hint = element("p", { class: "hint", role: "status" }, `Meanwhile it was changed to “${spell("", text)}”. `, take);
    this.#input.closest(".field").after(this.#hint);
  }

  #forget() {
    this.#hint?.remove();
    this.#hint = null;
  }
}
