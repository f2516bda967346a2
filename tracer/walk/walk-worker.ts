/** A thread that walks for walk-thread.ts, one question after the other. It keeps its workspace, and the view it knows. */
import { parentPort, workerData } from 'node:worker_threads';
import { contactAt } from '../contacts/cold-evidence.js';
import type { ColdEvidence } from '../contacts/cold-evidence.js';
import type { ContactView } from '../contacts/view.js';
import { FirebreakError } from '../../protocol/errors.js';
import { presenceView } from '../presence/snapshot.js';
import type { BucketsOf } from './class-seconds.js';
import { tagsReached, walkTrace } from './trace-walks.js';
import { threw, viewAfter } from './walk-messages.js';
import type { ViewShown, WalkOutcome, WalkQuestion } from './walk-messages.js';
import type { WalkThreadSettings } from './walk-thread.js';
import { buffersOf } from './walk-result.js';
import { WalkWorkspace } from './workspace.js';

const { flag, mostArrivals } = workerData as WalkThreadSettings;
const space = new WalkWorkspace(mostArrivals);
let known: ContactView | undefined;

function walked({ view, request, presence, evidence }: WalkQuestion): WalkOutcome {
  try {
    known = viewAfter(view, known);
    const walks = walkTrace(known, request, space, {
      flag,
      presence: presence && presenceView(presence),
      bucketsOf: evidence && bucketsIn(evidence),
    });
    return { kind: 'walked', walks: { ...walks, tags: tagsReached(known.people, walks) } };
  } catch (error) {
    return threw(error);
  }
}

function bucketsIn(evidence: readonly ColdEvidence[]): BucketsOf {
  const bySegment = new Map(evidence.map((one) => [one.segment, one]));
  return (segment, entry) => {
    const cold = bySegment.get(segment.id);
    if (cold === undefined)
      throw new FirebreakError('damaged', `the evidence of segment ${segment.id} is missing`);
    return contactAt(cold, segment, entry).bucketSeconds;
  };
}

parentPort?.on('message', (question: WalkQuestion | ViewShown) => {
  if (!('request' in question)) {
    known = viewAfter(question.view, known);
    return;
  }
  const outcome = walked(question);
  const { reached, sources, tags } = outcome.kind === 'walked' ? outcome.walks : {};
  const columns = [reached, sources].flatMap((one) => (one ? buffersOf(one) : []));
  if (tags?.buffer instanceof ArrayBuffer) columns.push(tags.buffer);
  parentPort?.postMessage(outcome, columns);
});
