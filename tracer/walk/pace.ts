/** Lets a walk be ended from another thread: a number in shared memory, looked at every few thousand entries. */
import { AskerError } from '../asker-error.js';

/** What the number says. */
export const GO_ON = 0;
export const OUT_OF_TIME = 1;
export const CALLED_OFF = 2;

const ENTRIES_BETWEEN_LOOKS = 8192;

export class Pace {
  readonly #flag: Int32Array | undefined;
  #untilLook = ENTRIES_BETWEEN_LOOKS;

  constructor(flag: Int32Array | undefined) {
    this.#flag = flag;
  }

  /** Counts entries gone over. Throws `timeout` or `closed` when the walk is to end. */
  step(entries: number): void {
    this.#untilLook -= entries + 1;
    if (this.#untilLook > 0) return;
    this.#untilLook = ENTRIES_BETWEEN_LOOKS;
    const said = this.#flag === undefined ? GO_ON : Atomics.load(this.#flag, 0);
    if (said === OUT_OF_TIME) throw outOfTime();
    if (said !== GO_ON) throw calledOff();
  }
}

export const outOfTime = (): AskerError =>
  new AskerError(
    'timeout',
    'the trace took longer than it may: ask for fewer hops, a shorter window or more seconds',
  );
export const neverBegun = (): AskerError =>
  new AskerError('full', 'the trace did not begin in time, as others were walked before it: ask again later');
export const calledOff = (): AskerError => new AskerError('closed', 'the trace was called off');
