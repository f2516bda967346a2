/** Holds a question against its schema; what does not fit is told of the first field that does not, in words. */
import type { FastifySchemaCompiler } from 'fastify';
import type { ZodType } from 'zod';
import { wrongWith } from '../../host/field-words.js';
import { HttpRefusal } from './refusal.js';

/** The checks that it makes give an {@link HttpRefusal}, `input` and 400, naming the field. */
export const questionCheck: FastifySchemaCompiler<ZodType> =
  ({ schema }) =>
  (question: unknown) => {
    const parsed = schema.safeParse(question, {
      error: (issue) => {
        const words = wrongWith(issue);
        return words && `it ${words}`;
      },
    });
    if (parsed.success) return { value: parsed.data };
    const [issue] = parsed.error.issues;
    const field = issue?.path.join('.') || 'the question';
    return { error: new HttpRefusal(400, 'input', `${field}: ${issue?.message ?? 'it does not fit'}`) };
  };
