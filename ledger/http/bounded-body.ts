/** The body of an answer over HTTP, no more of it than was asked for. */
import { FirebreakError } from '../../protocol/errors.js';

/** Throws `size`, with `from` as who sent it, once there are more than `maxBytes`; what comes after is not read. */
export async function boundedBody(response: Response, maxBytes: number, from: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  for await (const part of body ?? []) {
    length += part.length;
    if (length > maxBytes) throw new FirebreakError('size', `${from} sent more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
