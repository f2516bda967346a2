/**
 * The advert by which tags find a gateway (docs/protocol.md, "Gateway advert"), on the air only while it can serve them: a session
 * that ends with `busy` costs a tag's battery, and makes it wait longer before it goes to a gateway that is well.
 */
import { isToldByDoubling } from '../host/limited-log.js';
import { unlessAborted } from '../host/time-limit.js';
import type { Clock } from '../protocol/clock.js';
import { asError } from '../protocol/errors.js';
import type { Log } from '../protocol/log.js';
import type { Advertiser, AdvertiserSettings } from '../radio/contract.js';

/** How often it is looked whether tags can be served, while they can and while they cannot. */
const WHILE_WELL_MS = 60_000;
const WHILE_NOT_MS = 1_000;

export interface InvitationDeps {
  readonly advertiser: Advertiser;
  readonly settings: AdvertiserSettings;
  readonly canServe: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export class Invitation {
  readonly #deps: InvitationDeps;
  /** Undefined after a change that failed: a radio may carry out later what it could not do at once. */
  #isOut: boolean | undefined = false;
  #isStarted = false;
  #isOver = false;
  #failures = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(deps: InvitationDeps) {
    this.#deps = deps;
  }

  /** As things stand, for the first time; nothing is done before. Rejects with what the radio could not do. */
  start(): Promise<void> {
    this.#isStarted = true;
    return this.#afterTheLast(() => this.#change());
  }

  /** As things stand now and again, until the signal, also where the radio hangs. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pauseMs = this.#isOut === true ? WHILE_WELL_MS : WHILE_NOT_MS;
      const wait = this.#deps.clock.sleep(pauseMs, signal).then(() => unlessAborted(this.look(), signal));
      await wait.catch(() => undefined); // told to end
    }
  }

  /** As things stand, once more. What the radio could not do is said in the log. */
  async look(): Promise<void> {
    try {
      await this.#afterTheLast(() => this.#change());
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      if (!isToldByDoubling(this.#failures)) return;
      this.#deps.log.warn('the gateway’s advert did not change', { why: asError(error).message });
    }
  }

  /** Off the air, for good. Rejects with what the radio could not do. */
  withdraw(): Promise<void> {
    this.#isOver = true;
    return this.#afterTheLast(() => this.#deps.advertiser.stop());
  }

  async #change(): Promise<void> {
    const { advertiser, settings, canServe } = this.#deps;
    const isWanted = canServe();
    if (!this.#isStarted || this.#isOver || isWanted === this.#isOut) return;
    this.#isOut = undefined;
    await (isWanted ? advertiser.set(settings) : advertiser.stop());
    this.#isOut = isWanted;
  }

  #afterTheLast(run: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(run);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
