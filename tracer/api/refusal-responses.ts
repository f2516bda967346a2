/** What routes refuse with, as the API's description has it. */
import { refusal } from './messages.js';

/** Of every route. */
export const REFUSALS = {
  '4xx': refusal.describe('Refused, for what was asked or who asks: `code` and `message` say why'),
  '5xx': refusal.describe(
    'Refused, for something of the tracer or its ledger: `code` and `message` say what',
  ),
} as const;

const askingAgain = (description: string, when: string) => ({
  description,
  headers: { 'retry-after': { description: when, type: 'integer' } },
  content: { 'application/json': { schema: refusal } },
});

/** Of a route whose questions wait for their turn, and for the ledger to be read. */
export const QUESTION_REFUSALS = {
  ...REFUSALS,
  '429': askingAgain('Refused: too many questions wait for their turn', 'seconds after which to ask again'),
  '503': askingAgain(
    'Refused: the tracer is too busy, cannot reach its ledger or trust it, is stopping, or failed: `code` and `message` say what',
    'seconds after which to ask again; where the turn did not come in time, or the ledger is being read',
  ),
} as const;
