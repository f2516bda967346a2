/**
 * Bounds what one MQTT connection can make the broker hold and do: aedes collects a packet of any announced
 * size before anybody is asked, and begins with every packet of a read at once. Follows the fixed headers
 * (MQTT 3.1.1 §2.2) of a byte stream, says when a packet is too large, and lets the next one begin only when
 * there is room for it. Only a PUBLISH may be large, and not as the first packet, which comes from somebody
 * unknown: a SUBSCRIBE as long as a batch has a million topics, each of which the broker looks at in one go.
 */
const CONTINUES = 0x80;
const MAX_LENGTH_BYTES = 4;
/** Type of a packet that carries a message (MQTT 3.1.1 §2.2.1). */
export const PUBLISH = 3;

export interface PacketRoom {
  /** Asked before each packet; `type` as in MQTT 3.1.1 §2.2.1. */
  mayBegin(type: number): boolean;
  /** A packet begins whose body has so many bytes. */
  begun(type: number, bodyBytes: number): void;
}

export class PacketGate {
  readonly #maxBytes: number;
  readonly #maxPublishBytes: number;
  #first = true;
  /** Bytes of the packet body still to come; undefined while its header is read. */
  #body: number | undefined;
  #type = 0;
  #headerBytes = 0;
  #length = 0;

  /** The longest body of any packet, and of a PUBLISH that is not the first packet. */
  constructor(maxBytes: number, maxPublishBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxPublishBytes = maxPublishBytes;
  }

  /**
   * How many bytes of `chunk` may be passed on now; the others are to be shown again, before any that come
   * later. `undefined` once a packet announces more than its bound, or a length that is none: nothing may be
   * passed on after that.
   */
  take(chunk: Uint8Array, room: PacketRoom): number | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#body === undefined) {
        const byte = chunk[at] ?? 0;
        if (this.#headerBytes === 0 && !room.mayBegin(byte >> 4)) return at;
        if (!this.#header(byte, room)) return undefined;
        at += 1;
      } else {
        const taken = Math.min(this.#body, chunk.length - at);
        this.#body -= taken;
        at += taken;
      }
      if (this.#body === 0) this.#next();
    }
    return at;
  }

  #header(byte: number, room: PacketRoom): boolean {
    this.#headerBytes += 1;
    if (this.#headerBytes === 1) {
      this.#type = byte >> 4;
      return true;
    }
    this.#length += (byte % CONTINUES) * 128 ** (this.#headerBytes - 2);
    if (byte >= CONTINUES) return this.#headerBytes <= MAX_LENGTH_BYTES;
    const isLarge = this.#type === PUBLISH && !this.#first;
    if (this.#length > (isLarge ? this.#maxPublishBytes : this.#maxBytes)) return false;
    this.#body = this.#length;
    room.begun(this.#type, this.#length);
    return true;
  }

  #next(): void {
    this.#first = false;
    this.#body = undefined;
    this.#headerBytes = 0;
    this.#length = 0;
  }
}
