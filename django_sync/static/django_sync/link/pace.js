/** How often to poll. Pure but for the dice. */

/** How often the client polls where nothing better works, in seconds. */
export class Pace {
  #interval = 0;

  /**
   * @param {object} [policy]
   * @param {number} [policy.shortest] after a poll that brought something; then longer by `growth`
   * @param {number} [policy.longest] after polls that brought nothing
   * @param {number} [policy.sparing] on a metered network or in the background
   * @param {number} [policy.growth] how many times as long after each that brought nothing
   * @param {() => number} [policy.random] from 0 up to 1
   */
  constructor({ shortest = 2, longest = 30, sparing = 300, growth = 1.5, random = Math.random } = {}) {
    this.shortest = shortest;
    this.longest = longest;
    this.sparing = sparing;
    this.growth = growth;
    this.random = random;
  }

  /**
   * @internal Count a poll; return the seconds until the next, varied by a tenth, so that many clients do not
   * come at once.
   * @param {{news: boolean, sparing: boolean}} poll whether it brought news, and whether each costs
   */
  next({ news, sparing }) {
    const grown = Math.max(this.#interval * this.growth, this.shortest);
    this.#interval = news ? this.shortest : Math.min(grown, this.longest);
    return (sparing ? this.sparing : this.#interval) * (0.9 + 0.2 * this.random());
  }
}
