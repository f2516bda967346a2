/** The questions about people: each takes an officer's token, and each is a look that the ledger records. */
import type { ZodType } from 'zod';
import { z } from 'zod';
import { clusterAnswerSchema } from '../cluster/cluster-message.js';
import { answerSchema } from '../looks/trace-message.js';
import { answerQuestion } from './answering.js';
import { byteSlices, inSlices, jsonPieces } from './json-pieces.js';
import {
  clusterQuestion,
  contactsAnswer,
  contactsQuestion,
  evidenceQuestion,
  pathAnswer,
  pathQuestion,
  traceQuestion,
} from './messages.js';
import { QUESTION_REFUSALS } from './refusal-responses.js';
import type { ApiRoom, ApiServer } from './room.js';

export function addQuestionRoutes(app: ApiServer, room: ApiRoom): void {
  addTrace(app, room);
  addPath(app, room);
  addContacts(app, room);
  addEvidence(app, room);
  addCluster(app, room);
}

const asJson = (answer: unknown): AsyncIterable<Buffer> => inSlices(jsonPieces(answer));

function addTrace(app: ApiServer, room: ApiRoom): void {
  const schema = schemaOf(
    'Who was in contact with a case, in which order, and why',
    traceQuestion,
    answerSchema.describe('The trace, with its evidence where that was asked for'),
  );
  app.post('/v1/trace', { schema }, (request, reply) => {
    const { request: asked, evidence } = request.body;
    const question = { request: asked, ...(evidence && { evidence }) };
    return answerQuestion(
      room,
      request,
      reply.type(JSON_TYPE),
      async (asking) => {
        const begun = performance.now();
        const answer = await room.api.trace(question, asking);
        room.metrics.traced(asked.direction, (performance.now() - begun) / 1000);
        return answer;
      },
      asJson,
    );
  });
}

function addPath(app: ApiServer, room: ApiRoom): void {
  const schema = schemaOf(
    'The path of a trace that leads to one person',
    pathQuestion,
    pathAnswer.describe('The row of the trace with the path'),
  );
  app.post('/v1/path', { schema }, (request, reply) => {
    const { request: asked } = request.body;
    const work = room.api.path.bind(room.api, { request: asked });
    return answerQuestion(room, request, reply.type(JSON_TYPE), work, asJson);
  });
}

function addContacts(app: ApiServer, room: ApiRoom): void {
  const schema = schemaOf(
    'A person’s contacts, page by page; each page is a look',
    contactsQuestion,
    contactsAnswer.describe('A page of contacts'),
  );
  app.post('/v1/contacts', { schema }, (request, reply) => {
    const { request: asked } = request.body;
    const work = room.api.contacts.bind(room.api, { request: asked });
    return answerQuestion(room, request, reply.type(JSON_TYPE), work, asJson);
  });
}

function addEvidence(app: ApiServer, room: ApiRoom): void {
  const bundle = {
    description: 'The bundle, as a file (evidence.md)',
    headers: {
      [ACCESS_INDEX]: { description: 'the entry of the ledger that records this look', type: 'integer' },
    },
    content: { [BYTES_TYPE]: { schema: z.string() } },
  };
  const schema = {
    ...schemaOf('A trace as evidence that can be checked offline', evidenceQuestion, z.string()),
    response: { 200: bundle, ...QUESTION_REFUSALS },
  };
  app.post('/v1/evidence', { schema }, (request, reply) => {
    const { request: asked, persons } = request.body;
    const question = { request: asked, ...(persons && { persons }) };
    return answerQuestion(
      room,
      request,
      reply.type(BYTES_TYPE),
      async (asking) => {
        const answer = await room.api.evidence(question, asking);
        void reply.header(ACCESS_INDEX, answer.accessIndex);
        return answer;
      },
      (answer) => byteSlices(answer.bundle),
    );
  });
}

/** Only of a tracer that can. */
function addCluster(app: ApiServer, room: ApiRoom): void {
  const { api } = room;
  if (api.cluster === undefined) return;
  const cluster = api.cluster.bind(api);
  const schema = schemaOf(
    'Which sources several cases have in common',
    clusterQuestion,
    clusterAnswerSchema.describe('The sources, most likely first, and who may have infected whom'),
  );
  app.post('/v1/cluster', { schema }, (request, reply) => {
    const { request: asked } = request.body;
    const work = cluster.bind(undefined, { request: asked });
    return answerQuestion(room, request, reply.type(JSON_TYPE), work, asJson);
  });
}

const ACCESS_INDEX = 'firebreak-access-index';
const JSON_TYPE = 'application/json; charset=utf-8';
const BYTES_TYPE = 'application/octet-stream';

function schemaOf<Question extends ZodType, Answer extends ZodType>(
  summary: string,
  body: Question,
  answer: Answer,
) {
  return { summary, tags: ['questions'], body, response: { 200: answer, ...QUESTION_REFUSALS } };
}
