/**
 * Calls, answers and tells over one socket (socket-messages.ts), the same at both ends.
 *
 * Bounds: at most MAX_CALLS calls of ours unanswered and as many of theirs under way, the next is refused with `full`;
 * a call unanswered for the time-out rejects with `timeout`; a tell marked droppable is dropped when more than DROP_BYTES
 * wait to be sent; and a peer that lets more than CUT_BYTES pile up is disconnected, since nothing else may be dropped.
 */
import type { Socket } from 'node:net';
import type { z } from 'zod';
import { FirebreakError } from '../../protocol/errors.js';
import { FrameReader, encodeFrame } from './socket-frames.js';
import { envelope, parseMessage, wireError } from './socket-messages.js';
import type { Envelope, Outgoing } from './socket-messages.js';

const MAX_CALLS = 256;
const DROP_BYTES = 256 * 1024;
const CUT_BYTES = 4 * 1024 * 1024;

export interface ChannelDeps<Call, Tell> {
  readonly socket: Socket;
  readonly callSchema: z.ZodType<Call>;
  readonly tellSchema: z.ZodType<Tell>;
  /** Answers a call of the other side: what it resolves to goes back as the value, a rejection as the error. */
  readonly onCall: (call: Call) => Promise<unknown>;
  readonly onTell: (tell: Tell) => void;
  /** The channel is gone, whoever ended it. Called once. */
  readonly onClosed: () => void;
  /** Wall ms. */
  readonly timeoutMs: number;
}

export interface Channel {
  /** Resolves to the answer; rejects with its error, `timeout`, `full`, or `closed` when the channel goes away. */
  call(body: Outgoing): Promise<unknown>;
  tell(body: Outgoing): void;
  /** Whether it was sent; false when it was dropped because the other side reads too slowly. */
  tellOrDrop(body: Outgoing): boolean;
  close(): void;
}

export function openChannel<Call, Tell>(deps: ChannelDeps<Call, Tell>): Channel {
  return new SocketChannel(deps);
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

class SocketChannel<Call, Tell> implements Channel {
  readonly #deps: ChannelDeps<Call, Tell>;
  readonly #frames = new FrameReader();
  readonly #pending = new Map<number, Pending>();
  #underway = 0;
  #lastId = 0;
  #closed = false;

  constructor(deps: ChannelDeps<Call, Tell>) {
    this.#deps = deps;
    deps.socket.setNoDelay(true);
    deps.socket.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    deps.socket.on('error', () => this.close()); // a reset by a killed peer is an ordinary end
    deps.socket.on('close', () => this.close());
  }

  call(body: Outgoing): Promise<unknown> {
    if (this.#closed) return Promise.reject(goneError());
    if (this.#pending.size >= MAX_CALLS) {
      return Promise.reject(
        new FirebreakError('full', `${MAX_CALLS} calls to the air are unanswered already`),
      );
    }
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new FirebreakError('timeout', `the air did not answer within ${this.#deps.timeoutMs} ms`));
      }, this.#deps.timeoutMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#send({ call: id, body });
    });
  }

  tell(body: Outgoing): void {
    this.#send({ tell: body });
  }

  tellOrDrop(body: Outgoing): boolean {
    if (this.#closed || this.#deps.socket.writableLength > DROP_BYTES) return false;
    this.#send({ tell: body });
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deps.socket.destroy();
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(goneError());
    }
    this.#pending.clear();
    this.#deps.onClosed();
  }

  #send(message: object): void {
    if (this.#closed) return;
    this.#deps.socket.write(encodeFrame(message));
    if (this.#deps.socket.writableLength > CUT_BYTES) this.close();
  }

  #receive(chunk: Uint8Array): void {
    const messages = this.#orCutOff(() => this.#frames.push(chunk));
    for (const raw of messages ?? []) {
      const message = this.#orCutOff(() => parseMessage(envelope, raw));
      if (message === undefined || this.#closed) return;
      this.#take(message);
    }
  }

  /** A peer that does not speak the protocol is cut off: there is no way to find the next frame. */
  #orCutOff<T>(parse: () => T): T | undefined {
    try {
      return parse();
    } catch {
      this.close();
      return undefined;
    }
  }

  #take(message: Envelope): void {
    if ('call' in message) return this.#serve(message.call, message.body);
    if ('answer' in message) return this.#settle(message);
    const tell = this.#orCutOff(() => parseMessage(this.#deps.tellSchema, message.tell));
    if (tell !== undefined) this.#deps.onTell(tell);
  }

  #settle(message: Extract<Envelope, { answer: number }>): void {
    const pending = this.#pending.get(message.answer);
    if (pending === undefined) return; // its caller gave up
    this.#pending.delete(message.answer);
    clearTimeout(pending.timer);
    if ('error' in message) pending.reject(new FirebreakError(message.error.code, message.error.message));
    else pending.resolve(message.value);
  }

  #serve(id: number, body: unknown): void {
    const refuse = (error: unknown): void => this.#send({ answer: id, error: wireError(error) });
    if (this.#underway >= MAX_CALLS)
      return refuse(new FirebreakError('full', 'too many calls are under way'));
    this.#underway += 1;
    this.#answer(body)
      .then((value) => this.#send({ answer: id, value: value ?? null }), refuse)
      .finally(() => (this.#underway -= 1))
      .catch(() => this.close()); // an answer that cannot be sent
  }

  async #answer(body: unknown): Promise<unknown> {
    return this.#deps.onCall(parseMessage(this.#deps.callSchema, body));
  }
}

function goneError(): FirebreakError {
  return new FirebreakError('closed', 'the air is gone');
}
