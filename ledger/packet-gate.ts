/**
 * Bounds what one MQTT connection can make the broker hold: aedes collects a packet of any announced size before
 * anybody is asked. Follows the fixed headers (MQTT 3.1.1 §2.2) of a byte stream and says when a packet is too large.
 * The first packet, CONNECT, comes from somebody unknown and has a smaller bound.
 */
const CONTINUES = 0x80;
const MAX_LENGTH_BYTES = 4;

export class PacketGate {
  readonly #maxFirstBytes: number;
  readonly #maxBytes: number;
  #first = true;
  /** Bytes of the packet body still to come; undefined while its header is read. */
  #body: number | undefined;
  #headerBytes = 0;
  #length = 0;

  constructor(maxFirstBytes: number, maxBytes: number) {
    this.#maxFirstBytes = maxFirstBytes;
    this.#maxBytes = maxBytes;
  }

  /** False once a packet announces more than its bound, or a length that is none. Nothing may be passed on after that. */
  accept(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#body === undefined) {
        if (!this.#header(chunk[at] ?? 0)) return false;
        at += 1;
      } else {
        const taken = Math.min(this.#body, chunk.length - at);
        this.#body -= taken;
        at += taken;
      }
      if (this.#body === 0) this.#next();
    }
    return true;
  }

  #header(byte: number): boolean {
    this.#headerBytes += 1;
    if (this.#headerBytes === 1) return true;
    this.#length += (byte % CONTINUES) * 128 ** (this.#headerBytes - 2);
    if (byte >= CONTINUES) return this.#headerBytes <= MAX_LENGTH_BYTES;
    this.#body = this.#length;
    return this.#length <= (this.#first ? this.#maxFirstBytes : this.#maxBytes);
  }

  #next(): void {
    this.#first = false;
    this.#body = undefined;
    this.#headerBytes = 0;
    this.#length = 0;
  }
}
