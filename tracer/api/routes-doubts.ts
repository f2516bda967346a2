/** What does not add up: for operators, as nothing here names anybody. */
import { doubtsAnswer, doubtsIn } from './doubts.js';
import { refusal } from './messages.js';
import type { ApiRoom, ApiServer } from './room.js';

export function addDoubtsRoute(app: ApiServer, { api }: ApiRoom): void {
  const schema = {
    ...{ summary: 'Reports that do not add up, by their entries in the ledger', tags: ['operations'] },
    response: { 200: doubtsAnswer, '4xx': refusal, '5xx': refusal },
  };
  app.get('/v1/doubts', { schema }, async () => doubtsIn(api.doubts()));
}
