// @ts-check
/**
 * The proof of work of one visit: solved while the person writes, renewed before it ends as long as
 * they do. An act keeps the proof with which it was first sent, because the same proof with the same
 * words is the same act, however often it arrives.
 */

/** @typedef {{challenge: import("./solve.mjs").Challenge, challenge_seconds: number}} Offer */

/** So much of its time is kept in hand: for sending, and for a clock that slept. */
const RESERVE = 90_000;

export class Proof {
  /**
   * @param {() => Promise<Offer>} ask for a new challenge
   * @param {(challenge: Offer["challenge"]) => Promise<string>} solve
   * @param {() => number} [now] in milliseconds
   */
  constructor(ask, solve, now = Date.now) {
    this.ask = ask;
    this.solve = solve;
    this.now = now;
    this.ends = 0;
    /** @type {Promise<string> | null} */
    this.solved = null;
  }

  /**
   * Begins to work on a challenge that has just come.
   * @param {Offer} offer
   * @returns {Promise<string>}
   */
  adopt({ challenge, challenge_seconds: seconds }) {
    this.ends = this.now() + seconds * 1000;
    const solved = this.solve(challenge);
    solved.catch(() => {});
    this.solved = solved;
    return solved;
  }

  /** Whether there is none, or its end is near. */
  get stale() {
    return this.solved === null || this.now() > this.ends - RESERVE;
  }

  /**
   * A proof with time enough left to use it.
   * @returns {Promise<string>}
   */
  async fresh() {
    if (!this.stale) return /** @type {Promise<string>} */ (this.solved);
    return this.renew();
  }

  /**
   * A new one, whatever there was; two who ask at once share it.
   * @returns {Promise<string>}
   */
  renew() {
    this.renewing ??= this.ask()
      .then((offer) => this.adopt(offer))
      .finally(() => {
        this.renewing = undefined;
      });
    return this.renewing;
  }
}
