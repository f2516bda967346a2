/** Reads a file of recorded contacts, plain or gzip, as a stream: no more of it is held than one line. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { FirebreakError } from '../../protocol/errors.js';
import { parseContactLine } from './contact-lines.js';
import { recordingBuilder } from './contact-recording.js';
import type { ContactRecording } from './contact-recording.js';

const MAX_LINE_CHARACTERS = 4096;

/** Throws `input` for a file that cannot be read, or naming the line that is malformed. */
export async function readContactsFile(path: string, signal?: AbortSignal): Promise<ContactRecording> {
  const builder = recordingBuilder();
  let lineNumber = 0;
  try {
    for await (const line of linesOf(await openText(path, signal), path)) {
      lineNumber += 1;
      const contact = parseContactLine(line, lineNumber, path);
      if (contact !== undefined) builder.add(contact);
    }
  } catch (error) {
    throw readFailure(error, path, lineNumber);
  }
  return builder.finish(path);
}

async function openText(path: string, signal: AbortSignal | undefined): Promise<Readable> {
  const isGzip = await startsAsGzip(path);
  const file = createReadStream(path, { signal });
  if (!isGzip) return file;
  return pipeline(file, createGunzip(), () => {}); // a failure of either reaches the reader of the last
}

async function startsAsGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

async function* linesOf(stream: Readable, path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  let count = 0;
  for await (const chunk of stream) {
    if (!(chunk instanceof Uint8Array)) continue;
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    count += lines.length;
    yield* lines;
    if (rest.length > MAX_LINE_CHARACTERS) {
      throw new FirebreakError(
        'input',
        `${path}, line ${count + 1}: the line is too long; is this a file of contacts?`,
      );
    }
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

function readFailure(error: unknown, path: string, lineNumber: number): unknown {
  if (error instanceof FirebreakError || !(error instanceof Error)) return error;
  if (error.name === 'AbortError') return error;
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return new FirebreakError('input', `there is no file ${path}`, { cause: error });
  if (code.startsWith('Z_')) {
    return new FirebreakError('input', `${path} is damaged gzip, after line ${lineNumber}`, { cause: error });
  }
  return new FirebreakError('input', `cannot read ${path}: ${error.message}`, { cause: error });
}
