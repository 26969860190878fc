/** What moves on the board, for those who want things to move. */

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Above so many cards measuring takes longer than the movement is worth. */
const MANY = 300;

/**
 * Do something that moves elements, and have them glide from where they were.
 * @param {HTMLElement[]} elements @param {() => void} move
 */
export function withGlide(elements, move) {
  if (still.matches || document.hidden || elements.length > MANY) return move();
  const before = new Map(elements.filter((one) => one.isConnected).map((one) => [one, one.getBoundingClientRect()]));
  move();
  for (const [one, was] of before) {
    if (!one.isConnected || one.classList.contains("dragged")) continue;
    const now = one.getBoundingClientRect();
    const [x, y] = [was.left - now.left, was.top - now.top];
    if (Math.abs(x) + Math.abs(y) < 2) continue;
    one.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }], { duration: 200, easing: "ease-out" });
  }
}

/** Mark for a moment what somebody else has changed. @param {HTMLElement | undefined} card */
export function flash(card) {
  if (card === undefined) return;
  card.classList.remove("fresh");
  void card.offsetWidth; // begins the animation anew
  card.classList.add("fresh");
}
