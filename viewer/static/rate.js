/**
 * How much per second, over the last moments: bytes, or frames. Time is in milliseconds of any clock that does not go
 * back (performance.now()), and comes from whoever asks.
 */
export class RateMeter {
  #stepMs;
  #samples;
  #slots; // what came in each step of the window, by the step's number modulo their count
  /** @type {number[]} rates at the end of the last steps */
  #history = [];
  #step = NaN; // number of the present step; NaN: nothing was told yet
  #began = 0; // when something was told first

  /**
   * @param {object} options
   * @param {number} [options.windowMs] what a rate is taken over; 2000
   * @param {number} [options.samples] how many points the history has; 120
   * @param {number} [options.stepMs] how far they are apart; an eighth of the window
   */
  constructor({ windowMs = 2000, samples = 120, stepMs = windowMs / 8 } = {}) {
    this.#stepMs = stepMs;
    this.#samples = samples;
    this.#slots = new Float64Array(Math.ceil(windowMs / stepMs) + 1);
  }

  /**
   * Tells that n more have come.
   * @param {number} now
   * @param {number} n
   */
  add(now, n) {
    this.#advance(now);
    this.#slots[this.#step % this.#slots.length] += n;
  }

  /**
   * How many come per second; 0 before anything was told. Of less than a step no rate is made up: it counts as one.
   * @param {number} now
   */
  rate(now) {
    if (Number.isNaN(this.#step)) return 0;
    this.#advance(now);
    return this.#over(Math.max(now, this.#step * this.#stepMs));
  }

  /**
   * The rate at the end of each of the last steps, the oldest first; none before something was told. A stretch where
   * nothing came has to be told by rate() being asked: no clock is read here.
   */
  history() {
    return [...this.#history];
  }

  /**
   * @param {number} now within the present step, or its end
   */
  #over(now) {
    const sum = this.#slots.reduce((a, b) => a + b, 0);
    const oldest = (this.#step - this.#slots.length + 1) * this.#stepMs;
    return (sum * 1000) / Math.max(this.#stepMs, now - Math.max(oldest, this.#began));
  }

  /** @param {number} now */
  #advance(now) {
    const step = Math.floor(now / this.#stepMs);
    if (Number.isNaN(this.#step)) {
      this.#step = step;
      this.#began = now;
    }
    const silent = this.#samples + this.#slots.length; // steps after which nothing is left of what was before
    this.#step = Math.max(this.#step, step - silent);
    while (this.#step < step) this.#endStep();
  }

  #endStep() {
    this.#history.push(this.#over((this.#step + 1) * this.#stepMs));
    if (this.#history.length > this.#samples) this.#history.shift();
    this.#step++;
    this.#slots[this.#step % this.#slots.length] = 0;
  }
}
