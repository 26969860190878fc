/**
 * The order of cards in a column: a number each, and between two there is always room for a third.
 * No I/O, no elements.
 */

/** @import { Record } from "../django_sync/client.js" */

/** Numbers nearer than this are spread out again: a float halves some fifty times and then no more. */
const NARROW = 1e-6;

/** By place; of two at one place, which two windows may have chosen, the older first. @param {Record} one @param {Record} other */
export function inOrder(one, other) {
  return one.object.position - other.object.position || (one.id < other.id ? -1 : 1);
}

/**
 * Where to put a card so that it comes at `index` among `others`, which are in order without it.
 * @param {Record[]} others @param {number} index
 * @returns {number | null} `null` where there is no room and the column has to be numbered anew
 */
export function placeAt(others, index) {
  const before = others[index - 1]?.object.position;
  const after = others[index]?.object.position;
  if (before === undefined && after === undefined) return 1;
  if (before === undefined) return after - 1;
  if (after === undefined) return before + 1;
  return after - before < NARROW ? null : (before + after) / 2;
}

/**
 * The cards of a column with whole numbers for their places, those alone that change.
 * @param {Record[]} cards in the order that they shall have
 * @returns {{id: string, position: number}[]}
 */
export function numbered(cards) {
  return cards
    .map((card, at) => ({ id: card.id, position: at + 1, was: card.object.position }))
    .filter(({ position, was }) => position !== was)
    .map(({ id, position }) => ({ id, position }));
}
