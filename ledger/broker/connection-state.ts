/** Whether the ledger hears its writers at the broker of somebody else, since when, and why it does not. */
export class ConnectionState {
  readonly #wallMs: () => number;
  #isConnected = false;
  #sinceMs: number;
  #failure: string | undefined;

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
    this.#sinceMs = wallMs();
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Wall ms; tries that fail do not change it. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** As far as is known; `undefined` while it is connected. */
  get failure(): string | undefined {
    return this.#isConnected ? undefined : (this.#failure ?? 'the connection was lost');
  }

  connected(): void {
    this.#turn(true);
    this.#failure = undefined;
  }

  lost(): void {
    this.#turn(false);
  }

  failed(why: string): void {
    this.#failure = why;
  }

  #turn(isConnected: boolean): void {
    if (isConnected !== this.#isConnected) this.#sinceMs = this.#wallMs();
    this.#isConnected = isConnected;
  }
}
