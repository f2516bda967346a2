/**
 * What was asked in a look, as an access record keeps it (protocol.md §10, type 6):
 *
 *     CBOR [officer, purpose, question, [case, …], hops, from, to, minSeconds, latentSeconds,
 *           infectiousSeconds or null, attenuation, presence 0 or 1, reachedCount]
 *
 * Bounds: officer 256 and purpose 2,048 bytes of UTF-8, 1 to 64 cases; from and to in unix seconds.
 */
import { asTagNumber, type TagNumber } from '../brands.js';
import type { CborReader } from '../cbor.js';
import { CborWriter } from '../cbor.js';
import { FirebreakError } from '../errors.js';

const FIELDS = 13;
export const MAX_OFFICER_BYTES = 256;
export const MAX_PURPOSE_BYTES = 2048;
const MAX_CASES = 64;
const MAX_WORD_BYTES = 16;

export const ACCESS_QUESTIONS = ['forward', 'backward', 'both', 'contacts', 'path', 'cluster'] as const;
export type AccessQuestionKind = (typeof ACCESS_QUESTIONS)[number];
export const ATTENUATION_CLASSES = ['immediate', 'near', 'medium'] as const;
export type AttenuationClass = (typeof ATTENUATION_CLASSES)[number];

/** A question put to the tracer, but for who it is about. Parameters as tracing.md names them. */
export interface ShownQuestion {
  readonly officer: string;
  readonly purpose: string;
  readonly question: AccessQuestionKind;
  readonly hops: number;
  readonly from: number;
  readonly to: number;
  readonly minSeconds: number;
  readonly latentSeconds: number;
  readonly infectiousSeconds: number | null;
  /** The loosest class of attenuation whose seconds count. */
  readonly attenuation: AttenuationClass;
  /** Whether being at one gateway at one time counted as a contact. */
  readonly presence: boolean;
}

export interface AccessQuestion extends ShownQuestion {
  /** 1 to 64. */
  readonly cases: readonly TagNumber[];
}

/** With how many tags the answer holds. */
export interface RecordedQuestion extends AccessQuestion {
  readonly reachedCount: number;
}

/** Throws `format` for a question out of its bounds. */
export function encodeRecordedQuestion(asked: RecordedQuestion): Uint8Array {
  const { cases, reachedCount } = asked;
  if (cases.length < 1 || cases.length > MAX_CASES)
    throw new FirebreakError('format', `an access record is about 1 to ${MAX_CASES} cases`);
  const writer = new CborWriter(questionCapacity(asked) + 9 * (cases.length + 2)).array(FIELDS);
  writeWords(writer, asked).array(cases.length);
  for (const tag of cases) writer.uint(tag);
  return writeParameters(writer, asked).uint(reachedCount).finish();
}

/** Bytes that {@link writeWords} and {@link writeParameters} take together, at most. */
export const questionCapacity = ({ officer, purpose }: ShownQuestion): number =>
  Buffer.byteLength(officer) + Buffer.byteLength(purpose) + 3 * (MAX_WORD_BYTES + 3) + 8 * 9;

/** Officer, purpose and question. Throws `format` for text over its bounds. */
export function writeWords(writer: CborWriter, { officer, purpose, question }: ShownQuestion): CborWriter {
  requireLength(officer, MAX_OFFICER_BYTES, 'the officer');
  requireLength(purpose, MAX_PURPOSE_BYTES, 'the purpose');
  return writer.text(officer).text(purpose).text(question);
}

/** From `hops` to `presence`. */
export function writeParameters(writer: CborWriter, asked: ShownQuestion): CborWriter {
  const { hops, from, to, minSeconds, latentSeconds, infectiousSeconds, attenuation, presence } = asked;
  writer.uint(hops).uint(from).uint(to).uint(minSeconds).uint(latentSeconds);
  if (infectiousSeconds === null) writer.null();
  else writer.uint(infectiousSeconds);
  return writer.text(attenuation).uint(presence ? 1 : 0);
}

function requireLength(text: string, maxBytes: number, what: string): void {
  if (Buffer.byteLength(text) <= maxBytes) return;
  throw new FirebreakError('format', `${what} in an access record is at most ${maxBytes} bytes of text`);
}

/** Throws `format`. */
export function readRecordedQuestion(reader: CborReader): RecordedQuestion {
  reader.array({ length: FIELDS });
  const words = readWords(reader);
  const cases = Array.from({ length: reader.array({ max: MAX_CASES }) }, () => asTagNumber(reader.uint()));
  if (cases.length === 0) throw new FirebreakError('format', 'an access record about nobody');
  return { ...words, cases, ...readParameters(reader), reachedCount: reader.uint() };
}

/** What {@link writeWords} wrote. Throws `format`. */
export function readWords(reader: CborReader): Pick<ShownQuestion, 'officer' | 'purpose' | 'question'> {
  const officer = reader.text(MAX_OFFICER_BYTES);
  const purpose = reader.text(MAX_PURPOSE_BYTES);
  return { officer, purpose, question: oneOf(ACCESS_QUESTIONS, reader.text(MAX_WORD_BYTES), 'a question') };
}

/** What {@link writeParameters} wrote. Throws `format`. */
export function readParameters(reader: CborReader): Omit<ShownQuestion, 'officer' | 'purpose' | 'question'> {
  const window = { hops: reader.uint(), from: reader.uint(), to: reader.uint() };
  const seconds = { minSeconds: reader.uint(), latentSeconds: reader.uint() };
  const infectiousSeconds = reader.uintOrNull();
  const attenuation = oneOf(ATTENUATION_CLASSES, reader.text(MAX_WORD_BYTES), 'a class of attenuation');
  return { ...window, ...seconds, infectiousSeconds, attenuation, presence: reader.uint(1) === 1 };
}

function oneOf<Word extends string>(words: readonly Word[], text: string, what: string): Word {
  const known = words.find((word) => word === text);
  if (known !== undefined) return known;
  throw new FirebreakError('format', `an access record with ${what} that is not known`);
}
