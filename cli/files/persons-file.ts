/**
 * The people of a notice as a file: a tag number a line, or what `firebreak trace --csv` writes, of which the column `person` counts.
 * Blank lines, and of a list those that begin with #, are passed over; a number that comes twice counts once.
 */
import { MAX_NOTICE_TAGS } from '../../authority/notices/notice-desk.js';
import { tagNumberIn } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import { readInputFile } from './input-file.js';

/** A row of a trace names the ledger entries that it rests on. */
const MAX_BYTES = 8 * 1_048_576;
const COLUMN = 'person';

/**
 * "-" is standard input. Throws `input` for a file that cannot be read, a line without a tag number, by its number, nobody, and more
 * people than a notice names.
 */
export async function readPersonsFile(file: string): Promise<number[]> {
  if (file !== '-') return parsePersons(textOf(await readInputFile(file, MAX_BYTES)), file);
  return parsePersons(textOf(await readAll(process.stdin)), 'standard input');
}

async function readAll(input: AsyncIterable<Buffer | string>): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw refuse('standard input', `it is over ${MAX_BYTES} bytes`);
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes); // which drops a byte order mark

/** As {@link readPersonsFile}, of a text; the errors call it by its name. */
export function parsePersons(text: string, name: string): number[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const column = (lines[0] ?? '').split(',').indexOf(COLUMN);
  const isCsv = column !== -1;
  const people = new Set<number>();
  lines.forEach((line, index) => {
    const isPassedOver = line === '' || (isCsv ? index === 0 : line.startsWith('#'));
    if (isPassedOver) return;
    const where = `${name}, line ${index + 1}`;
    people.add(isCsv ? numberIn(line.split(',')[column], where, IN_CSV) : numberIn(line, where, IN_LIST));
  });
  if (people.size === 0) throw refuse(name, 'it names nobody');
  if (people.size > MAX_NOTICE_TAGS)
    throw refuse(name, `a notice names at most ${MAX_NOTICE_TAGS} people, and here are ${people.size}`);
  return [...people];
}

const IN_CSV = `its column ${COLUMN} is no tag number`;
const IN_LIST = `it is no tag number; write one a line, or give what firebreak trace --csv wrote`;

function numberIn(digits: string | undefined, where: string, problem: string): number {
  const number = digits === undefined ? undefined : tagNumberIn(digits);
  if (number !== undefined) return number;
  throw refuse(where, problem);
}

const refuse = (where: string, why: string): FirebreakError =>
  new FirebreakError('input', `${where}: ${why}`);
