/**
 * Sending an answer at the pace of whoever reads it, out of a small buffer; who does not read is cut off. The next slice is
 * made when there is room for it.
 */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

export interface SendLimits {
  /** Wall ms that a reader has for each slice of 64 KiB. */
  readonly sliceMs: number;
  /** Wall ms for an answer as a whole. */
  readonly answerMs: number;
}

const BUFFER_BYTES = 65_536;

/** The slices as a stream for this response; `onCutOff` is told when the response was ended before its reader had them. */
export function streamTo(
  response: ServerResponse,
  slices: AsyncIterable<Buffer>,
  { sliceMs, answerMs }: SendLimits,
  onCutOff: () => void,
): Readable {
  const cutOff = (): void => {
    onCutOff();
    response.destroy();
  };
  const whole = setTimeout(cutOff, answerMs);
  let patience: NodeJS.Timeout | undefined;
  const wait = (): void => {
    clearTimeout(patience);
    if (!response.closed) patience = setTimeout(cutOff, sliceMs);
  };
  response.once('close', () => {
    clearTimeout(whole);
    clearTimeout(patience);
  });
  const paced = pacedBy(slices, wait, () => clearTimeout(patience));
  return Readable.from(paced, { objectMode: false, highWaterMark: BUFFER_BYTES });
}

/** Time runs from when a slice is handed over until the next is wanted; after the last, until the response is closed. */
async function* pacedBy(
  slices: AsyncIterable<Buffer>,
  wait: () => void,
  goOn: () => void,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const slice of slices) {
    wait();
    yield slice;
    goOn();
  }
  wait();
}
