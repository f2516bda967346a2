/** What does not add up: for operators, as nothing here names anybody. */
import { doubtsAnswer, doubtsIn } from './doubts.js';
import { REFUSALS } from './refusal-responses.js';
import type { ApiRoom, ApiServer } from './room.js';

export function addDoubtsRoute(app: ApiServer, { api }: ApiRoom): void {
  const schema = {
    ...{ summary: 'Reports that do not add up, by their entries in the ledger', tags: ['operations'] },
    response: { 200: doubtsAnswer.describe('What does not add up, by kind'), ...REFUSALS },
  };
  app.get('/v1/doubts', { schema }, async () => doubtsIn(api.doubts()));
}
