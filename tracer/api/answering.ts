/** A question on its way: its turn at the desk, its answer in slices, and its end when whoever asked has gone. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AskerError } from '../asker-error.js';
import { lookOf } from './bearers.js';
import type { Asking } from './contract.js';
import type { ApiRoom } from './room.js';
import { streamTo } from './send.js';

/** The question, as it was parsed. */
interface AskedBody {
  readonly officer?: string;
  readonly purpose: string;
}

/**
 * Answers with what `work` gives, written by `slicesOf`; resolves when the answer has been read, or cannot be. Throws what
 * the desk throws (desk.ts), before anything was sent.
 */
export async function answerQuestion<Answer>(
  { desk, metrics, limits, log }: ApiRoom,
  request: FastifyRequest & { readonly body: AskedBody },
  reply: FastifyReply,
  work: (asking: Asking) => Promise<Answer>,
  slicesOf: (answer: Answer) => AsyncIterable<Buffer>,
): Promise<void> {
  const look = lookOf(request, request.body);
  const stop = new AbortController();
  const noteEnd = untilGone(request, stop);
  try {
    const { answer, sent } = await desk.ask(stop, (signal) => work({ look, signal }));
    const onCutOff = (): void => {
      metrics.cutOff();
      log.warn('an answer was not read in time; its reader was cut off');
    };
    try {
      await itsTurn(reply.raw, stop.signal);
      void reply.send(streamTo(reply.raw, slicesOf(answer), limits, onCutOff));
      await finished(reply.raw, { signal: stop.signal });
    } catch {
      reply.raw.destroy(); // half an answer is none, and whoever asked sees that it broke off
    } finally {
      sent();
    }
  } finally {
    noteEnd();
  }
}

/**
 * Stops what is done for this request when its connection ends, until what this gives is called. The response itself tells
 * nothing of that as long as others that were asked for before on the connection are not sent.
 */
function untilGone({ raw: { socket } }: FastifyRequest, stop: AbortController): () => void {
  const gone = (): void => stop.abort(new AskerError('closed', 'whoever asked has gone'));
  socket.setMaxListeners(0); // one for each question that was sent before the first was answered
  socket.once('close', gone);
  if (socket.destroyed) gone();
  return () => void socket.off('close', gone);
}

/** Answers on one connection are sent in the order of their questions. Throws when it ends before that. */
async function itsTurn(response: ServerResponse, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (response.socket === null) await once(response, 'socket', { signal });
}
