/** Facts out of a file that a person may have edited: what does not fit is told of the first field that does not, in words. */
import type { z } from 'zod';
import { wrongWith } from '../../host/field-words.js';
import { FirebreakError } from '../../protocol/errors.js';

/** Throws `damaged` naming the file, the field, and what is wrong with it. */
export function fieldsOf<T>(schema: z.ZodType<T>, file: string, json: unknown): T {
  const parsed = schema.safeParse(json, { error: wrongWith });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'it';
  throw new FirebreakError('damaged', `${file}: ${field} ${issue?.message ?? 'does not fit'}`);
}
