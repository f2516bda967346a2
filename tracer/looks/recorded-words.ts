/** What an officer says of a look, in words: the ledger keeps them, and those whom the look reached are shown them. */
import { z } from 'zod';
import { MAX_OFFICER_BYTES } from '../../protocol/payload/access-question.js';
import { isPlain } from '../../protocol/plain-text.js';

/** Of either: what a record has room for in an officer's name. */
export const MAX_RECORDED_BYTES = MAX_OFFICER_BYTES;
export const RECORDED_ROOM = `at most ${MAX_RECORDED_BYTES} bytes of UTF-8`;
export const PLAIN_WORDS = 'one line without control or format characters';

/** An officer's name, or a purpose. */
export const recordedWords = z
  .string()
  .min(1)
  .regex(/\S/, 'it must not be blank: people are shown it')
  .max(MAX_RECORDED_BYTES, `it must be ${RECORDED_ROOM}`)
  .refine((words) => Buffer.byteLength(words) <= MAX_RECORDED_BYTES, `it must be ${RECORDED_ROOM}`)
  .refine(isPlain, `it must be ${PLAIN_WORDS}: people are shown it`)
  .describe(`${PLAIN_WORDS}, ${RECORDED_ROOM}`);
