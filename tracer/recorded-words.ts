/** What an officer says of a look, in words: the ledger keeps them, and those whom the look reached are shown them. */
import { z } from 'zod';
import { isPlain } from '../protocol/plain-text.js';

const MAX_LENGTH = 256;
export const PLAIN_WORDS = 'one line without control or format characters';

/** An officer's name, or a purpose. */
export const recordedWords = z
  .string()
  .min(1)
  .max(MAX_LENGTH)
  .refine(isPlain, `it must be ${PLAIN_WORDS}: people are shown it`)
  .describe(PLAIN_WORDS);
