/** A question on its way: its turn at the desk, its answer in slices, and its end when whoever asked has gone. */
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
  const gone = (): void => stop.abort(new AskerError('closed', 'whoever asked has gone'));
  reply.raw.once('close', gone);
  const { answer, sent } = await desk.ask(stop, (signal) => work({ look, signal }));
  const onCutOff = (): void => {
    metrics.cutOff();
    log.warn('an answer was not read in time; its reader was cut off');
  };
  try {
    void reply.send(streamTo(reply.raw, slicesOf(answer), limits, onCutOff));
    await finished(reply.raw);
  } catch {
    reply.raw.destroy(); // half an answer is none, and whoever asked sees that it broke off
  } finally {
    sent();
  }
}
